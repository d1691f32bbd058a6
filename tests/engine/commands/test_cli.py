"""The command line: exit codes, what goes to stdout, and every sentence for what cannot be."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.base.errors import InputError
from engine.cli import preset
from engine.commands import plain, program
from engine.recipe import Choice, build, choices
from tests.conftest import (
    DEADLINE,
    PROGRAM,
    Answer,
    environment,
    facts,
    losses,
    message,
    ravine,
    write_csv,
)

Cli = Callable[..., Answer]


def one_sentence(text: str) -> str:
    """stderr that is a single line for a person, without a traceback or a library's own words."""
    assert text.startswith("ravine: "), text
    assert text.count("\n") == 1, text
    for foreign in ("Traceback", "pydantic", "validation error", "Error:"):
        assert foreign not in text
    return text


# Help.


def test_help_tells_every_flag_with_its_range_and_default(cli: Cli) -> None:
    answer = cli("train --help")
    assert answer.code == 0
    told = " ".join(word for word in answer.out.replace("│", " ").split())
    for choice in choices():
        assert f"{choice.flag} " in told, choice.flag
        if choice.default_text:
            after = told.split(f"{choice.flag} ", 1)[1]
            assert f"[default: {choice.default_text}]" in after, choice.flag
    for word in ("DATASET", "--recipe", "--json", "--no-tensorboard", "--no-normalize-target", "130 interrupted"):
        assert word in told


@pytest.mark.parametrize("command", ["", "train", "predict", "runs", "export", "doctor"])
def test_every_command_has_help(cli: Cli, command: str) -> None:
    answer = cli(f"{command} --help")
    assert answer.code == 0
    assert answer.err == ""
    assert "Usage: ravine" in answer.out


def test_version(cli: Cli) -> None:
    from importlib.metadata import version

    assert cli("--version").out.strip() == version("ravine")


# Usage and bad input: code 2, a sentence, no run folder, nothing on stdout.


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("train --datset houses", ["--datset", "--dataset"]),
        ("train --lrr 1", ["--lrr", "--lr"]),
        ("trian", ["trian", "train"]),
        ("train --lr -1", ["Learning rate", "--lr", "-1", "above 0"]),
        ("train --lr nan", ["--lr", "nan"]),
        ("train --lr inf", ["--lr", "inf"]),
        ("train --lr fast", ["--lr", "fast", "auto or a number"]),
        ("train --steps 0", ["--steps", "0", "at least 1"]),
        ("train --steps 1e30", ["--steps", "1e30", "at most"]),
        ("train --steps 1.5", ["--steps", "1.5", "whole number"]),
        ("train --steps", ["--steps"]),
        ("train --steps 3 --epochs 2", ["Epochs", "steps"]),
        ("train --val 1", ["--val", "1", "below 1"]),
        ("train --val -0.1", ["--val", "-0.1"]),
        ("train --val 0.99", ["0.99", "no train row"]),
        ("train --val 0.5 --test 0.5", ["no train row"]),
        ("train --normalize zscor", ["--normalize", "zscor", "none, max, minmax, zscore or robust"]),
        ("train --precision int8", ["--precision", "int8", "float64"]),
        ("train --batch-size 0", ["--batch-size", "0"]),
        ("train --batch-size half", ["--batch-size", "half", "full"]),
        ("train --degree 21", ["--degree", "21", "20"]),
        ("train --threads 0", ["--threads"]),
        ("train --seed -1", ["--seed", "-1"]),
        ("train --device tpu", ["--device", "tpu", "cuda"]),
        ("train --device cuda:99", ["cuda:99", "cpu"]),
        ("train --as size", ["--as", "COL=TYPE"]),
        ("train --as size=huge", ["--as", "huge", "numeric"]),
        ("train --target prise", ["prise", "size, age, price"]),
        ("train --features sise", ["sise", "size"]),
        ("train --drop size,age", ["size", "age"]),
        ("train hauses", ["hauses", "houses"]),
        ("train nowhere/sales.csv", ["nowhere/sales.csv"]),
        ("train houses --dataset scales", ["houses", "scales", "twice"]),
        ("train houses scales", ["scales"]),
        ("train --name ../out", ["'../out'", "folder"]),
        ("train --name .hidden", ["'.hidden'"]),
        ("train --name a/b", ["'a/b'"]),
        ("train --pace 0", ["--pace"]),
        ("train --model transformer", ["--model", "transformer", "mlp"]),
        ("train --recipe nowhere.toml", ["nowhere.toml"]),
        ("predict last --values 1,2", ["no runs", "runs"]),
        ("predict", ["RUN"]),
        ("export last --format csv", ["no runs"]),
        ("export last --format pdf", ["pdf", "csv"]),
        ("export last", ["--format"]),
        ("runs extra", ["extra"]),
    ],
)
def test_what_cannot_be_is_one_sentence_and_code_2(cli: Cli, tmp_path: Path, line: str, words: list[str]) -> None:
    answer = cli(line)
    assert answer.code == 2, answer
    told = one_sentence(answer.err)
    for word in words:
        assert word in told
    assert answer.out == ""
    assert not (tmp_path / "runs").exists()


FILES = {
    "empty.csv": (b"", "", ["empty.csv"]),
    "header.csv": (b"a,b,y\n", "", ["header.csv", "no rows"]),
    "one.csv": (b"a,b,y\n1,2,3\n", "", ["1 row"]),
    "text.csv": (
        "a,b,y\n" + "".join(f"{i},{i % 7},{i}\n" for i in range(40)) + "abc,3,4\n",
        "",
        ["text.csv", "42", "a", "abc"],
    ),
    "target.csv": ("a,b,y\n1,2,3\n4,5,6\n7,8,10\n", "--target z", ["z", "a, b, y"]),
    "constant.csv": ("a,y\n1,5\n2,5\n3,5\n4,5\n", "", ["5"]),
    "ragged.csv": ("a,y\n1,5\n2,5,9,9\n3,5\n4,7\n", "", ["ragged.csv", "3"]),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_cannot_be_learned_from(cli: Cli, tmp_path: Path, name: str) -> None:
    content, flags, words = FILES[name]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    answer = cli(f"train {name} {flags or '--target y'}")
    assert answer.code == 2, answer
    told = one_sentence(answer.err)
    for word in words:
        assert word in told
    assert answer.out == ""
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[optimizer]\nspeed = 1\n", ["speed", "field"]),
        ("[optimizer]\nlr = 0\n", ["--lr", "0", "above 0"]),
        ("[optimiser]\nlr = 1\n", ["optimiser"]),
        ("[optimizer\nlr = 1\n", ["TOML"]),
        ("[optimizer]\nlr = nan\n", ["--lr", "nan"]),
        ("[[events]]\nstep = 1\nfield = 'seed'\nvalue = 2\n", ["seed", "lr"]),
        ("[[events]]\nstep = -1\nfield = 'lr'\nvalue = 2\n", ["events"]),
        ("[[events]]\nstep = 1\nfield = 'lr'\nvalue = -2\n", ["-2", "above 0"]),
        ("\x00", ["TOML"]),
    ],
)
def test_a_recipe_that_cannot_be(cli: Cli, tmp_path: Path, toml: str, words: list[str]) -> None:
    (tmp_path / "my.toml").write_text(toml)
    answer = cli("train --recipe my.toml")
    assert answer.code == 2
    told = one_sentence(answer.err)
    for word in [*words, "my.toml"]:
        assert word in told
    assert not (tmp_path / "runs").exists()


# stdout is data.


def test_train_prints_the_run_folder_alone(cli: Cli) -> None:
    answer = cli("train --steps 5")
    assert answer.code == 0
    run = Path(answer.out.removesuffix("\n"))
    assert facts(run)["state"] == "ended"
    assert answer.err.strip() == facts(run)["ending"]
    assert facts(run)["command"] == "ravine train --steps 5"


@pytest.mark.parametrize("line", ["runs --json", "doctor --json", "train --json --steps 2", "runs --json --runs none"])
def test_json_is_one_object_on_one_line(cli: Cli, line: str) -> None:
    cli("train --steps 3 --val 0.3")
    assert cli(line).json


def test_a_diverged_run_as_json_has_no_nan(cli: Cli) -> None:
    answer = cli("train scales --normalize none --lr 1e12 --json")
    assert answer.code == 3
    assert answer.json["ended"] == "diverged"
    assert cli("runs --json").json["runs"][0]["ended"] == "diverged"
    assert "1 run, " in cli("runs").err


def test_predictions_of_a_file_are_csv(cli: Cli, tmp_path: Path) -> None:
    cli("train scales --name s --init ones --lr 0.5")
    x = np.array([[3.0, 2500], [2, 1000], [4, 3000]])
    write_csv(tmp_path / "new.csv", ["x1", "x2"], x)
    answer = cli("predict s --input new.csv")
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    weights = facts(tmp_path / "runs/s")["result"]
    wanted = x @ weights["weights_raw"] + weights["bias_raw"]
    assert [float(r["prediction"]) for r in rows] == pytest.approx(wanted, rel=1e-12)  # the same sum, folded or not
    assert cli("predict s --input new.csv --json").json["predictions"] == [float(r["prediction"]) for r in rows]
    (tmp_path / "gap.csv").write_text("x1,x2\n1,1000\n,\n3,2500\n")
    answer = cli("predict s --input gap.csv --json")
    assert len(answer.json["predictions"]) == 2
    assert "1 empty line of gap.csv was skipped." in answer.json["warnings"]


def test_a_file_may_hold_words_that_a_boolean_column_did_not_have(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text("x,ja,y\n" + "".join(f"{i},{i % 3 == 0},{i}\n" for i in range(30)))
    assert cli("train old.csv --target y --name b --steps 9").code == 0
    (tmp_path / "new.csv").write_text("x,ja\n1,True\n1,false\n1,TRUE\n1,perhaps\n")
    answer = cli("predict b --input new.csv")
    assert answer.code == 0
    yes, no, again, odd = answer.out.split()[1:]
    assert yes == again != no == odd
    assert "ja: perhaps (1 row) never occurs in the train rows" in answer.err


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("", ["--values", "--input"]),
        ("--values 3,2 --input x.csv", ["--values", "--input"]),
        ("--values 3", ["1", "2", "x1, x2"]),
        ("--values 3,2,1", ["3", "2", "x1, x2"]),
        ("--values 3,abc", ["x2", "abc"]),
        ("--values x1=3", ["x2"]),
        ("--values x1=3,x3=2", ["x3"]),
        ("--values 3,inf", ["x2"]),
        ("--input nowhere.csv", ["nowhere.csv"]),
        ("--input bad.csv", ["x2"]),
    ],
)
def test_predictions_that_cannot_be(cli: Cli, tmp_path: Path, flags: str, words: list[str]) -> None:
    cli("train scales --name s --steps 3")
    (tmp_path / "bad.csv").write_text("x1,y\n1,2\n3,4\n")
    answer = cli(f"predict s {flags}")
    assert answer.code == 2, answer
    told = one_sentence(answer.err)
    for word in words:
        assert word in told


def test_negative_values_are_values(cli: Cli) -> None:
    cli("train scales --name s --steps 50")
    apart, together = cli("predict s --values -3,-2500"), cli("predict s --values=-3,-2500")
    assert apart.code == 0
    assert apart.out == together.out
    assert "outside" in apart.err


def test_export_gives_every_step_with_every_digit(cli: Cli, tmp_path: Path) -> None:
    cli("train linear3 --steps 3000 --val 0.2 --eval-every 500 --name e")
    answer = cli("export e --format csv")
    header, *rows = csv.reader(io.StringIO(answer.out))
    assert header == ["Wall time", "Step", "Value"]
    assert [int(step) for _, step, _ in rows] == list(range(3000))
    assert np.array_equal([float(v) for _, _, v in rows], losses(tmp_path / "runs/e"))
    walls = [float(w) for w, _, _ in rows]
    told = facts(tmp_path / "runs/e")
    assert walls == sorted(walls)
    assert told["created"] - 1 <= walls[0] <= walls[-1] <= told["ended_at"] + 1
    assert cli("export e --format csv -o e.csv").code == 0
    assert (tmp_path / "e.csv").read_text() == answer.out
    _, *validation = csv.reader(io.StringIO(cli("export e --format csv --tag loss/validation").out))
    assert [int(step) for _, step, _ in validation] == list(range(0, 3001, 500))


def test_export_of_what_is_not_there(cli: Cli, tmp_path: Path) -> None:
    cli("train --steps 3 --name e")
    assert "loss/train" in one_sentence(cli("export e --format csv --tag speed").err)
    assert "nowhere" in one_sentence(cli("export e --format csv -o nowhere/x.csv").err)
    (tmp_path / "runs/e/loss.f64").unlink()
    answer = cli("export e --format csv -o kept.csv")
    assert answer.code == 2
    assert "loss.f64" in one_sentence(answer.err)
    assert not (tmp_path / "kept.csv").exists()


def test_runs_lists_the_newest_first(cli: Cli) -> None:
    assert cli("runs").out == ""
    for name in ("first", "second", "third"):
        cli(f"train --steps 3 --name {name}")
    _, *lines = cli("runs").out.splitlines()
    assert [line.split()[0] for line in lines] == ["third", "second", "first"]
    assert cli("predict last --values 10,3").out == cli("predict thi --values 10,3").out


def test_a_damaged_run_keeps_the_list_narrow_and_has_its_sentence_below(cli: Cli, tmp_path: Path) -> None:
    cli("train --steps 3 --name good")
    cli("train --steps 3 --name bad")
    (tmp_path / "runs/bad/run.json").write_text("{")
    answer = cli("runs")
    lines = answer.out.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["good", "done"], ["bad", "damaged"]]
    assert max(map(len, lines)) < 120
    assert "bad/run.json cannot be read" in answer.err


def test_a_run_is_repeated_from_its_folder(cli: Cli, tmp_path: Path) -> None:
    cli("train linear3 --batch-size 7 --steps 200 --init uniform --seed 4 --name one")
    again = cli("train --recipe runs/one")
    assert again.code == 0, again.err
    assert np.array_equal(losses(Path(again.out.strip())), losses(tmp_path / "runs/one"))
    other = cli("train --recipe runs/one/recipe.toml --seed 5 --name two")
    assert other.code == 0, other.err
    assert facts(tmp_path / "runs/two")["choices"]["seed"] == 5
    assert not np.array_equal(losses(tmp_path / "runs/two"), losses(tmp_path / "runs/one"))


def test_a_name_is_used_once(cli: Cli, tmp_path: Path) -> None:
    cli("train --steps 3 --name a")
    before = (tmp_path / "runs/a/run.json").read_text()
    answer = cli("train --steps 3 --name a")
    assert answer.code == 2
    assert "--name" in one_sentence(answer.err)
    assert (tmp_path / "runs/a/run.json").read_text() == before


@pytest.mark.parametrize(
    "line", ["--lr 1e-300 --steps 3", "--batch-size 1e12 --steps 3", "--steps 1", "--batch-size 1"]
)
def test_odd_but_allowed(cli: Cli, line: str) -> None:
    answer = cli(f"train {line} --json")
    assert answer.code == 0
    assert answer.json["ended"] == "limit"


def test_an_absurd_rate_diverges_and_says_so(cli: Cli) -> None:
    answer = cli("train --lr 1e9 --json")
    assert answer.code == 3
    assert answer.json["train_loss"] == pytest.approx(14631.285714285714, rel=1e-12)  # that of the kept parameters
    assert "--lr" in answer.err


def test_presets_for_the_app() -> None:
    assert preset(["linear3", "--lr", "0.5"]) == build({"dataset": "linear3", "lr": 0.5})
    assert preset([]) == build({})
    assert "--lrr" in message(lambda: preset(["--lrr", "0.5"]))


def test_flags_of_every_kind_reach_the_recipe() -> None:
    line = "--features a,b --drop c --as zip=categorical --as id=text --hidden 8,4 --batch-norm --no-tensorboard"
    found = preset(line.split())
    assert found.data.features == ("a", "b")
    assert found.data.types == {"zip": "categorical", "id": "text"}
    assert found.model.hidden == (8, 4)
    assert found.model.batch_norm
    assert not found.recording.tensorboard
    assert preset(["--features", 'a,"b,c"']).data.features == ("a", "b,c")
    assert preset(["--normalize-target"]).normalization.normalize_target
    assert not preset(["--no-normalize-target"]).normalization.normalize_target


# Streams that are not what one expects.


def shell(script: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    program = " ".join(f"'{word}'" for word in PROGRAM)
    return subprocess.run(
        ["bash", "-c", f'ravine() {{ {program} "$@"; }}; {script}'],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        stdin=subprocess.DEVNULL,
    )


def test_a_reader_that_has_seen_enough(cli: Cli, tmp_path: Path) -> None:
    cli("train linear3 --steps 50000 --name long")
    found = shell("ravine export long --format csv | head -1; echo ${PIPESTATUS[0]}", tmp_path)
    assert found.stdout == "Wall time,Step,Value\n0\n"
    assert found.stderr == ""


def test_a_full_disk_behind_stdout(cli: Cli, tmp_path: Path) -> None:
    cli("train --steps 10 --name r")
    for line in ("runs", "export r --format csv"):
        found = shell(f"ravine {line} > /dev/full", tmp_path)
        assert found.returncode == 1
        *_, last = found.stderr.splitlines()  # behind what was narrated
        assert last == "ravine: No space left on device."
        assert "Traceback" not in found.stderr


def test_closed_streams_are_never_taken_for_the_runs_files(tmp_path: Path) -> None:
    found = shell("ravine train --steps 10 --name r <&- >&- 2>&-", tmp_path)
    assert found.returncode == 0
    assert len(losses(tmp_path / "runs/r")) == 10
    assert facts(tmp_path / "runs/r")["state"] == "ended"
    assert shell("ravine runs 2>&-", tmp_path).stdout.count("\n") == 2
    assert shell("ravine runs >&-", tmp_path).returncode == 0
    quiet = shell("ravine train --steps 10 2>&-", tmp_path)
    assert quiet.stdout.count("\n") == 1


# What is not imported.


HEAVY = ("torch", "textual", "tui", "plotext", "tensorboard")


def imported(code: str, cwd: Path, *more: str) -> set[str]:
    """Which of the heavy modules, and of those named, some code brings."""
    told = f"import sys; {code}; print(*({set(HEAVY) | set(more)} & set(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-c", told],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE,
    )
    return set(found.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code", ["import engine.cli", "import engine.training.session", "import engine.analysis.survey, engine.doctor"]
)
def test_importing_the_engine_brings_neither_torch_nor_a_screen(tmp_path: Path, code: str) -> None:
    assert imported(code, tmp_path) == set()


def test_commands_that_need_no_torch_do_not_import_it(cli: Cli, tmp_path: Path) -> None:
    cli("train scales --name r --steps 5")
    lines = ["runs", "runs --json", "predict r --values 3,2500", "export r --format csv", "--help", "train --help"]
    assert imported(f"from engine.cli import main; [main(line.split()) for line in {lines}]", tmp_path) == set()


def test_training_brings_no_screen(tmp_path: Path) -> None:
    assert imported("from engine.cli import main; main(['train', '--steps', '3'])", tmp_path) <= {"torch"}


def test_the_program_itself_from_another_folder(tmp_path: Path) -> None:
    answer = ravine("train --steps 2 --json", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert ravine("runs", cwd=tmp_path).stdout.count("\n") == 2


# Plain lines, which are read without a parser library, and the library's reading of the same.

FIELDS = plain.recipe_flags()
WORDS = ("houses", "0.1", "1e3", "full", "auto", "nonsense", "64,64", "-5", "", "--", "a=b", "x y")


def either(read: Callable[[list[str]], object], words: list[str]) -> object:
    """What a way of reading gives: a recipe, or the sentence of its error."""
    try:
        return read(words)
    except InputError as error:
        return str(error)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(WORDS),
            st.sampled_from(sorted(FIELDS)),
            st.builds("{}={}".format, st.sampled_from(sorted(FIELDS)), st.sampled_from(WORDS)),
            st.builds("{}x".format, st.sampled_from(sorted(FIELDS))),
        ),
        max_size=6,
    ).filter(lambda words: "--recipe" not in " ".join(words))
)
def test_a_line_means_the_same_to_both_readers(words: list[str]) -> None:
    if plain.read(words, FIELDS) is not None:
        assert either(preset, words) == either(program.preset, words)


@pytest.mark.parametrize("choice", [choice for choice in choices() if choice.kind != "table"], ids=lambda c: c.name)
def test_every_flag_is_read_without_the_library(choice: Choice) -> None:
    value = {"switch": [], "whole": ["3"], "number": ["0.25"], "sizes": ["8,4"], "names": ["a,b"]}.get(choice.kind)
    words = [choice.flag, *(value if value is not None else [choice.words[-1] if choice.words else "linear"])]
    assert plain.read(words, FIELDS) is not None
    assert either(preset, words) == either(program.preset, words)
    if choice.off:
        assert either(preset, [choice.off]) == either(program.preset, [choice.off])


@pytest.mark.parametrize(
    "line", ["--help", "houses --lr", "--lr 1 --lr 2", "--lr -1", "--as a=text", "--no-lr", "a b", "--json=true", "--"]
)
def test_a_line_that_leaves_something_to_decide_is_not_plain(line: str) -> None:
    assert plain.read(line.split(), {**FIELDS, "--json": ("json", True)}) is None


def test_short_commands_need_no_parser_library(cli: Cli, tmp_path: Path) -> None:
    cli("train scales --name r --steps 5")
    lines = ["runs", "runs --json", "predict r --values 3,2500", "train --steps 3 --lr=0.1 --json", "--version"]
    code = f"from engine.cli import main; [main(line.split()) for line in {lines}]"
    assert imported(code, tmp_path, "cyclopts", "psutil", "numpy.ma", "numpy.random") == set()


@pytest.mark.parametrize("line", ["houses --help", "--lr 0.1 -h"])
def test_help_after_the_flags_of_the_app(tmp_path: Path, line: str) -> None:
    answer = ravine(line, cwd=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "--normalize" in answer.stdout


def test_a_persons_own_code_is_taken_down_in_good_order(tmp_path: Path) -> None:
    code = (
        "log = open('log', 'w')\ndef load():\n    log.write('called')\n    return {'a': [1., 2, 3], 'b': [2., 4, 7]}\n"
    )
    (tmp_path / "mine.py").write_text(code)
    answer = ravine("train mine:load --target b --val 0 --steps 2 --json", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert (tmp_path / "log").read_text() == "called"


def test_the_last_word_is_heard_on_a_full_device(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        command = [*PROGRAM, "train", "--steps", "2", "--json"]
        ended = subprocess.run(command, cwd=tmp_path, env=environment(), stdout=full, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 1
    assert "No space left on device" in ended.stderr


# Known troubles.


def test_a_diverging_run_says_one_sentence_only(tmp_path: Path) -> None:
    answer = ravine("train scales --normalize none --init ones --lr 0.5", cwd=tmp_path)
    assert answer.returncode == 3
    assert "Warning" not in answer.stderr
    assert answer.stderr.startswith("Diverged")


def test_features_beyond_computing_bring_no_warning_of_numpys(tmp_path: Path) -> None:
    x = np.linspace(0.1, 1, 20)[:, None] * 1e200
    write_csv(tmp_path / "huge.csv", ["a", "y"], np.column_stack([x, np.arange(20.0)]))
    answer = ravine("train huge.csv --target y --normalize none", cwd=tmp_path)
    assert answer.returncode == 3
    assert "Warning" not in answer.stderr


def test_a_target_beyond_computing_is_one_sentence(cli: Cli, tmp_path: Path) -> None:
    x = np.linspace(0.1, 1, 20)[:, None]
    write_csv(tmp_path / "huge.csv", ["a", "y"], np.column_stack([x, np.cos(9 * x) * 1e200]))
    answer = cli("train huge.csv --target y")
    assert answer.code in (2, 3)
    assert "Overflow" not in answer.err


def test_the_advice_for_adam_works(cli: Cli) -> None:
    answer = cli("train linear3 --optimizer adam --lr 1e12")
    assert answer.code == 3
    rate = answer.err.strip().removesuffix(".").rpartition("--lr ")[2]
    assert cli(f"train linear3 --optimizer adam --lr {rate}").code == 0
