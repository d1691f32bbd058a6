"""Command lines to be pasted: a shell reads the words back, and a terminal that they are pasted into obeys nothing."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.base.printable import printable
from engine.base.shell import joined, quoted
from engine.recipe import build
from engine.runs.origin import Origin
from tests.conftest import ROOT, message
from tui.model.command_line import command_line

ODD = (
    "\x03\ntouch PWNED\n",
    "'",
    "\\",
    "$(id)",
    "`id`",
    "a b",
    "",
    "~",
    "*",
    "!x",
    "\x1b[201~",
    "\udcff",
    "é",
    "\u202e",
    "-x",
)
WORD = st.lists(st.one_of(st.sampled_from(ODD), st.text(max_size=4)), max_size=4).map("".join)


@given(st.lists(WORD, max_size=6))
@example(list(ODD))
@settings(max_examples=40, deadline=None)
def test_a_shell_reads_the_words_back(words: list[str]) -> None:
    words = [word.replace("\0", "") for word in words]  # no word of a command line can hold it
    line = joined(words)
    assert printable(line) == line
    script = os.fsencode(f"printf '%s\\0' {line}") if words else b""
    found = subprocess.run(["bash", "-c", script], capture_output=True, check=True, cwd=ROOT / "tests")
    assert found.stdout.split(b"\0")[:-1] == [os.fsencode(word) for word in words]


def test_plain_words_stay_as_they_are() -> None:
    assert joined(["ravine", "train", "--lr", "0.1", "two words"]) == "ravine train --lr 0.1 'two words'"


def test_the_line_that_does_what_the_panels_say() -> None:
    recipe = build({"dataset": "it's\x03\nhere.csv", "target": "y\u202e", "drop": ("a b",)})
    line = command_line(recipe)
    assert printable(line) == line
    script = f"printf '%s\\0' {line}"
    words = subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout.decode().split("\0")
    assert words[words.index("--dataset") + 1] == recipe.data.dataset
    assert words[words.index("--target") + 1] == "y\u202e"


def test_a_sentence_names_a_run_so_that_its_line_can_be_pasted(tmp_path: Path) -> None:
    run = tmp_path / "my run; touch PWNED"
    run.mkdir()
    assert f"--recipe {quoted(run)}`" in message(lambda: Origin.read(run))


def test_the_line_of_a_run_is_kept_so_that_it_can_be_pasted(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "my table\n.csv").write_text("x,y\n" + "".join(f"{i},{i}\n" for i in range(12)))
    answer = cli("train --steps 2 --no-tensorboard --name one --target y --dataset", "my table\n.csv")
    assert answer.code == 0, answer.err
    assert "--dataset $'my table\\012.csv'" in (tmp_path / "runs/one/run.json").read_text().replace("\\\\", "\\")


@pytest.mark.parametrize("package", ["engine", "tui"])
def test_every_line_in_a_sentence_is_quoted(package: str) -> None:
    """Whatever a sentence puts behind `ravine COMMAND` is a field called so, given by `quoted`, or is a number."""
    line = re.compile(r"ravine (?:train|resume|export|predict|runs|watch|attach)\b[^`\"]*?\{(?!quoted\()[^}]*\}")
    for path in (ROOT / package).rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for found in line.findall(re.sub(r"\{quoted(\([^}]*)?\}", "", text)):
            assert re.search(r"\{2 \* planned\}$", found), f"{path}: {found}"
        for call in re.findall(r"\bquoted=(\w+\(?)", text):
            assert call == "quoted(", f"{path}: quoted={call}"
