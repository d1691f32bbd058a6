"""Nothing that is printed is obeyed by a terminal, whatever names and texts files bring."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import pytest

from engine.runs import formats
from tests import hostile
from tests.conftest import DEADLINE, PROGRAM, ROOT, environment, run_program, strict_json
from tests.hostile import HOSTILE, LINES, NAME, harmless

Command = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything that a file can bring: tables, runs, logs, a recipe, keys and a preset."""
    folder = tmp_path_factory.mktemp("planted")
    data = hostile.table(folder / f"{NAME}.parquet")
    hostile.table(folder / f"{NAME}.csv")
    for name in ("one", "two"):
        hostile.run(folder / "runs", data, name=name, val=0.2)
    hostile.disguise(folder / "runs" / "two")
    hostile.run(folder / "runs", data, name="net", val=0.2, model="mlp", hidden="4")
    hostile.logs(folder / "logs")
    shutil.copytree(folder / "runs" / "one", folder / "runs" / ("bad" + NAME))
    (folder / "runs" / ("bad" + NAME) / "run.json").write_text('{"format": "' + "\x1b]0;x" + '"}')
    escaped = json.dumps(LINES.replace("\x00", ""))  # of which TOML takes all but surrogates
    (folder / f"{NAME}.toml").write_text(f"dataset = {escaped}\n{escaped} = 1\n")
    (folder / "config" / "ravine" / "recipes").mkdir(parents=True)
    (folder / "config" / "ravine" / "keys.toml").write_text(f'{escaped} = "g"\n')
    (folder / "config" / "ravine" / "recipes" / f"{NAME}.toml").write_text(f"lr = {escaped}\n")
    return folder


@pytest.fixture(scope="module")
def command(planted: Path) -> Command:
    """Run a line in that folder, and see that nothing it prints is obeyed or hidden."""

    def call(*words: str, **more: str) -> subprocess.CompletedProcess[bytes]:
        surroundings = environment(XDG_CONFIG_HOME=str(planted / "config"), **more)
        done = run_program(*words, cwd=planted, environment=surroundings)
        harmless(done.stdout)
        assert "Traceback" not in harmless(done.stderr)
        return done

    return call


LINES_OF = [
    ("runs",),
    ("runs", "--json"),
    ("runs", "prune", "--keep", "9", "-y"),
    ("runs", "--runs", f"no{HOSTILE}"),
    ("runs", "prune", "--state", HOSTILE),
    ("runs", f"--{HOSTILE}"),
    (HOSTILE, "--target", LINES),
    (f"--{HOSTILE}",),
    ("train", f"{HOSTILE}.csv"),
    ("train", "TABLE", "--target", LINES),
    ("train", "TABLE", "--features", LINES),
    ("train", "TABLE", "--as", f"{LINES}={LINES}"),
    ("train", "TABLE", "--lr", HOSTILE),
    ("train", "TABLE", "--model", f"{HOSTILE}:x"),
    ("train", f"{HOSTILE}:{HOSTILE}"),
    ("train", "TABLE", "--name", HOSTILE),
    ("train", "TABLE", "--runs", "new", "--name", "fresh", "--steps", "5", "--plain"),
    ("train", "TABLE", "--runs", "new", "--name", "fresher", "--steps", "5", "--json"),
    ("train", "TABLE", "--runs", f"new{NAME}", "--name", "plain", "--steps", "5"),
    ("train", f"{NAME}.csv", "--runs", "new", "--name", "delimited", "--steps", "5"),
    ("train", "--recipe", f"{NAME}.toml"),
    ("train", "--recipe", f"{HOSTILE}.toml"),
    ("train", "--preset", HOSTILE),
    ("train", "--preset", NAME),
    ("resume", "one", "--steps", "40"),
    ("resume", "net", "--steps", "40", "--json"),
    ("resume", NAME),
    ("resume", HOSTILE),
    ("predict", "one", "--input", "TABLE"),
    ("predict", "net", "--input", "TABLE", "--json"),
    ("predict", "one", "--values", f"1,{HOSTILE}"),
    ("predict", "one", "--values", f"{HOSTILE}={HOSTILE}"),
    ("predict", "one", "--input", f"{HOSTILE}.csv"),
    ("predict", NAME, "--input", "TABLE"),
    ("predict", HOSTILE, "--values", "1,2"),
    ("export", "one", "--format", "csv"),
    ("export", "one", "--format", "csv", "--tag", HOSTILE),
    ("export", "all", "--format", "csv"),
    ("export", "all", "--format", "wide-csv"),
    ("export", "one", "--format", "wide-csv"),
    ("export", "one", "--format", "code"),
    ("export", "net", "--format", "code", "--style", "torch"),
    ("export", "one", "--format", "predictor"),
    ("export", "one", "--format", "report"),
    ("export", "one", "--format", "report", "-o", f"out{NAME}"),
    ("export", "one", "--format", "report", "-o", f"no{NAME}/{NAME}"),
    ("export", "one", "--format", HOSTILE),
    ("watch", "logs"),
    ("watch", "logs", "--json"),
    ("watch", "logs", "--tag", f"loss{LINES}"),
    ("watch", "logs", "--tag", HOSTILE),
    ("watch", "logs", "--tag", "plain", "--run", HOSTILE),
    ("watch", HOSTILE),
    ("watch", "runs"),
    ("doctor", "--runs", HOSTILE),
    (HOSTILE,),
    ("--theme", HOSTILE),
    ("sweep", HOSTILE),
]


@pytest.mark.parametrize("words", LINES_OF, ids=lambda words: " ".join(words)[:40].encode("unicode_escape").decode())
def test_nothing_printed_is_obeyed(words: tuple[str, ...], command: Command) -> None:
    given = [word.replace("TABLE", f"{NAME}.parquet").replace("\x00", "") for word in words]
    done = command(*given)
    assert done.stdout or done.stderr
    if "--json" in words and done.stdout:
        strict_json(done.stdout.decode())


def test_json_has_the_exact_names(command: Command, planted: Path) -> None:
    found = strict_json(command("runs", "--json").stdout.decode())["runs"]
    assert {run["name"] for run in found} >= {"one", os.fsencode(NAME + "\udcff").decode("utf-8", "surrogateescape")}
    told = strict_json(command("watch", "logs", "--json").stdout.decode())["runs"]
    tags = {curve["tag"] for run in told for curve in run["curves"]}
    assert f"loss{LINES}" in tags
    assert any(f"value{LINES}" in run["hparams"].values() for run in told)


def test_a_file_has_the_exact_names(command: Command, planted: Path) -> None:
    assert command("export", "all", "--format", "wide-csv", "-o", "wide.csv").returncode == 0
    assert os.fsencode(NAME + "\udcff") in (planted / "wide.csv").read_bytes().splitlines()[0]


@pytest.mark.parametrize("name", ["TERM", "TERM_PROGRAM", "LANG", "NO_COLOR", "NUMBA_CACHE_DIR"])
def test_the_environment_is_not_obeyed(name: str, command: Command) -> None:
    command("doctor", **{name: LINES.replace("\x00", "")})


# Streams that are closed, or that cannot say everything.

ENDS = [
    ("runs", 0),
    ("runs --json", 0),
    ("train linear --name NAME --steps 5", 0),
    ("train linear --name NAME --steps 5 --plain", 0),
    ("train linear --name NAME --steps 5 --json", 0),
    ("train nothing.csv", 2),
    ("train scales --lr 1e9 --name NAME --steps 500 --normalize none", 3),
    ("resume one --steps 60", 0),
    ("predict one --values 1,a", 0),
    ("predict nothing --values 1", 2),
    ("export one --format csv", 0),
    ("export one --format code", 0),
    ("export one --format safetensors", 0),
    ("export one --format report -o report.md", 0),
    ("watch logs", 0),
    ("watch nothing", 2),
    ("runs prune", 0),
    ("doctor", 0),
    ("--version", 0),
    ("--help", 0),
    ("train --help", 0),
    ("", 2),
    ("linear", 2),
]


@pytest.mark.parametrize("stream", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("line", "code"), ENDS, ids=[line for line, _ in ENDS])
def test_a_closed_stream_ends_no_command(line: str, code: int, stream: str, planted: Path) -> None:
    line = line.replace("NAME", f"closed{crc32(f'{line}{stream}'.encode())}")
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {line} {stream}', "sh", *PROGRAM],
        cwd=planted,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=DEADLINE,
    )
    told = harmless(done.stderr)
    assert "Error" not in told
    assert done.returncode == code, told


@pytest.mark.parametrize("encoding", ["ascii:strict", "latin-1"])
@pytest.mark.parametrize(
    "line",
    [
        "runs --runs é", "runs --runs é --json", "train é.csv --target π --steps 5 --name NAME --runs é", "train π.csv",
        "predict é/é --values 1", "predict é/é --input é.csv", "predict é/é --input é.csv --json",
        "export é/é --format code", "export é/é --format report", "export é/é --format wide-csv",
        "export all --runs é --format wide-csv", "watch é", "watch é --tag π",
        "--help", "train --help", "export --help",
    ],
)  # fmt: skip
def test_what_an_encoding_cannot_say_is_escaped(line: str, encoding: str, accented: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, *line.replace("NAME", f"made{crc32(f'{line}{encoding}'.encode())}").split()],
        cwd=accented,
        env=environment(PYTHONIOENCODING=encoding),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=DEADLINE,
    )
    told = done.stderr.decode(encoding.partition(":")[0])
    assert "Error" not in told, told
    assert done.returncode == (2 if "π" in line and ".csv" not in line.partition("π")[0] else 0), told
    text = done.stdout.decode(encoding.partition(":")[0])
    if "--json" in line:
        assert "é" in json.dumps(strict_json(text), ensure_ascii=False)


@pytest.fixture(scope="module")
def accented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run whose every name has letters that ASCII has not."""
    folder = tmp_path_factory.mktemp("accented")
    (folder / "é.csv").write_text("ä,π\n" + "".join(f"{i},{2 * i + 1}\n" for i in range(30)))
    hostile.run(folder / "é", folder / "é.csv", target="π", name="é")
    return folder


# Names that are not UTF-8.


def test_a_name_that_is_not_utf8_is_escaped_where_it_is_shown_and_opened_as_it_is(tmp_path: Path) -> None:
    table, folder, out = (os.fsdecode(name) for name in (b"b\xff.csv", b"bad\xff", b"out\xfe."))
    (tmp_path / table).write_text("x,y\n" + "".join(f"{i},{2 * i + 1}\n" for i in range(30)))

    def call(*words: str, code: int = 0) -> str:
        done = subprocess.run(
            [*PROGRAM, *words], cwd=tmp_path, env=environment(), stdin=subprocess.DEVNULL, capture_output=True,
            timeout=DEADLINE,
        )  # fmt: skip
        told = harmless(done.stderr)
        assert done.returncode == code, told
        return harmless(done.stdout) + told

    assert "\\xff" in call("train", table, "--target", "y", "--steps", "20", "--name", "one", "--runs", folder)
    run = f"{folder}/one"
    assert "b\\xff.csv" in call("runs", "--runs", folder)
    found = strict_json(call("runs", "--runs", folder, "--json"))["runs"]
    assert [os.fsencode(one["path"]) for one in found] == [os.fsencode(run)]
    assert call("predict", run, "--values", "3").strip() == "7"
    assert call("predict", run, "--input", table).count("\n") == 31
    call("resume", run, "--steps", "40")
    call("train", "--recipe", run, "--steps", "5")
    for format in (one.name for one in formats.named()):
        assert "out\\xfe" in call("export", run, "--format", format, "-o", out + format)
        assert (tmp_path / (out + format)).is_file()
    assert "loss/train" in call("watch", folder)
    assert "b\\xfe.csv" in call("train", os.fsdecode(b"b\xfe.csv"), code=2)
    assert "is not UTF-8" in call("train", "--recipe", table_of_latin(tmp_path), code=2)


def table_of_latin(folder: Path) -> str:
    """A recipe of a person's own that is not UTF-8, which is told."""
    (folder / "own.toml").write_bytes(b'[data]\ndataset = "caf\xe9.csv"\n')
    return "own.toml"


# Nothing goes past the door.

DOORS = (
    "engine/commands/console.py",
    "engine/commands/export.py",
    "tui/main.py",
)  # bytes that are no text; no engine yet
FOR_US = ("engine/learn/speeds.py", "engine/devices/__main__.py")  # ASCII JSON that our own process reads


@pytest.mark.parametrize("file", sorted(path for top in ("engine", "tui") for path in (ROOT / top).rglob("*.py")))
def test_only_the_door_prints(file: Path) -> None:
    if file.relative_to(ROOT).as_posix() in (*DOORS, *FOR_US):
        return
    for node in ast.walk(ast.parse(file.read_text())):
        name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        assert name != "print", f"line {getattr(node, 'lineno', 0)}"
        assert not re.match(r"sys\.(__)?std(out|err)(__)?\.(buffer\.)?write", name), (
            f"line {getattr(node, 'lineno', 0)}"
        )
