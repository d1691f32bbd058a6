"""Whether a run's process lives: here, on another host, in another namespace, or nobody knows."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.runs import heartbeat, keeping, liveness, processes
from engine.runs.facts import read_facts
from engine.runs.liveness import Standing, judge, owner, standing
from engine.runs.lock import Lock
from engine.runs.processes import Process, own
from engine.runs.store import list_runs
from tests.conftest import DEADLINE, environment, message, wait_for

HOST = socket.gethostname()
NO_PROCESS = 2**22 + 5  # more than any process has
HOLD = """
import json, sys, time
from pathlib import Path
from engine.runs import lock as locks, processes
from engine.runs.lock import Lock
run = Path(sys.argv[1])
patch = json.loads(sys.argv[2])
if "host" in patch:
    processes.host = lambda: patch["host"]
if "boot" in patch:
    processes.boot = lambda: patch["boot"]
if "kept" in patch:
    locks._keep = lambda handle: False
lock = Lock.take(run)
told = processes.own().to_dict()
facts = {"format": 1, "state": patch.get("state", "running"), "host": told["host"], "pid": told["pid"], "process": told}
(run / "run.json").write_text(json.dumps(facts))
print("held", flush=True)
sys.stdin.read()
"""

Hold = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def hold() -> Iterator[Hold]:
    """Have another process hold a run, which is made for it; on another host or under another boot, as it says."""
    started: list[subprocess.Popen[str]] = []

    def begin(run: Path, *, before: tuple[str, ...] = (), **patch: str) -> subprocess.Popen[str]:
        (run / "checkpoints").mkdir(parents=True, exist_ok=True)
        (run / "recipe.toml").write_text("")
        line = [*before, sys.executable, "-c", HOLD, str(run), json.dumps(patch)]
        process = subprocess.Popen(
            line, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n", process.communicate()[1]
        wait_for((run / "heartbeat").exists, "the first beat")
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def end(process: subprocess.Popen[str]) -> None:
    """Kill it without warning."""
    process.kill()
    process.wait(DEADLINE)


def now(run: Path) -> Standing:
    return standing(run, read_facts(run))


def old(run: Path, **said: Any) -> Path:
    """A run folder as an earlier ravine left it: without lock and process."""
    run.mkdir(parents=True)
    (run / "recipe.toml").write_text("")
    (run / "run.json").write_text(json.dumps({"format": 1, "state": "running", "host": HOST} | said))
    return run


@pytest.fixture
def sleeper() -> Iterator[int]:
    """The number of a process that does nothing, and began at another time than what is started next."""
    began = time.monotonic()
    with subprocess.Popen(["sleep", "600"]) as process:
        wait_for(lambda: time.monotonic() > began + 0.05, "another tick of the clock")
        yield process.pid
        process.kill()


# Folders of an earlier ravine.


def test_an_old_folder_is_judged_by_host_and_number(tmp_path: Path) -> None:
    mine = old(tmp_path / "mine", pid=os.getpid())
    assert now(mine) == Standing("running", HOST, os.getpid())
    for pid in (NO_PROCESS, 2**70, 0, -1, None, "1", True, [1]):
        assert standing(mine, {"state": "running", "host": HOST, "pid": pid}).state == "interrupted", pid
    assert standing(mine, {"state": "paused", "host": HOST, "pid": os.getpid()}).state == "paused"
    assert standing(mine, {"state": "ended", "host": HOST, "pid": os.getpid()}).state == "ended"
    for host in (None, 3, ["x"]):
        assert standing(mine, {"state": "running", "host": host, "pid": os.getpid()}).state == "interrupted"


def test_an_old_folder_of_another_host_is_unknown_and_stays(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    run = old(runs / "far", host="gpu7", pid=os.getpid())
    (listed,) = list_runs(runs)
    assert (listed.state, listed.live, listed.host, listed.pid) == ("unknown", False, "gpu7", os.getpid())
    assert listed.word == "unknown (gpu7)"
    assert keeping.prunable([listed], keep=0) == ()
    acts: tuple[Callable[[Path], Any], ...] = (keeping.delete, keeping.remove, lambda run: keeping.rename(run, "x"))
    for act in acts:
        told = message(lambda act=act: act(run))  # type: ignore[misc]
        assert "gpu7" in told
        assert "--take-over" in told
    assert message(lambda: Lock.take(run)) == now(run).refusal(run)
    assert not (run / "lock").exists()
    assert keeping.prunable([listed], keep=0, take_over=True) == (listed,)
    keeping.remove(run, take_over=True)
    assert not run.exists()


def test_a_number_that_was_given_away_again_is_no_old_run(tmp_path: Path, sleeper: int) -> None:
    run = old(tmp_path / "r", pid=sleeper)
    assert now(run).state == "running"  # as well as can be told
    before = psutil.Process(sleeper).create_time() - 60
    os.utime(run / "run.json", (before, before))  # written before that process began
    assert now(run).state == "interrupted"


def test_an_old_run_that_began_before_the_process_of_its_number_is_interrupted(tmp_path: Path, sleeper: int) -> None:
    """However late its run.json was written, or copied."""
    start = psutil.Process(sleeper).create_time()
    runs = tmp_path / "runs"
    for name, said, state in (
        ("before", {"created": start - 60}, "interrupted"),
        ("after", {"created": start + 1}, "running"),
        ("resumed", {"created": start - 9000, "resumed": [{"time": start - 60}]}, "interrupted"),
        ("resumed after", {"created": start - 9000, "resumed": [{"time": start + 1}]}, "running"),
        ("another clock", {"created": 12.0}, "running"),
        ("no time", {}, "running"),
    ):
        assert now(old(runs / name, pid=sleeper, **said)).state == state, name
    assert {run.name: run.state for run in list_runs(runs)}["before"] == "interrupted"


# Folders with a lock.


def test_a_run_is_live_for_as_long_as_its_process(tmp_path: Path, hold: Hold) -> None:
    run = tmp_path / "runs" / "r"
    process = hold(run)
    assert now(run) == Standing("running", HOST, process.pid)
    os.kill(process.pid, signal.SIGSTOP)
    assert now(run).live, "one that is stopped is not dead"
    assert not keeping.prunable(list_runs(run.parent), keep=0)
    os.kill(process.pid, signal.SIGCONT)
    end(process)
    assert now(run) == Standing("interrupted", HOST, process.pid)
    (listed,) = list_runs(run.parent)
    assert (listed.state, listed.live, listed.word) == ("interrupted", False, "interrupted")
    Lock.take(run).release()
    assert sorted(path.name for path in run.iterdir()) == ["checkpoints", "recipe.toml", "run.json"]


def test_a_zombie_has_nothing(tmp_path: Path, hold: Hold) -> None:
    run = tmp_path / "r"
    process = hold(run)
    os.kill(process.pid, signal.SIGKILL)
    wait_for(lambda: psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE, "a zombie")
    assert now(run).state == "interrupted"


def test_a_number_that_was_given_away_again_is_told_by_its_start(tmp_path: Path, hold: Hold, sleeper: int) -> None:
    run = tmp_path / "r"
    end(hold(run))
    for pid in (sleeper, os.getpid(), 1):
        said = read_facts(run)
        said["pid"] = said["process"]["pid"] = pid
        (run / "run.json").write_text(json.dumps(said))
        held = owner(run)
        assert held is not None
        assert held.process is not None
        file = run / "lock" / held.token
        told = json.loads(file.read_text())
        told["process"]["pid"] = pid
        file.write_text(json.dumps(told))
        assert now(run).state == "interrupted", pid


def test_a_run_json_that_names_another_host_than_its_process_is_believed(tmp_path: Path, hold: Hold) -> None:
    run = tmp_path / "r"
    end(hold(run))
    (run / "run.json").write_text(json.dumps(read_facts(run) | {"host": "gpu7"}))
    assert now(run).state == "unknown"


def test_another_host_is_asked_by_its_heartbeat(tmp_path: Path, hold: Hold, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "runs" / "r"
    process = hold(run, host="gpu7", boot="another")
    assert now(run) == Standing("running", "gpu7", process.pid)
    assert list_runs(run.parent)[0].word == "running on gpu7"
    assert "stop it there first" in message(lambda: Lock.take(run, take_over=True))
    os.kill(process.pid, signal.SIGSTOP)  # as a network that is down
    monkeypatch.setattr(heartbeat, "FRESH", 0.0)
    monkeypatch.setattr(heartbeat, "AGAIN", 0.0)
    wait_for(lambda: now(run).state == "unknown", "silence")
    assert "--take-over" in message(lambda: Lock.take(run))
    assert keeping.prunable(list_runs(run.parent), keep=0) == ()
    lock = Lock.take(run, take_over=True)
    os.kill(process.pid, signal.SIGCONT)
    assert now(run) == Standing("running", HOST, os.getpid())
    lock.release()


def test_a_heartbeat_is_compared_with_the_file_server_alone(
    tmp_path: Path, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However wrong the clocks of both hosts are."""
    monkeypatch.setattr(heartbeat, "AGAIN", 0.0)
    run = tmp_path / "r"
    process = hold(run, host="gpu7", boot="another")
    monkeypatch.setattr("time.time", lambda: 1e6)
    assert now(run).state == "running"
    end(process)
    beat = os.stat(run / "heartbeat").st_mtime
    for other in (beat - 3600, beat + 3600):
        os.utime(run / "heartbeat", (other, other))
        heartbeat._known.clear()
        assert now(run).state == "unknown"


def test_where_nothing_can_be_written_the_heartbeat_is_watched(
    tmp_path: Path, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "_probe", lambda run: None)
    monkeypatch.setattr("engine.runs.store.WAIT", 0.01)
    run = tmp_path / "runs" / "r"
    process = hold(run, host="gpu7", boot="another")
    assert now(run).state == "unknown"
    assert list_runs(run.parent, patience=DEADLINE)[0].state == "running"
    end(process)
    heartbeat._known.clear()
    assert list_runs(run.parent, patience=0.1)[0].state == "unknown"


def test_a_heartbeat_of_an_earlier_owner_is_no_news(tmp_path: Path, hold: Hold) -> None:
    run = tmp_path / "r"
    end(hold(run, host="gpu7", boot="another"))
    (run / "heartbeat").write_text("somebody else\n")
    heartbeat._known.clear()
    assert now(run).state == "unknown"


def test_a_machine_that_was_started_anew_has_lost_its_processes(
    tmp_path: Path, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "r"
    monkeypatch.setattr(processes, "machine", lambda: "")  # a container has no number of a machine
    end(hold(run))
    monkeypatch.setattr(processes, "boot", lambda: "the next one")
    who = replace(own(), boot="the one before", pid=os.getpid())
    assert judge(replace(who, machine="m"), lambda: "fresh") == "alive"  # another one of that name
    assert judge(replace(who, machine="m"), lambda: "silent") == "unknown"
    assert judge(who, lambda: "fresh") == "alive"
    assert judge(who, lambda: "none") == "unknown"
    assert judge(who, lambda: "silent") == "dead"
    monkeypatch.setattr(processes, "machine", lambda: "m")
    assert judge(replace(who, machine="m"), lambda: "fresh") == "dead"
    monkeypatch.setattr(processes, "host", lambda: "localhost")
    monkeypatch.setattr(processes, "machine", lambda: "")
    assert judge(replace(who, host="localhost"), lambda: "silent") == "unknown"


@given(
    host=st.sampled_from([HOST, "gpu7", "", "0123456789ab"]),
    boot=st.sampled_from(["mine", "other", ""]),
    machine=st.sampled_from(["mine", "other", ""]),
    space=st.sampled_from(["mine", "other", ""]),
    started=st.sampled_from(["mine", "1 ticks", "1 s", "", "nonsense"]),
    pid=st.sampled_from([os.getpid(), NO_PROCESS, 1, 0, -7, 2**80]),
    news=st.sampled_from(["fresh", "silent", "none"]),
)
def test_nobody_of_another_host_is_ever_proven_dead(
    host: str, boot: str, machine: str, space: str, started: str, pid: int, news: heartbeat.News
) -> None:
    me = own()

    def take(word: str, mine: str) -> str:
        return mine if word == "mine" else word

    who = Process(
        host, pid, take(machine, me.machine), take(boot, me.boot), take(space, me.space), take(started, me.started)
    )
    verdict = judge(who, lambda: news)
    if verdict == "dead":
        assert host == HOST
    if who == me:
        assert verdict == "alive"
    if verdict == "alive" and news != "fresh":
        assert pid > 0
        assert pid != NO_PROCESS


def test_a_copy_of_a_live_run_is_not_live(tmp_path: Path, hold: Hold) -> None:
    run = tmp_path / "r"
    process = hold(run)
    shutil.copytree(run, tmp_path / "copy")
    assert now(run).live
    assert now(tmp_path / "copy").state == "interrupted"
    Lock.take(tmp_path / "copy").release()
    run.rename(tmp_path / "moved")
    assert now(tmp_path / "moved") == Standing("running", HOST, process.pid)


def test_a_lock_that_does_not_say_whose_it_is(tmp_path: Path) -> None:
    run = old(tmp_path / "r", state="ended", pid=NO_PROCESS)
    (run / "lock").mkdir()
    assert now(run).state == "ended"  # an empty one is nobody's
    for content in ("", "[]", '{"process": 3}', '{"process": {"host": 1, "pid": "x"}, "folder": "y"}', "\0"):
        (run / "lock" / "token").write_text(content)
        assert now(run).state == "unknown", content
    (run / "lock" / "token").unlink()
    os.mkfifo(run / "lock" / "token")
    assert now(run).state == "unknown"
    Lock.take(run, take_over=True).release()
    assert now(run).state == "ended"


WORDS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from([os.getpid(), 1, HOST, "gpu7", "1 ticks", "nan s", "1e999 s", "pid:[1]", "0123456789ab", 10**400]),
)  # fmt: skip
TREES = st.recursive(WORDS, lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=3), part))
PROCESSES = st.dictionaries(st.sampled_from(["host", "pid", "machine", "boot", "space", "started"]), WORDS)
OWNERS = st.fixed_dictionaries({}, optional={"process": PROCESSES | TREES, "folder": TREES, "kept": WORDS})


@given(
    content=st.one_of(st.binary(max_size=40), st.one_of(OWNERS, TREES).map(lambda tree: json.dumps(tree).encode())),
    beat=st.binary(max_size=40),
    said=st.fixed_dictionaries(
        {"state": st.sampled_from(["running", "paused", "ended", "", 3, None])},
        optional={"host": WORDS, "pid": WORDS, "process": PROCESSES | TREES, "created": WORDS, "resumed": TREES},
    ),
)
def test_whatever_lies_in_a_folder_a_state_comes_out(content: bytes, beat: bytes, said: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder)
        (run / "lock").mkdir()
        (run / "lock" / "token").write_bytes(content)
        (run / "heartbeat").write_bytes(beat)
        (run / "run.json").touch()
        found = standing(run, said)
        assert found.state in ("running", "paused", "interrupted", "unknown", "ended", "", "3")
        assert bool(found.refusal(run)) == (found.state in liveness.LIVING)


# Namespaces of processes, as containers have them.


def unshare() -> tuple[str, ...]:
    """A command that runs another as number 1 of a namespace of its own."""
    words = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
    try:
        done = subprocess.run([*words, "true"], capture_output=True)
    except OSError as error:
        pytest.skip(f"no namespaces here: {error}")
    if done.returncode:
        pytest.skip(f"no namespaces here: {done.stderr.decode().strip()}")
    return words


LOOK = """
import sys
from pathlib import Path
from engine.runs.facts import read_facts
from engine.runs.liveness import standing
print(standing(Path(sys.argv[1]), read_facts(Path(sys.argv[1]))).state)
"""


def seen_inside(run: Path) -> str:
    """What number 1 of another namespace says of a run."""
    line = [*unshare(), sys.executable, "-c", LOOK, str(run)]
    done = subprocess.run(line, env=environment(), capture_output=True, text=True, timeout=DEADLINE)
    return done.stdout.strip() or done.stderr


def test_a_container_that_is_started_anew_does_not_find_itself(tmp_path: Path, hold: Hold) -> None:
    run = tmp_path / "r"
    process = hold(run, before=unshare())
    assert read_facts(run)["pid"] == 1
    assert now(run) == Standing("running", HOST, 1)  # from outside all can be seen
    assert seen_inside(run) == "running"  # by its heartbeat: number 1 there is somebody else
    for child in psutil.Process(process.pid).children(recursive=True):
        child.kill()
        psutil.wait_procs([child], DEADLINE)
    end(process)
    assert now(run).state == "interrupted"
    assert seen_inside(run) == "interrupted"


def test_a_container_on_a_disk_without_such_locks(tmp_path: Path, hold: Hold) -> None:
    run = tmp_path / "r"
    process = hold(run, before=unshare(), kept="no")
    assert now(run) == Standing("running", HOST, 1)
    assert seen_inside(run) == "running"
    for child in psutil.Process(process.pid).children(recursive=True):
        child.kill()
        psutil.wait_procs([child], DEADLINE)
    end(process)
    os.utime(run / "heartbeat", (1e9, 1e9))  # after a while
    assert now(run).state == "interrupted"
    assert seen_inside(run) in ("unknown", "interrupted")  # a number of a namespace may be given away again too


def test_another_container_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    me = own()
    inside = replace(me, space="pid:[1]", pid=1, started="7 ticks")
    monkeypatch.setattr(processes, "seen", lambda who: None)  # as from another container
    assert judge(inside, lambda: "fresh") == "alive"
    assert judge(inside, lambda: "silent") == "unknown"
    monkeypatch.setattr(processes, "host", lambda: "0123456789ab")  # a name that an engine gave, to one alone
    assert judge(replace(inside, host="0123456789ab"), lambda: "fresh") == "dead"
    assert judge(replace(inside, host="ab0123456789"), lambda: "silent") == "unknown"


def test_number_1_of_a_container_without_its_own_proc_does_not_find_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = Lock.take(old(tmp_path / "r", state="ended", pid=NO_PROCESS))
    held = owner(tmp_path / "r")
    assert held is not None
    monkeypatch.setattr(processes, "look", lambda pid: ("", ""))
    assert liveness.of_owner(tmp_path / "r", held) == "alive"
    os.close(lock._handle)  # as the kernel does at the end of a process
    assert liveness.of_owner(tmp_path / "r", held) == "dead"
    lock._handle = os.open(os.devnull, os.O_RDONLY)
    lock.release()


def test_without_a_proc_file_system_it_is_told_all_the_same(
    tmp_path: Path, sleeper: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS."""
    monkeypatch.setattr(processes, "PROC", str(tmp_path / "proc"))
    for cached in (processes.boot, processes.own_start):
        cached.cache_clear()
    try:
        me = own()
        assert (me.boot, me.space) == ("", "")
        assert me.started.endswith(" s")
        assert judge(me, lambda: "none") == "alive"
        assert judge(replace(me, pid=sleeper), lambda: "fresh") == "dead"
        assert judge(replace(me, pid=NO_PROCESS), lambda: "fresh") == "dead"
        assert judge(replace(me, host="gpu7"), lambda: "none") == "unknown"
        lock = Lock.take(old(tmp_path / "r", state="ended", pid=NO_PROCESS))
        assert now(tmp_path / "r").live
        lock.release()
    finally:
        for cached in (processes.boot, processes.own_start):
            cached.cache_clear()
