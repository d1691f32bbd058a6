"""Each flag is said once, and both readers of the command line take it from there."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from engine.commands import flags, plain
from engine.commands.flags import Flag
from tests.conftest import ROOT


@pytest.mark.parametrize("flag", flags.ALL, ids=lambda flag: flag.typed)
def test_a_flag_stands_in_one_file(flag: Flag) -> None:
    found = set()
    for path in [*(ROOT / "engine").rglob("*.py"), *(ROOT / "tui").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and node.value == flag.typed:
                found.add(path.relative_to(ROOT).as_posix())
    assert found - {"engine/data/rows.py"} <= {"engine/commands/flags.py"}  # there the name of a table of one row


@pytest.mark.parametrize("flag", flags.ALL, ids=lambda flag: flag.typed)
def test_a_flag_is_in_the_help_of_the_commands_that_take_it(flag: Flag, cli: Any) -> None:
    takes = [command for command in ("train", "predict", "runs") if flag.typed in cli(f"{command} --help").out]
    assert takes
    told = " ".join(cli(f"{takes[0]} --help").out.replace("│", " ").split())
    assert flag.help() in told


def test_the_plain_reader_takes_them_as_they_are() -> None:
    words = ["run", "--values", "1,2", "--runs=here", "--json", "--trust"]
    taken = flags.plain(flags.VALUES, flags.RUNS, flags.JSON, flags.TRUST)
    wanted = {plain.WORD: "run", "values": "1,2", "runs": "here", "json": True, "trust": True}
    assert plain.read(words, taken) == wanted
    assert plain.read([*words, "--input", "x"], taken) is None
