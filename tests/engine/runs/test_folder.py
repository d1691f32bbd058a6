"""Run folders: written whole, found again, and read with suspicion."""

from __future__ import annotations

import json
import math
import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.base.errors import InputError
from engine.base.files import write_bytes, write_text
from engine.devices import DeviceInfo, cpu
from engine.learn.kernels.contract import State
from engine.recipe import build, read_toml
from engine.runs import checkpoint, curves_csv
from engine.runs.folder import FORMAT, RunFolder, clean, read_facts, read_pairs, to_json
from engine.runs.provenance import provenance
from engine.runs.store import list_runs, resolve
from tests.conftest import facts, losses, message, prepared_run, recipe, strict_json, train


def create(folder: Path, name: str | None = None, table: str = "houses") -> RunFolder:
    return RunFolder.create(recipe(folder, **({"name": name} if name else {})), table)


def put(path: Path, **content: Any) -> Path:
    """A folder with a run.json of any content."""
    path.mkdir(parents=True)
    (path / "run.json").write_text(json.dumps(content))
    return path


# Whole files or none.


def test_a_reader_sees_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    texts = {json.dumps({"n": n, "long": "x" * 50_000}) for n in range(2)}
    write_text(path, min(texts))
    seen: set[str] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_text())

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(50):
        for text in texts:
            write_text(path, text)
    done.set()
    reader.join()
    assert seen <= texts
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.safetensors"
    write_bytes(path, b"old")

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, broken)
            with pytest.raises(OSError, match="No space"):
                write_bytes(path, b"new")
        assert path.read_bytes() == b"old"
        assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


# Names.


@pytest.mark.parametrize(
    "table",
    ["../../etc/passwd", "/abs/olute.csv", "a b\tc", "..", "...", "-rf", "日本語", "x" * 300, "名" * 300, "\n", ""],
)
def test_a_tables_name_never_leads_out_of_the_runs_folder(tmp_path: Path, table: str) -> None:
    folder = create(tmp_path, table=table)
    assert folder.path.parent == tmp_path / "runs"
    assert "\n" not in folder.path.name
    assert folder.path.name.endswith("_zscore")
    folder.close()


@pytest.mark.parametrize(
    "name", ["../x", "a/b", ".", "..", ".hidden", "/tmp/x", "a\nb", "a\n", "a\0b", "-x", "x" * 121, "~"]
)
def test_names_that_are_no_folders_name(tmp_path: Path, name: str) -> None:
    assert "name" in message(lambda: recipe(tmp_path, name=name))


@pytest.mark.parametrize("name", ["first run", "a.b+c=d_e-f", "Größe", "1"])
def test_names_that_are(tmp_path: Path, name: str) -> None:
    folder = create(tmp_path, name)
    assert folder.path == tmp_path / "runs" / name
    folder.close()


def test_a_name_is_not_used_twice(tmp_path: Path) -> None:
    create(tmp_path, "a").close()
    assert "--name" in message(lambda: create(tmp_path, "a"))


def test_runs_started_in_the_same_second_get_folders_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "strftime", lambda *_: "20260101-000000")
    made: list[RunFolder] = []
    threads = [threading.Thread(target=lambda: made.append(create(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = sorted(folder.path.name for folder in made)
    assert names == sorted(
        ["20260101-000000_houses_zscore", *(f"20260101-000000_houses_zscore-{i}" for i in range(2, 9))]
    )
    for folder in made:
        folder.close()


# What a finished run holds.


def test_everything_about_a_run_is_in_its_folder(tmp_path: Path) -> None:
    session = train(recipe(tmp_path, dataset="linear3", steps=100, val=0.2, eval_every=10, tensorboard=True))
    run = session.snapshot().run
    assert run is not None
    names = {p.name.partition(".tfevents")[0] for p in run.iterdir()}
    assert names >= {
        "recipe.toml", "run.json", "loss.f64", "stamps.f64", "validation.f64", "model.safetensors", "checkpoints",
        "events.out", "log.txt",
    }  # fmt: skip
    assert read_toml(run) == session.recipe
    told = facts(run)
    assert told["format"] == FORMAT
    for name in ("created", "ended_at", "command", "versions", "device", "backend", "precision", "threads", "data"):
        assert name in told
    assert len(told["data"]["fingerprint"]) == 64
    ends, times = read_pairs(run / "stamps.f64")
    assert ends[0] == 0
    assert ends[-1] == 100
    assert (np.diff(ends) >= 0).all()
    assert (np.diff(times) >= 0).all()


def test_the_driver_of_the_card_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = prepared_run(build({"dataset": "houses", "steps": 5, "runs": str(tmp_path)}))
    card = DeviceInfo("cuda:0", "a card", usable=True, verdict="usable", driver="580.65.06")
    monkeypatch.setattr("engine.devices.known", lambda: (cpu(), card))
    told = provenance(run.known, replace(run.plan, device="cuda:0"), run.prepared, "", run.recipe.data)
    assert told["versions"]["driver"] == "580.65.06"
    assert "driver" not in provenance(run.known, run.plan, run.prepared, "", run.recipe.data)["versions"]


def test_what_a_checkpoint_says_is_json(tmp_path: Path) -> None:
    run = prepared_run(build({"dataset": "houses", "steps": 5, "runs": str(tmp_path)}))
    run.checkpoint()
    assert run.folder is not None
    facts = checkpoint.load(run.folder.path / "checkpoints" / "last.safetensors").facts
    strict_json(str(facts["run"]))


def test_a_kernels_state_survives_the_disk_bit_for_bit(tmp_path: Path) -> None:
    arrays = {"a": np.array([[0.1, -0.0, np.nan, np.inf]]), "b": np.arange(5, dtype=np.int64), "c": np.float32([1e-40])}
    state = State(arrays, {"step": 2**53 + 1, "lr": 0.1, "rule": "adam"})
    checkpoint.save(tmp_path / "s.safetensors", state)
    again = checkpoint.load(tmp_path / "s.safetensors")
    assert again.facts == state.facts
    assert again.arrays.keys() == arrays.keys()
    for name, array in arrays.items():
        assert again.arrays[name].dtype == array.dtype
        assert again.arrays[name].tobytes() == array.tobytes()


@pytest.mark.parametrize("content", [b"", b"\x80\x04pickle", b"\xff" * 100, b'{"a":1}'])
def test_a_damaged_checkpoint_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s.safetensors").write_bytes(content)
    assert "damaged" in message(lambda: checkpoint.load(tmp_path / "s.safetensors"))
    assert "no checkpoint" in message(lambda: checkpoint.load(tmp_path / "none.safetensors"))


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (float("nan"), None),
        ([1.0, math.inf, (-math.inf,)], [1.0, None, [None]]),
        ({"a": np.float64("nan"), 1: np.int64(3)}, {"a": None, "1": 3}),
        (np.array([[1.5, np.nan]]), [[1.5, None]]),
        ({"p": Path("a/b"), "b": np.bool_(True)}, {"p": "a/b", "b": True}),
        ("NaN", "NaN"),
    ],
)
def test_json_knows_no_nan(value: Any, wanted: Any) -> None:
    assert clean(value) == wanted
    assert strict_json(to_json(value)) == wanted


def test_run_json_knows_no_nan(tmp_path: Path) -> None:
    folder = create(tmp_path, "a")
    folder.record(state="ended", result={"train_loss": math.nan, "gap": np.float64(np.inf)})
    folder.close()
    assert facts(folder.path)["result"] == {"train_loss": None, "gap": None}


def test_half_a_pair_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "validation.f64"
    file.write_bytes(np.array([0.0, 1.5, 10.0, 1.25, 20.0]).tobytes() + b"ab")
    steps, values = read_pairs(file)
    assert steps.tolist() == [0, 10]
    assert values.tolist() == [1.5, 1.25]
    assert len(read_pairs(tmp_path / "none")[0]) == 0


# Finding runs.


def test_a_run_is_found_by_path_name_beginning_and_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = tmp_path / "runs"
    for created, name in enumerate(["alpha", "alphabet", "beta"]):
        put(runs / name, format=1, state="ended", created=float(created))
    assert resolve("alpha", runs) == runs / "alpha"  # a name goes before a beginning
    assert resolve("alphab", runs) == runs / "alphabet"
    assert resolve("b", runs) == runs / "beta"
    assert resolve("last", runs) == runs / "beta"
    assert resolve(str(runs / "alpha"), tmp_path / "elsewhere") == runs / "alpha"
    monkeypatch.chdir(runs)
    assert resolve("./alpha", Path("nowhere")).resolve() == runs / "alpha"
    several = message(lambda: resolve("al", runs))
    assert "alpha, alphabet" in several or "alphabet, alpha" in several
    for number in range(100):
        put(runs / f"many{number}", format=1, state="ended", created=2.0)
    several = message(lambda: resolve("many", runs))
    assert several.startswith("100 runs begin with many: ")
    assert several.endswith(" and 92 more; give more of the name.")
    assert len(several) < 130
    assert message(lambda: resolve("", runs)).startswith("103 runs could be meant: ")
    for text in ("gamma", "../runs", "al*", "x/../alpha2"):
        assert text in message(lambda text=text: resolve(text, runs))  # type: ignore[misc]
    assert "no runs" in message(lambda: resolve("last", tmp_path / "empty"))


def test_listing_is_newest_first_and_skips_what_is_no_run(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    put(runs / "old", format=1, state="ended", created=1.0)
    put(runs / "new", format=1, state="ended", created=2.0)
    (runs / "notes").mkdir()
    (runs / "README.md").write_text("words")
    put(runs / ".hidden", format=1)
    (runs / "link").symlink_to(runs / "nowhere")
    assert [run.name for run in list_runs(runs)] == ["new", "old"]
    assert list_runs(tmp_path / "none") == ()
    assert "cannot be read" in message(lambda: list_runs(runs / "README.md"))


DAMAGED = {
    "empty": b"",
    "half": b'{"format": 1, "state": "en',
    "list": b"[1, 2]",
    "no format": b'{"state": "ended"}',
    "format text": b'{"format": "1"}',
    "newer": b'{"format": 99}',
    "latin": b'{"format": 1, "state": "\xff"}',
    "created text": b'{"format": 1, "created": "yesterday"}',
    "created NaN": b'{"format": 1, "created": NaN}',
    "loss text": b'{"format": 1, "result": {"train_loss": "small"}}',
    "steps infinite": b'{"format": 1, "result": {"steps": 1e999}}',
    "result list": b'{"format": 1, "result": [1]}',
    "choices text": b'{"format": 1, "choices": "houses"}',
    "huge": b'{"format": 1, "created": 1' + b"0" * 400 + b"}",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_run_is_listed_with_its_problem_and_hides_no_other(tmp_path: Path, name: str) -> None:
    runs = tmp_path / "runs"
    put(runs / "good", format=1, state="ended", created=5.0)
    bad = runs / "bad"
    bad.mkdir()
    (bad / "run.json").write_bytes(DAMAGED[name])
    good, damaged = list_runs(runs)
    assert (good.name, good.problem) == ("good", "")
    assert damaged.state == "damaged"
    assert damaged.problem
    assert "\n" not in damaged.problem
    assert good.age.endswith(" d ago")


def test_a_run_of_a_newer_ravine_asks_for_it(tmp_path: Path) -> None:
    run = put(tmp_path / "runs" / "r", format=FORMAT + 1)
    assert "newer ravine" in message(lambda: read_facts(run))
    assert "newer ravine" in message(lambda: curves_csv.csv(run))


def test_a_folder_without_run_json_is_no_run(tmp_path: Path) -> None:
    assert "not a run folder" in message(lambda: read_facts(tmp_path))
    assert "deleted, moved or given another name" in message(lambda: read_facts(tmp_path / "gone"))


def test_what_a_reader_of_a_live_run_sees_is_whole(tmp_path: Path) -> None:
    folder = create(tmp_path, "live")
    folder.record(state="running", created=1.0)
    folder.history.append(np.array([3.0, 2.0]))
    folder.stamp(2, 100.0)
    lines = "".join(curves_csv.csv(folder.path)).splitlines()
    assert [line.split(",")[1:] for line in lines[1:]] == [["0", "3.0"], ["1", "2.0"]]
    assert list_runs(tmp_path / "runs")[0].state == "running"
    folder.close()
    assert losses(folder.path).tolist() == [3.0, 2.0]


def test_losses_that_are_not_finite_are_exported_as_such(tmp_path: Path) -> None:
    folder = create(tmp_path, "bad")
    folder.record(state="ended", created=1.0)
    folder.history.append(np.array([1.0, np.inf, np.nan]))
    folder.close()
    values = [line.strip().split(",")[2] for line in list(curves_csv.csv(folder.path))[1].splitlines()]
    assert values == ["1.0", "inf", "nan"]
    with pytest.raises(InputError):
        curves_csv.csv(folder.path, "loss")
