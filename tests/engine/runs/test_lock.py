"""The lock of a run: one owner at a time, taken from nobody who lives, and noticed when it is lost."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.base.errors import InputError
from engine.runs import heartbeat
from engine.runs.facts import read_facts
from engine.runs.liveness import owner, standing
from engine.runs.lock import HeldError, Lock, LostError
from engine.training.session import Session
from engine.training.snapshot import Phase
from tests.conftest import DEADLINE, Answer, environment, facts, finished, losses, message, recipe, train, wait_for

Cli = Callable[..., Answer]
ROUNDS = 100
CLAIM = """
import sys
from pathlib import Path
from engine.runs.lock import HeldError, Lock
folder, name, rounds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
held = []
print("ready", flush=True)
for number in range(rounds):
    sys.stdin.readline()  # all begin at once
    try:
        held.append(Lock.take(folder / str(number)))
        (folder / str(number) / f"won-{name}").touch()
    except HeldError as error:
        assert "\\n" not in str(error), error
    print("done", flush=True)
sys.stdin.read()
for lock in held:
    lock.check()
    lock.release()
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    made = tmp_path / "r"
    made.mkdir()
    return made


def dead_lock(run: Path) -> None:
    """A lock whose owner was killed."""
    script = "import os, sys; from pathlib import Path; from engine.runs.lock import Lock\n"
    script += "Lock.take(Path(sys.argv[1])); os._exit(9)"
    done = subprocess.run([sys.executable, "-c", script, str(run)], env=environment(), timeout=DEADLINE)
    assert done.returncode == 9
    assert owner(run) is not None


def copied(lock: Path, run: Path) -> None:
    """The same lock of the same dead process in another run."""
    (run / "lock").mkdir()
    for file in lock.iterdir():
        told = json.loads(file.read_text())
        node = os.stat(run)
        (run / "lock" / file.name).write_text(json.dumps(told | {"folder": [node.st_dev, node.st_ino]}))


@pytest.fixture
def claimants(tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Three processes that want the same runs at the same moments."""
    (tmp_path / "runs").mkdir()
    started = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM, str(tmp_path / "runs"), str(name), str(ROUNDS)],
            env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for name in range(3)
    ]  # fmt: skip
    yield started
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("stale", [False, True])
def test_of_several_at_once_one_wins_a_hundred_times(
    tmp_path: Path, claimants: list[subprocess.Popen[str]], stale: bool
) -> None:
    """Also where each of them finds the lock of a dead process, which all may take away."""
    runs = tmp_path / "runs"
    if stale:
        (tmp_path / "dead").mkdir()
        dead_lock(tmp_path / "dead")
    for number in range(ROUNDS):
        (runs / str(number)).mkdir()
        if stale:
            copied(tmp_path / "dead" / "lock", runs / str(number))

    def heard(process: subprocess.Popen[str], word: str) -> None:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{word}\n", process.communicate()[1]

    for process in claimants:
        heard(process, "ready")
    for number in range(ROUNDS):
        for process in claimants:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in claimants:
            heard(process, "done")
        winners = sorted(path.name for path in (runs / str(number)).glob("won-*"))
        assert len(winners) == 1, (number, winners)
        assert len(list((runs / str(number) / "lock").iterdir())) == 1
    for process in claimants:
        out, error = process.communicate(timeout=DEADLINE)
        assert process.returncode == 0, out + error
    assert not list(runs.glob("*/lock"))
    assert not list(runs.glob("*/.*"))


def test_threads_of_one_process_exclude_each_other_too(run: Path) -> None:
    start, held, refused = threading.Barrier(8), [], []

    def claim() -> None:
        start.wait()
        try:
            held.append(Lock.take(run))
        except HeldError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert (len(held), len(refused)) == (1, 7)
    held[0].check()
    held[0].release()
    held[0].release()
    assert list(run.iterdir()) == []


def test_who_lost_the_lock_stops_and_leaves_what_is_another_s(run: Path) -> None:
    lost = Lock.take(run)
    (run / "lock" / lost.token).unlink()
    with pytest.raises(LostError, match="somebody removed"):
        lost.check()
    other = Lock.take(run)
    with pytest.raises(LostError, match=rf"taken over by another process \(pid {os.getpid()}"):
        lost.check()
    wait_for((run / "heartbeat").exists, "the first beat")
    lost.release()
    other.check()
    assert (run / "heartbeat").read_text().strip() == other.token
    other.release()
    assert list(run.iterdir()) == []


def test_an_empty_lock_is_nobody_s_and_a_file_is_told_of(run: Path) -> None:
    (run / "lock").mkdir()
    Lock.take(run).release()
    (run / "lock").write_text("")
    assert "lock" in message(lambda: Lock.take(run))
    assert (run / "lock").exists()
    assert "cannot be locked" in message(lambda: Lock.take(run / "gone"))


def test_what_killed_processes_left_is_swept(run: Path) -> None:
    for name in (".heartbeat-0", ".probe-1"):
        (run / name).touch()
    (run / ".lock-2").mkdir()
    lock = Lock.take(run)
    wait_for((run / "heartbeat").exists, "the first beat")
    assert sorted(path.name for path in run.iterdir()) == ["heartbeat", "lock"]
    lock.release()


def test_the_heart_beats_for_as_long_as_the_lock_is_held(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "BEAT", 0.01)
    lock = Lock.take(run)
    wait_for((run / "heartbeat").exists, "the first beat")
    first = os.stat(run / "heartbeat").st_ino, os.stat(run / "heartbeat").st_mtime_ns
    wait_for(
        lambda: (os.stat(run / "heartbeat").st_ino, os.stat(run / "heartbeat").st_mtime_ns) != first, "another beat"
    )
    lock.release()
    assert not (run / "heartbeat").exists()
    assert not [thread for thread in threading.enumerate() if thread.name == "heartbeat"]


# Runs.


def test_every_run_is_locked_while_it_goes_on_and_free_afterwards(tmp_path: Path) -> None:
    session = Session(recipe(tmp_path, steps=10**9, pace="600"), paced=True)
    session.start()
    wait_for(lambda: session.snapshot().step > 0, "a step")
    run = session.snapshot().run
    assert run is not None
    assert standing(run, read_facts(run)).state == "running"
    session.pause()
    wait_for(lambda: facts(run)["state"] == "paused", "the pause")
    assert standing(run, read_facts(run)).state == "paused"
    assert "is still running" in message(lambda: Lock.take(run, take_over=True))
    session.stop("interrupted")
    finished(session)
    assert standing(run, read_facts(run)).state == "interrupted"
    assert not (run / "lock").exists()
    assert not (run / "heartbeat").exists()
    assert not list(run.glob(".*"))


def test_a_branch_and_every_racer_have_locks_of_their_own(tmp_path: Path) -> None:
    from engine.runs.origin import Origin
    from engine.training.race import Race

    parent = train(recipe(tmp_path, steps=40, checkpoint_every=20)).snapshot().run
    assert parent is not None
    chosen = recipe(tmp_path, steps=10**9, pace="60000")
    race = Race(chosen, modes=("none", "zscore"), paced=True)
    branch = Session(chosen, paced=True, origin=Origin.read(parent, 20, branch=True))
    race.start()
    branch.start()

    def going() -> list[Path]:
        shown = [*race.snapshots().values(), branch.snapshot()]
        return [now.run for now in shown if now.run is not None and now.phase is Phase.TRAINING]

    wait_for(lambda: len(going()) == 3, "three runs")
    found = going()
    for run in found:
        assert standing(run, read_facts(run)).state == "running"
    assert len({held.token for run in found if (held := owner(run)) is not None}) == 3
    assert not (parent / "lock").exists()
    race.stop()
    branch.stop()
    assert race.join(DEADLINE)
    assert branch.join(DEADLINE)
    for run in found:
        assert not (run / "lock").exists()
        assert standing(run, read_facts(run)).state == "ended"


@pytest.mark.parametrize("how", ["taken", "removed"])
def test_a_run_that_lost_its_lock_writes_no_more_and_says_so(tmp_path: Path, how: str) -> None:
    session = Session(recipe(tmp_path, steps=10**9, eval_every=50, pace="6000"), paced=True)
    session.start()
    wait_for(lambda: session.snapshot().step > 0, "a step")
    run = session.snapshot().run
    assert run is not None
    held = owner(run)
    assert held is not None
    if how == "taken":  # at no moment is the lock nobody's
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        other = Lock.take(elsewhere)
        shutil.copytree(elsewhere / "lock", run / "lock", dirs_exist_ok=True)
        other.release()
    (run / "lock" / held.token).unlink()
    wait_for(lambda: session.snapshot().phase is Phase.FAILED, "the end")
    assert session.join(DEADLINE)
    told = session.snapshot().error
    assert run.name in told
    assert ("taken over" in told) == (how == "taken")
    assert "\n" not in told
    assert facts(run)["state"] == "running"  # it is the other one's to say
    assert not (run / "checkpoints" / "last.safetensors").exists()
    assert (owner(run) is not None) == (how == "taken")


def test_a_run_that_cannot_begin_leaves_no_lock(tmp_path: Path, cli: Cli) -> None:
    run = train(recipe(tmp_path, steps=20)).snapshot().run
    assert run is not None
    before = sorted(path.name for path in run.iterdir())
    answer = cli(f"resume {run} --steps 5")
    assert answer.code == 2
    assert "has taken 20 steps already" in answer.err
    assert sorted(path.name for path in run.iterdir()) == before


def test_a_run_that_went_on_meanwhile_is_not_gone_on_with(tmp_path: Path) -> None:
    from engine.runs.origin import Origin

    run = train(recipe(tmp_path, steps=20)).snapshot().run
    assert run is not None
    late, early = Origin.read(run), Origin.read(run)
    longer = recipe(tmp_path, steps=40)
    first = Session(longer, origin=early)
    first.start()
    assert finished(first).phase is Phase.ENDED
    second = Session(longer, origin=late)
    second.start()
    end = finished(second)
    assert end.phase is Phase.FAILED
    assert isinstance(second.failure, InputError)
    assert "resumed meanwhile" in end.error
    assert len(losses(run)) == 40


# The program.

FAKE = """
import sys
from engine.runs import processes
processes.host = lambda: "gpu7"
processes.boot = lambda: "another"
from tui.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def far(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A training on another host that shares the folder."""
    words = shlex.split("train linear3 --steps 100000000 --checkpoint-every 200 --name far --no-tensorboard")
    with subprocess.Popen(
        [sys.executable, "-c", FAKE, *words], cwd=tmp_path, env=environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        last = tmp_path / "runs" / "far" / "checkpoints" / "last.safetensors"
        wait_for(last.exists, "a checkpoint")
        yield process
        process.kill()


def test_a_run_of_another_host_is_left_alone_until_it_is_taken_over(
    tmp_path: Path, cli: Cli, far: subprocess.Popen[str]
) -> None:
    (listed,) = cli("runs --json").json["runs"]
    assert (listed["state"], listed["live"], listed["host"], listed["pid"]) == ("running", True, "gpu7", far.pid)
    assert "running on gpu7" in cli("runs").out
    for words in ("resume far", "resume far --take-over"):
        answer = cli(words)
        assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
        assert f"on gpu7 (pid {far.pid})" in answer.err
    far.kill()
    far.wait(DEADLINE)
    os.utime(tmp_path / "runs" / "far" / "heartbeat", (1e9, 1e9))  # as after a while
    heartbeat._known.clear()
    (listed,) = cli("runs --json").json["runs"]
    assert (listed["state"], listed["live"], listed["host"]) == ("unknown", False, "gpu7")
    answer = cli("resume far")
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert "--take-over" in answer.err
    pruned = cli("runs prune --keep 0 -y")
    assert pruned.code == 0
    assert "far stays: it may still be running on gpu7; --take-over deletes it too." in pruned.err
    assert cli("runs --json").json["runs"]
    steps = len(losses(tmp_path / "runs" / "far")) // 200 * 200 + 1000
    answer = cli(f"resume far --take-over --steps {steps} --json")
    assert answer.code == 0, answer.err
    assert len(losses(tmp_path / "runs" / "far")) == steps
    (listed,) = cli("runs --json").json["runs"]
    assert (listed["state"], listed["live"]) == ("ended", False)
    assert cli("runs prune --keep 0 -y --json").json["deleted"] == ["far"]


def test_prune_deletes_an_unknown_run_when_it_is_told_to(tmp_path: Path, cli: Cli, far: subprocess.Popen[str]) -> None:
    assert cli("runs prune --keep 0 -y --take-over --json").json["deleted"] == []  # it lives
    far.kill()
    far.wait(DEADLINE)
    os.utime(tmp_path / "runs" / "far" / "heartbeat", (1e9, 1e9))
    heartbeat._known.clear()
    assert cli("runs prune --keep 0 -y --json").json["deleted"] == []
    assert cli("runs prune --keep 0 --state unknown --take-over -y --json").json["deleted"] == ["far"]


@pytest.mark.parametrize("state", ["killed", "ended well"])
def test_of_two_resumes_at_once_one_goes_on_and_the_other_writes_nothing(tmp_path: Path, cli: Cli, state: str) -> None:
    line = "train houses --name twice --eval-every 10 --checkpoint-every 50 --no-tensorboard"
    assert cli(f"{line} --steps 200").code == 0
    run = tmp_path / "runs" / "twice"
    if state == "killed":
        dead_lock(run)
        held = owner(run)
        assert held is not None
        assert held.process is not None
        dead = held.process.to_dict()
        said = {"state": "running", "pid": dead["pid"], "process": dead}
        (run / "run.json").write_text(json.dumps(facts(run) | said))
    for number in range(3):
        steps = 4_000 * (number + 1)
        words = [sys.executable, "-m", "tui.main", "resume", "twice", "--steps", str(steps)]
        both = [
            subprocess.Popen(
                words, cwd=tmp_path, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True,
            )
            for _ in range(2)
        ]  # fmt: skip
        told = [(*process.communicate(timeout=DEADLINE), process.returncode) for process in both]
        assert sorted(code for _, _, code in told) == [0, 2], told
        ((out, error, _),) = [one for one in told if one[2] == 2]
        assert out == ""
        assert error.count("\n") == 1
        assert "twice" in error
        assert len(losses(run)) == steps
        found = [json.loads(text)["step"] for text in (run / "evaluations.jsonl").read_text().splitlines()]
        assert found == list(range(0, steps + 1, 10))
        assert facts(run)["state"] == "ended"
        assert len(facts(run)["resumed"]) == number + 1
