"""Many runs in one folder: the index, notes and tags, renaming, deleting, bringing back, and runs that are broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.base.errors import InputError
from engine.commands.runs import prune
from engine.runs import index, keeping, notes
from engine.runs.folder import FORMAT, read_facts
from engine.runs.store import Lister, RunInfo, disk_use, list_runs, resolve
from engine.watch.tree import LogTree
from tests.conftest import DEADLINE, Answer, environment, message

Cli = Callable[..., Answer]


def make(folder: Path, name: str, created: float = 1.0, **more: Any) -> Path:
    """A run folder with little in it."""
    run = folder / name
    run.mkdir(parents=True)
    facts: dict[str, Any] = {"format": FORMAT, "host": "h", "pid": 1, "state": "ended", "created": created}
    facts["choices"] = {"dataset": "houses", "normalize": "zscore", "lr": 0.1}
    facts["result"] = {"ended": "limit", "steps": 7, "train_loss": 0.5}
    (run / "run.json").write_text(json.dumps(facts | more))
    (run / "recipe.toml").write_text("")
    (run / "loss.f64").write_bytes(bytes(56))
    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    runs = tmp_path / "runs"
    for number in range(6):
        make(runs, f"r{number}", float(number))
    return runs


def names(folder: Path) -> list[str]:
    return [run.name for run in list_runs(folder)]


def spoiled(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Which runs are read from now on, and not taken from the index."""
    read: list[Path] = []

    def note(path: Path) -> dict[str, Any]:
        read.append(path)
        return read_facts(path)

    monkeypatch.setattr("engine.runs.store.read_facts", note)
    return read


# The index.


def test_runs_that_have_not_changed_are_not_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = list_runs(folder)
    read = spoiled(monkeypatch)
    assert list_runs(folder) == first
    assert read == []
    facts = read_facts(folder / "r3")
    (folder / "r3" / "run.json").write_text(json.dumps(facts | {"result": {"ended": "tol", "steps": 8}}))
    make(folder, "new", 9.0)
    found = {run.name: run for run in list_runs(folder)}
    assert sorted(path.name for path in read) == ["new", "r3"]
    assert (found["r3"].ended, found["r3"].steps) == ("tol", 8)
    assert next(iter(found)) == "new"


def test_who_lists_again_reads_only_what_has_changed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "notes of mine").mkdir()
    lister = Lister()
    first = lister.list(folder)
    assert lister.others == ("notes of mine",)
    assert [run.name for run in first] == names(folder)
    read = spoiled(monkeypatch)
    (folder / index.NAME).unlink()  # what is known is not read from there again
    notes.write(folder / "r3", note="good")
    make(folder, "new", 9.0)
    keeping.delete(folder / "r1")
    again = lister.list(folder)
    assert sorted(path.name for path in read if path.parent == folder) == ["new", "r3"]
    by_name = {run.name: run for run in again}
    assert (by_name["r3"].note, list(by_name)) == ("good", ["new", "r5", "r4", "r3", "r2", "r0"])
    assert all(by_name[run.name] is run for run in first if run.name not in ("r1", "r3"))
    assert again == list_runs(folder)


def test_what_a_run_was_told_and_its_figures_are_listed(folder: Path, tmp_path: Path) -> None:
    from tests.conftest import recipe, train

    chosen = recipe(tmp_path, dataset="linear3", batch_size=9, steps=40, val=0.2, seed=3, patience=99)
    path = train(chosen).snapshot().run
    for _ in range(2):  # read, then from the index
        run = next(run for run in list_runs(folder) if run.path == path)
        told = {name: run.choices[name] for name in ("batch_size", "steps", "seed", "patience", "val", "device")}
        assert told == {"batch_size": 9, "steps": 40, "seed": 3, "patience": 99, "val": 0.2, "device": "cpu"}
        assert "l1" not in run.choices
        assert run.figures["epochs"] == pytest.approx(40 / 9)
        assert 0 < run.figures["r2"] < 1
        assert run.figures["condition_number"] > 1


def test_of_an_older_run_the_choices_come_from_its_recipe(folder: Path) -> None:
    (folder / "r2" / "recipe.toml").write_text("[device]\nseed = 7\n[optimizer]\nmomentum = 0.5\n")
    (folder / "r3" / "recipe.toml").write_text("no toml")
    found = {run.name: dict(run.choices) for run in list_runs(folder)}
    assert (found["r2"], found["r3"]) == ({"seed": 7, "momentum": 0.5}, {})


def test_a_file_replaced_by_one_of_the_same_size_and_time_is_noticed(folder: Path) -> None:
    list_runs(folder)
    file = folder / "r1" / "run.json"
    text, info = file.read_text(), file.stat()
    other = file.with_name("other")
    other.write_text(text.replace('"limit"', '"other"'))
    os.utime(other, ns=(info.st_atime_ns, info.st_mtime_ns))
    os.replace(other, file)
    assert {run.name: run.ended for run in list_runs(folder)}["r1"] == "other"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"format": 1}',
        '{"format": 99, "runs": {}}',
        '{"format": 1, "runs": {"r1": 5}}',
        '{"format": 1, "runs": {"r1": [[0,0,0,0,0,0], {}]}}',
        "[" * 100_000,
        '{"format": 1, "runs": []}',
    ],
)
def test_an_index_that_is_no_good_is_made_again(content: str, folder: Path) -> None:
    wanted = list_runs(folder)
    (folder / index.NAME).write_text(content)
    assert list_runs(folder) == wanted
    assert list_runs(folder) == wanted
    assert len(index.read(folder)) == 6


def test_an_index_with_edited_entries_does_no_harm(folder: Path) -> None:
    wanted = list_runs(folder)
    tree = json.loads((folder / index.NAME).read_text())
    tree["runs"]["r1"][1]["nonsense"] = 5
    tree["runs"]["r2"][1]["tags"] = 5
    tree["runs"]["r4"][1]["choices"] = 5
    del tree["runs"]["r3"][1]["tags"]
    (folder / index.NAME).write_text(json.dumps(tree))
    assert list_runs(folder) == wanted


def test_the_index_may_be_deleted_and_a_folder_need_not_be_writable(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = list_runs(folder)
    (folder / index.NAME).unlink()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("engine.runs.index.write_bytes", refuse)
    assert list_runs(folder) == wanted
    assert not (folder / index.NAME).exists()


def test_an_unfinished_run_is_told_as_it_is_now(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    run = make(folder, "live", 10.0, state="running", host=socket.gethostname(), pid=os.getpid(), result=None)
    assert (list_runs(folder)[0].state, list_runs(folder)[0].steps) == ("running", 7)
    (run / "loss.f64").write_bytes(bytes(80))  # run.json stays as it was
    found = list_runs(folder)[0]
    assert (found.state, found.steps) == ("running", 10)
    assert found.bytes == disk_use(run)
    assert (found.live, found.host, found.pid) == (True, socket.gethostname(), os.getpid())
    monkeypatch.setattr("engine.runs.processes.lives", lambda pid, started: False)
    gone = list_runs(folder)[0]
    assert (gone.state, gone.live) == ("interrupted", False)


def test_two_processes_may_list_and_write_at_once(folder: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from engine.runs.store import list_runs\n"
        "for _ in range(40):\n"
        "    (Path(sys.argv[1]) / '.index.json').unlink(missing_ok=True)\n"
        "    assert len(list_runs(Path(sys.argv[1]))) >= 6\n"
    )
    line = [sys.executable, "-c", script, str(folder)]
    other = subprocess.Popen(line, env=environment(), stderr=subprocess.PIPE, text=True)
    wrong: list[int] = []

    def look() -> None:
        while other.poll() is None:
            wrong.extend(count for count in [len(list_runs(folder))] if count < 6)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    _, error = other.communicate(timeout=DEADLINE)
    for thread in threads:
        thread.join(DEADLINE)
    assert other.returncode == 0, error
    assert not wrong
    assert len(list_runs(folder)) == 6
    assert not [path for path in folder.iterdir() if path.name.startswith(".index") and path.name != index.NAME]


def test_thousands_of_runs_are_listed_without_reading_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1500):
        make(tmp_path, f"r{number:05}", float(number))
    assert len(list_runs(tmp_path)) == 1500
    read = spoiled(monkeypatch)
    opened: list[object] = []
    sys.addaudithook(lambda event, given: opened.append(given[0]) if event == "open" and watching else None)
    watching = True
    found = list_runs(tmp_path)
    watching = False
    assert len(found) == 1500
    assert found[0].name == "r01499"
    assert read == []
    assert len([path for path in opened if str(tmp_path) in str(path)]) == 1  # the index


def test_listing_needs_no_torch_and_no_tables(folder: Path) -> None:
    script = (
        "import sys; from engine.cli import main\n"
        f"assert main(['runs', '--runs', {str(folder)!r}]) == 0\n"
        "assert not {'torch', 'tensorboard', 'numba', 'polars', 'scipy', 'sklearn'} & set(sys.modules)\n"
    )
    line = [sys.executable, "-c", script]
    answer = subprocess.run(line, env=environment(), capture_output=True, text=True, timeout=DEADLINE)
    assert answer.returncode == 0, answer.stderr
    assert "6 runs, " in answer.stderr


# Broken runs.


def test_one_bad_run_never_hides_the_good_ones(folder: Path) -> None:
    def spoil(name: str, content: bytes) -> None:
        make(folder, name, 5.5)
        (folder / name / "run.json").write_bytes(content)

    spoil("cut", b'{"format": 1, "sta')
    spoil("binary", os.urandom(300))
    spoil("list", b"[1, 2]")
    spoil("deep", b"[" * 100_000)
    spoil("newer", json.dumps({"format": FORMAT + 1, "state": "ended"}).encode())
    spoil("formatless", b"{}")
    spoil("strings", json.dumps({"format": FORMAT, "result": "good", "created": "yesterday"}).encode())
    spoil("infinite", b'{"format": 1, "created": 1e999}')
    spoil("huge", b'{"format": 1, "result": {"steps": ' + b"9" * 400 + b"}}")
    make(folder, "half")
    (folder / "half" / "run.json").unlink()
    (folder / "foreign").mkdir()
    (folder / "foreign" / "notes.txt").write_text("mine")
    (folder / "file.txt").write_text("mine")
    (folder / ".hidden").mkdir()
    (folder / "broken-link").symlink_to(folder / "nowhere")
    (folder / "link").symlink_to(folder / "r2")
    (folder / "loop").symlink_to(folder)
    for _ in range(2):  # read, and from the index
        found = {run.name: run for run in list_runs(folder)}
        bad = {name for name, run in found.items() if run.problem}
        assert bad == {"cut", "binary", "list", "deep", "newer", "formatless", "strings", "infinite", "huge", "half"}
        assert set(found) - bad == {f"r{i}" for i in range(6)} | {"link"}
        for name in bad:
            assert found[name].state == "damaged"
            assert found[name].problem.endswith(".")
            assert "\n" not in found[name].problem
    assert "install a newer ravine" in found["newer"].problem
    assert "has no run.json" in found["half"].problem


def test_a_folder_that_is_not_there_or_not_a_folder(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "nowhere") == ()
    (tmp_path / "file").write_text("")
    assert "cannot be read" in message(lambda: list_runs(tmp_path / "file"))


@pytest.mark.parametrize("text", ["../elsewhere", "..", "r1/../../elsewhere", "/", "", ".trash", "r", "r9", "last/.."])
def test_names_that_would_leave_the_folder_find_nothing(
    text: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(folder.parent, "elsewhere")
    monkeypatch.chdir(folder)
    if text == "../elsewhere":  # it is a path, and that is a run
        assert resolve(text, folder).resolve() == folder.parent / "elsewhere"
        return
    if text.endswith("elsewhere"):
        assert resolve(text, folder).resolve() == folder.parent / "elsewhere"
        return
    with pytest.raises(InputError):
        resolve(text, folder)


# What a person says of a run.


def test_notes_and_tags_are_kept_beside_the_run(folder: Path) -> None:
    run = folder / "r2"
    list_runs(folder)
    assert notes.read(run) == notes.Notes()
    notes.write(run, note="  the best so far\n", tags=["good", " thesis ", "good"])
    found = {info.name: info for info in list_runs(folder)}["r2"]
    assert (found.note, found.tags) == ("the best so far", ("good", "thesis"))
    notes.write(run, tags=[])
    assert notes.read(run) == notes.Notes("the best so far")
    notes.write(run, note="")
    assert not (run / "note.json").exists()
    assert {info.name: info for info in list_runs(folder)}["r2"].note == ""
    for tag in ("a,b", "x" * 41, "two\nlines"):
        assert "A tag is" in message(lambda tag=tag: notes.write(run, tags=[tag]))  # type: ignore[misc]
    for content in ("{", "[]", '{"tags": 5}', '{"note": 5, "tags": [1, "kept"]}'):
        (run / "note.json").write_text(content)
        assert notes.read(run).note == ""
        assert "r2" in names(folder)
    assert "cannot be written" in message(lambda: notes.write(folder / "nowhere", note="x"))


def test_a_run_takes_another_name(folder: Path) -> None:
    list_runs(folder)
    new = keeping.rename(folder / "r1", "baseline 1")
    assert new == folder / "baseline 1"
    assert set(names(folder)) == {"r0", "baseline 1", "r2", "r3", "r4", "r5"}
    for wrong in ("../out", "a/b", ".hidden", "", "last", "all", "x" * 121, "two\nlines"):
        assert "cannot be called" in message(lambda wrong=wrong: keeping.rename(new, wrong))  # type: ignore[misc]
    assert "already a run" in message(lambda: keeping.rename(new, "r2"))
    assert "not a run folder" in message(lambda: keeping.rename(folder, "other"))


def test_a_deleted_run_can_be_brought_back(folder: Path) -> None:
    events = "events.out.tfevents.1.host"
    (folder / "r4" / events).write_bytes(b"")
    before = {path.name: path.read_bytes() for path in (folder / "r4").iterdir()}
    place = keeping.delete(folder / "r4")
    assert "r4" not in names(folder)
    assert keeping.trashed(folder) == (place,)
    assert not [path for path in folder.rglob("*tfevents*") if ".trash" in path.parts]  # TensorBoard looks everywhere
    assert not LogTree(folder).runs
    assert keeping.restore(place) == folder / "r4"
    assert {path.name: path.read_bytes() for path in (folder / "r4").iterdir()} == before
    assert keeping.trashed(folder) == ()
    assert "not in the trash any more" in message(lambda: keeping.restore(place))
    assert "not in the trash" in message(lambda: keeping.restore(folder / "r1"))


def test_names_that_were_taken_meanwhile(folder: Path) -> None:
    first = keeping.delete(folder / "r4")
    make(folder, "r4", 40.0)
    second = keeping.delete(folder / "r4")
    assert first != second
    make(folder, "r4", 41.0)
    assert keeping.restore(second).name == "r4-2"
    assert len(names(folder)) == 7


def test_what_is_at_work_or_no_run_is_left_alone(folder: Path) -> None:
    import socket

    live = make(folder, "live", state="running", host=socket.gethostname(), pid=os.getpid())
    for act in (keeping.delete, keeping.remove, lambda run: keeping.rename(run, "x")):
        assert "still running" in message(lambda act=act: act(live))  # type: ignore[misc]
        assert "not a run folder" in message(lambda act=act: act(folder))  # type: ignore[misc]
        assert "not a run folder" in message(lambda act=act: act(folder.parent))  # type: ignore[misc]
    assert len(names(folder)) == 7


def test_of_a_link_only_the_link_goes(folder: Path, tmp_path: Path) -> None:
    outside = make(tmp_path / "archive", "old")
    for act in (keeping.remove, keeping.delete):
        (folder / "link").symlink_to(outside)
        act(folder / "link")
        assert "link" not in names(folder)
        assert (outside / "run.json").exists()
    (folder / "r0" / "inside").symlink_to(outside)
    keeping.remove(folder / "r0")
    assert (outside / "run.json").exists()


def test_disk_use_counts_every_file_once(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(100_000))
    run = folder / "r0"
    (run / "checkpoints").mkdir()
    (run / "checkpoints" / "last").write_bytes(bytes(500))
    (run / "link").symlink_to(tmp_path / "large")
    own = sum(path.stat().st_size for path in run.rglob("*") if path.is_file() and not path.is_symlink())
    assert own <= disk_use(run) < own + 1000
    assert disk_use(folder / "nowhere") == 0


# Prune.


def test_what_prune_would_take(tmp_path: Path) -> None:
    def info(name: str, **more: Any) -> RunInfo:
        return RunInfo(name, tmp_path / name, more.pop("state", "ended"), **more)

    (make(tmp_path, "damaged") / "run.json").write_text("{")
    runs = (
        info("newest"),
        info("tagged", tags=("a",)),
        info("noted", note="x"),
        info("live", state="running"),
        info("failed", state="failed"),
        info("diverged", ended="diverged"),
        info("damaged", state="damaged", problem="…"),
        info("old", ended="limit"),
    )
    assert [r.name for r in keeping.prunable(runs, keep=1)] == ["failed", "diverged", "damaged", "old"]
    assert [r.name for r in keeping.prunable(runs, keep=6)] == ["damaged", "old"]
    assert [r.name for r in keeping.prunable(runs, keep=0, states=["failed", "diverged"])] == ["failed", "diverged"]
    assert keeping.prunable(runs, keep=100) == ()


def test_prune_leaves_alone_what_it_does_not_know(folder: Path, cli: Cli) -> None:
    make(folder, "newer", format=FORMAT + 1)
    (folder / "foreign").mkdir()
    (folder / "foreign" / "run.json").write_text('{"name": "of another program"}')
    (make(folder, "half") / "run.json").write_text('{"format": 1, "sta')
    told = cli(f"runs prune --keep 0 --yes --json --runs {folder}").json
    assert sorted(told["deleted"]) == ["half", "r0", "r1", "r2", "r3", "r4", "r5"]
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == ["foreign", "newer"]
    unknown = cli(f"runs prune --keep 0 --state faild --yes --runs {folder}")
    assert unknown.code == 2
    assert "--state faild is not a state of a run; there are ended, interrupted, failed, damaged" in unknown.err


def test_prune_asks_first(folder: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    keeping.delete(folder / "r5")
    notes.write(folder / "r1", tags=["keep"])
    answer = cli(f"runs prune --keep 2 --runs {folder}")
    assert answer.code == 2
    assert "confirm with --yes" in answer.err
    assert len(names(folder)) == 5
    asked: list[str] = []

    def answers(word: str) -> None:
        class Terminal:
            def isatty(self) -> bool:
                return True

            def readline(self) -> str:
                asked.append(word)
                return word

        monkeypatch.setattr("sys.stdin", Terminal())

    for word in ("\n", "n\n", "", "no\n"):
        answers(word)
        assert prune(keep=2, runs=str(folder)) == 0
        assert len(names(folder)) == 5
    answers("y\n")
    assert prune(keep=2, runs=str(folder)) == 0
    assert len(asked) == 5
    assert names(folder) == ["r4", "r3", "r1"]
    assert keeping.trashed(folder) == ()


def test_prune_without_a_question(folder: Path, cli: Cli) -> None:
    freed = disk_use(folder / "r0") + disk_use(folder / "r1")
    told = cli(f"runs prune --keep 4 --yes --json --runs {folder}").json
    assert sorted(told["deleted"]) == ["r0", "r1"]
    assert told["bytes"] == freed
    assert told["problems"] == []
    assert "nothing to delete" in cli(f"runs prune --yes --runs {folder}").err
    assert cli(f"runs prune --keep=-1 --runs {folder}").code == 2
    assert cli(f"runs prune --keep 0 --state failed --yes --runs {folder}").code == 0
    assert len(names(folder)) == 4


def test_the_list_shows_size_and_tags(folder: Path, cli: Cli) -> None:
    notes.write(folder / "r3", tags=["thesis"], note="a note")
    answer = cli(f"runs --runs {folder}")
    line = next(line for line in answer.out.splitlines() if line.startswith("r3"))
    assert "thesis" in line
    assert " B " in line
    told = {run["name"]: run for run in cli(f"runs --json --runs {folder}").json["runs"]}
    assert told["r3"]["note"] == "a note"
    assert told["r3"]["tags"] == ["thesis"]
    assert told["r3"]["bytes"] == disk_use(folder / "r3")
