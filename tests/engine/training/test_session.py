"""The session: commands in, snapshots out, runs that can be repeated, folders that stay valid."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.base.errors import Cancelled, InputError
from engine.base.loss_history import History
from engine.learn.kernels.autograd import Autograd
from engine.recipe import Event, read_toml
from engine.runs import predictor
from engine.training.session import Session
from engine.training.snapshot import Phase, Snapshot
from tests.conftest import DEADLINE, facts, finished, losses, made, message, near, recipe, train, wait_for

LONG = 100_000_000  # steps that no test waits for


@pytest.fixture
def long(tmp_path: Path) -> Iterator[Session]:
    """A session that would take hours; by the slowest backend, so that its losses do not fill the disk."""
    session = Session(recipe(tmp_path, dataset="linear3", backend="autograd", steps=LONG, val=0.2, eval_every=1000))
    yield session
    session.stop()
    assert session.join(DEADLINE)


def steps(session: Session, least: int) -> Snapshot:
    """Wait until so many steps are taken."""
    wait_for(lambda: session.snapshot().step >= least, f"{least} steps")
    return session.snapshot()


def paused(session: Session) -> Snapshot:
    wait_for(
        lambda: session.snapshot().phase is Phase.PAUSED and facts(folder(session))["state"] == "paused", "a pause"
    )
    return session.snapshot()


def folder(session: Session) -> Path:
    path = session.snapshot().run
    assert path is not None
    return path


def test_a_run_goes_through_its_phases(tmp_path: Path) -> None:
    session = Session(recipe(tmp_path, steps=200), command="ravine train --steps 200")
    assert session.snapshot().phase is Phase.PREPARING
    assert session.result == {}
    session.start()
    end = finished(session)
    assert end.phase is Phase.ENDED
    assert not end.live
    assert end.ending is not None
    assert end.ending.reason == "limit"
    assert (end.step, end.steps, end.epoch) == (200, 200, 200.0)
    assert end.loss == losses(folder(session))[-1]
    told = facts(folder(session))
    assert told["state"] == "ended"
    assert told["command"] == "ravine train --steps 200"
    assert told["ending"] == end.ending.sentence
    assert told["ending_id"] == "learn.ending"
    assert told["ending_fields"]["opening"]["id"] == "learn.all_steps"
    assert told["ending_fields"]["opening"]["fields"] == {"steps": told["result"]["steps"]}
    assert told["ending"].startswith(told["ending_fields"]["opening"]["text"])
    assert told["result"]["steps"] == 200


def test_pause_step_resume_and_stop(long: Session) -> None:
    long.start()
    steps(long, 100)
    long.pause()
    rest = paused(long)
    assert len(losses(folder(long))) == rest.step
    long.pause()  # twice is no harm
    for number in range(1, 4):
        long.step()
        wait_for(lambda number=number: long.snapshot().step == rest.step + number, "one step")  # type: ignore[misc]
        assert paused(long).step == rest.step + number
    long.step()
    long.step()
    wait_for(lambda: long.snapshot().step == rest.step + 5, "two steps asked for at once")
    long.resume()
    steps(long, rest.step + 100)
    assert long.snapshot().phase is Phase.TRAINING
    assert facts(folder(long))["state"] == "running"
    long.stop()
    end = finished(long)
    assert end.ending is not None
    assert end.ending.reason == "stopped"
    assert len(losses(folder(long))) == end.step == facts(folder(long))["result"]["steps"]
    long.stop("interrupted")  # too late to matter
    assert long.snapshot() is end


def test_stop_ends_a_pause(long: Session) -> None:
    long.start()
    steps(long, 1)
    long.pause()
    paused(long)
    long.stop("interrupted")
    assert finished(long).ending.reason == "interrupted"  # type: ignore[union-attr]
    assert facts(folder(long))["state"] == "interrupted"


def test_a_step_begins_a_run_that_is_then_paused(long: Session) -> None:
    long.step()
    wait_for(lambda: long.snapshot().phase is Phase.PAUSED, "a pause")
    assert paused(long).step == 1


def test_commands_given_before_the_start_are_kept(long: Session) -> None:
    long.change("lr", 0.125)
    long.pause()
    long.start()
    rest = paused(long)
    assert (rest.step, rest.lr) == (0, 0.125)


def test_stopped_before_the_first_step(tmp_path: Path) -> None:
    session = Session(recipe(tmp_path, steps=5))
    session.stop("interrupted")
    session.start()
    assert finished(session).phase is Phase.FAILED
    assert isinstance(session.failure, Cancelled)
    assert not (tmp_path / "runs").exists()


def test_a_changed_rate_is_marked_written_down_and_replayed_bit_for_bit(tmp_path: Path, long: Session) -> None:
    long.start()
    for rate in ("0.3", "0.02", 0.25):
        at = steps(long, long.snapshot().step + 50)
        long.change("lr", rate)
        wait_for(lambda rate=rate: long.snapshot().lr == float(rate), "the new rate")  # type: ignore[misc]
        assert long.snapshot().step >= at.step
    steps(long, long.snapshot().step + 200)
    long.stop()
    end = finished(long)
    assert [mark.text for mark in end.marks] == ["lr 0.3", "lr 0.02", "lr 0.25"]
    kept = read_toml(folder(long))
    assert [event.value for event in kept.events] == [0.3, 0.02, 0.25]
    assert kept.events == long.recipe.events
    log = (folder(long) / "log.txt").read_text()
    for event in kept.events:
        assert f"From step {event.step:,} on: learning rate {event.value:g}." in log
    assert [event.step for event in kept.events] == [mark.step for mark in end.marks]

    again = train(kept.replace({"steps": end.step}))
    assert np.array_equal(losses(folder(again)), losses(folder(long)))
    first, second = predictor.load(folder(long)), predictor.load(folder(again))
    assert np.array_equal(first.parameters.weight, second.parameters.weight)
    assert np.array_equal(first.parameters.bias, second.parameters.bias)


def test_a_rate_that_is_changed_after_a_plateau_lowered_it_is_marked_as_it_holds(tmp_path: Path) -> None:
    chosen = recipe(tmp_path, dataset="houses", schedule="plateau", lr=1e-9, eval_every=1, steps=40)
    chosen = replace(chosen, events=(Event(30, "lr", 0.5),))
    end = train(chosen).snapshot()
    drops = [mark for mark in end.marks if mark.step < 30]
    (steered,) = [mark for mark in end.marks if mark.step == 30]
    assert len(drops) == 2
    assert steered.text == "lr 0.005"  # two drops to a tenth hold on


@pytest.mark.parametrize(("field", "value"), [("lr", "-1"), ("lr", "fast"), ("lr", "auto"), ("seed", 3), ("speed", 1)])
def test_a_change_that_cannot_be_is_refused_at_once(long: Session, field: str, value: Any) -> None:
    assert message(lambda: long.change(field, value))
    assert not long.recipe.events


def test_a_checkpoint_on_demand(long: Session) -> None:
    long.start()
    steps(long, 10)
    file = folder(long) / "checkpoints" / "last.safetensors"
    assert not file.exists()
    long.checkpoint()
    wait_for(lambda: file.exists() and (folder(long) / "model.safetensors").exists(), "the checkpoint")
    model = predictor.load(folder(long))
    assert model.predict_rows([{"x1": 0.5, "x2": 0.5, "x3": 0.5}])[0].shape == (1,)
    assert long.snapshot().live


def test_checkpoints_by_step_do_not_change_the_numbers(tmp_path: Path) -> None:
    fields = {"dataset": "linear3", "batch_size": 9, "steps": 400, "val": 0.2, "eval_every": 50}
    plain = train(recipe(tmp_path, **fields))
    often = train(recipe(tmp_path, checkpoint_every=7, **fields))
    assert np.array_equal(losses(folder(plain)), losses(folder(often)))
    pairs = np.fromfile(folder(often) / "validation.f64", "<f8").reshape(-1, 2)
    assert pairs[:, 0].tolist() == list(range(0, 401, 50))


def test_pace_spreads_a_run_and_can_be_taken_away(tmp_path: Path) -> None:
    session = Session(recipe(tmp_path, steps=500, pace="86400"), paced=True)
    session.start()
    wait_for(lambda: session.snapshot().phase is Phase.TRAINING, "training")
    session.pace(0)  # which is as fast as it goes
    assert finished(session).step == 500
    assert np.array_equal(losses(folder(session)), losses(folder(train(recipe(tmp_path, steps=500)))))


def test_a_paced_run_obeys_while_it_waits(tmp_path: Path) -> None:
    session = Session(recipe(tmp_path, steps=500, pace="86400"), paced=True)
    session.start()
    wait_for(lambda: session.snapshot().step >= 1, "a step")
    session.change("lr", 0.01)
    wait_for(lambda: session.snapshot().lr == 0.01, "the new rate")
    session.stop()
    assert finished(session).step < 500


def test_without_paced_the_recipes_pace_is_for_the_screen_only(tmp_path: Path) -> None:
    assert finished_at_once(Session(recipe(tmp_path, steps=50, pace="86400"))).step == 50


def finished_at_once(session: Session) -> Snapshot:
    session.start()
    return finished(session)


def test_snapshots_agree_with_themselves_while_the_loop_runs(long: Session) -> None:
    long.start()
    steps(long, 1)
    seen = [long.snapshot()]

    def look() -> bool:
        now = long.snapshot()
        if now is not seen[-1]:
            seen.append(now)
        return len(seen) > 30

    wait_for(look, "thirty snapshots")
    long.stop()
    finished(long)
    kept = losses(folder(long))
    for now in seen:
        assert now.history is not None
        assert now.step == 0 or now.loss == kept[now.step - 1]
        assert now.epoch == now.step  # full batches
        assert now.steps == LONG
    assert all(a.step <= b.step for a, b in pairwise(seen))
    with pytest.raises(FrozenInstanceError):
        seen[0].step = 3  # type: ignore[misc]


def test_weights_in_a_snapshot_stay_as_they_were(long: Session) -> None:
    long.start()
    steps(long, 20)
    long.pause()
    rest = paused(long)
    assert rest.weights is not None
    assert rest.weights.step == rest.step
    before = rest.weights.scaled.copy()
    long.resume()
    steps(long, rest.step + 500)
    assert np.array_equal(rest.weights.scaled, before)


def test_watched_or_not_the_numbers_are_the_same(tmp_path: Path) -> None:
    fields = {"dataset": "linear3", "batch_size": 9, "steps": 2000}
    unseen = train(recipe(tmp_path, **fields), watched=False)
    seen = train(recipe(tmp_path, **fields), watched=True)
    assert np.array_equal(losses(folder(unseen)), losses(folder(seen)))


def test_raw_weights_of_a_snapshot_are_the_folded_ones(tmp_path: Path) -> None:
    end = finished_at_once(Session(recipe(tmp_path, dataset="linear3", steps=50, normalize_target=True)))
    assert end.weights is not None
    model = predictor.load(end.run)  # type: ignore[arg-type]
    row = {"x1": 0.1, "x2": 0.7, "x3": 0.4}
    raw = end.weights.raw[:, 0] @ list(row.values()) + end.weights.bias_raw[0]
    near(model.predict_rows([row])[0][0], raw, 1e-13)  # the same sum in another order


def test_two_sessions_at_once_disturb_each_other_not_at_all(tmp_path: Path) -> None:
    fields = {"dataset": "linear3", "batch_size": 5, "steps": 3000}
    alone = train(recipe(tmp_path, **fields))
    both = [Session(recipe(tmp_path, **fields)) for _ in range(2)]
    for session in both:
        session.start()
    for session in both:
        finished(session)
        assert np.array_equal(losses(folder(session)), losses(folder(alone)))


# What goes wrong.


def test_bad_input_is_told_and_leaves_no_folder(tmp_path: Path) -> None:
    end = finished_at_once(session := Session(recipe(tmp_path, dataset="houses", target="nothing")))
    assert end.phase is Phase.FAILED
    assert "nothing" in end.error
    assert isinstance(session.failure, InputError)
    assert not (tmp_path / "runs").exists()


def broken_after(monkeypatch: pytest.MonkeyPatch, step: int, error: Exception) -> None:
    """Let the kernel raise when it shall go beyond a step."""
    advance = Autograd.advance

    def broken(self: Autograd, count: int) -> Any:
        if self.step + count > step:
            raise error
        return advance(self, count)

    monkeypatch.setattr(Autograd, "advance", broken)


def assert_valid_and_failed(end: Snapshot, words: str) -> None:
    assert end.phase is Phase.FAILED
    assert end.run is not None
    assert words in end.error
    assert "\n" not in end.error
    told = facts(end.run)
    assert told["state"] == "failed"
    assert words in told["ending"]
    log = (end.run / "log.txt").read_text()
    assert "Traceback" in log
    assert words in log
    read_toml(end.run)


@pytest.mark.parametrize(
    "error", [RuntimeError("the kernel broke\nin two lines"), MemoryError(), InputError("the card is gone")]
)
def test_an_unexpected_error_keeps_the_folder_the_losses_and_the_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    reference = losses(folder(train(recipe(tmp_path, backend="autograd", steps=64, checkpoint_every=32))))
    broken_after(monkeypatch, 64, error)
    end = finished_at_once(session := Session(recipe(tmp_path, backend="autograd", steps=1000, checkpoint_every=32)))
    assert session.failure is error
    assert_valid_and_failed(end, (str(error).splitlines() or ["MemoryError"])[0])
    assert end.run is not None
    assert np.array_equal(losses(end.run)[:64], reference)
    assert predictor.load(end.run).inputs


def test_a_full_disk_under_the_losses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append = History.append

    def full(self: History, values: Any) -> None:
        if len(self) >= 100:
            raise OSError(errno.ENOSPC, "No space left on device")
        append(self, values)

    monkeypatch.setattr(History, "append", full)
    end = finished_at_once(Session(recipe(tmp_path, steps=10_000)))
    assert_valid_and_failed(end, "No space left on device")
    assert end.run is not None
    assert len(losses(end.run)) >= 100
    assert np.isfinite(losses(end.run)).all()


def test_a_disk_that_fills_when_the_run_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "model.safetensors")

    monkeypatch.setattr(predictor, "save_model", full)
    end = finished_at_once(Session(recipe(tmp_path, steps=20)))
    assert end.phase is Phase.FAILED
    assert end.run is not None
    told = facts(end.run)
    assert told["state"] == "interrupted"  # it can go on: nothing of it is lost
    for text in (end.error, told["ending"], (end.run / "log.txt").read_text()):
        for words in ("No space left on device", "model.safetensors", "safe up to step 20", "ravine resume"):
            assert words in text
    assert len(losses(end.run)) == 20


def full_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the disk be full when the traceback shall be logged."""
    from engine.runs.folder import RunFolder

    log = RunFolder.log

    def full(self: RunFolder, text: str) -> None:
        if "Traceback" in text:
            raise OSError(errno.ENOSPC, "No space left on device")
        log(self, text)

    monkeypatch.setattr(RunFolder, "log", full)


def test_when_even_the_log_cannot_be_written_both_troubles_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_after(monkeypatch, 20, RuntimeError("broke"))
    full_log(monkeypatch)
    end = finished_at_once(Session(recipe(tmp_path, backend="autograd", steps=100)))
    assert end.phase is Phase.FAILED
    assert "broke" in end.error
    assert "No space left" in end.error
    assert len(losses(end.run)) > 0  # type: ignore[arg-type]


def test_a_full_log_does_not_leave_a_run_that_seems_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken_after(monkeypatch, 20, RuntimeError("broke"))
    full_log(monkeypatch)
    end = finished_at_once(Session(recipe(tmp_path, backend="autograd", steps=100)))
    assert facts(end.run)["state"] == "failed"  # type: ignore[arg-type]


def test_events_happen_at_their_steps_whatever_their_order_in_the_file(tmp_path: Path) -> None:
    events = (Event(step=20, field="lr", value=0.02), Event(step=10, field="lr", value=0.3))
    plain = recipe(tmp_path, dataset="linear3", steps=40)
    found = [losses(folder(train(replace(plain, events=order)))) for order in (events, events[::-1])]
    assert np.array_equal(*found)


def test_a_replayed_run_that_is_steered_once_more_can_be_replayed(tmp_path: Path) -> None:
    later = Event(step=60, field="lr", value=0.02)
    plain = recipe(tmp_path, dataset="linear3", steps=100, lr=0.1)
    session = Session(replace(plain, events=(later,)))
    session.change("lr", 0.3)  # at step 0
    session.start()
    finished(session)
    again = train(read_toml(folder(session)))
    assert np.array_equal(losses(folder(again)), losses(folder(session)))


def test_a_table_that_is_loaded_already_is_not_read_again(tmp_path: Path) -> None:
    session = train(recipe(tmp_path, dataset="no/such/file.csv", steps=10), made())
    assert facts(folder(session))["data"]["target"] == "y"


def test_the_machine_is_looked_at_while_a_longer_run_trains(tmp_path: Path) -> None:
    session = Session(recipe(tmp_path, dataset="linear3", steps=100_000_000, batch_size=10))
    session.start()
    wait_for(lambda: session.snapshot().machine is not None, "a look at the machine")
    seen = session.snapshot().machine
    session.stop()
    finished(session)
    assert seen is not None
    assert seen.own_memory is not None
    assert seen.own_memory > 10_000_000
