"""The script screen, by keyboard only."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

from engine.learn.decide import decide
from engine.runs import code
from tui.screens.code import colour


@pytest.mark.parametrize("size", [(160, 45), (80, 24)])
async def test_o_shows_the_script_of_the_choices_in_both_styles(drive: Any, size: tuple[int, int]) -> None:
    async with drive(size=size, values={"lr": 0.1, "steps": "50"}) as driver:
        await driver.press("o")
        await driver.see("import torch", "inputs = torch.tensor(", pane="script")
        survey = driver.app.workspace.survey
        plan, _ = decide(survey.recipe, survey.prepared, lambda _words: None, lambda: False)
        script = code.script(survey.recipe, plan, survey.prepared, style="plain", data=None)
        seen = driver.text("script")
        for _ in range(10):
            await driver.press("pagedown")
            seen += driver.text("script")
        assert all(line.strip()[: size[0] - 10] in seen for line in script.splitlines())
        await driver.press("c")
        assert driver.app.clipboard == script
        await driver.press("v", "home")
        await driver.see("from torch import nn", pane="script")
        await driver.press("right")
        assert ("←" in driver.text("script")) == (size[0] == 80), "sideways only where a line is longer than the pane"
        await driver.press("t", "c")
        await driver.until(lambda: driver.app.clipboard == "ravine train --lr 0.1 --steps 50")


async def test_what_formulas_do_not_cover_is_said_and_v_helps(drive: Any) -> None:
    async with drive(values={"optimizer": "lbfgs"}) as driver:
        await driver.press("o")
        await driver.see("L-BFGS is too long to be written out; v shows it", pane="script")
        await driver.press("v")
        await driver.see("LBFGS", pane="script")


async def test_the_rows_of_a_large_table_are_written_when_the_script_is_copied(drive: Any) -> None:
    async with drive(values={"dataset": "iris"}) as driver:
        await driver.press("o")
        await driver.see("np.load(", pane="script")
        table = driver.app.screen._table
        assert (
            str(table) in driver.app.screen.to_copy().replace("\\\\", "\\")
            or table.name in driver.app.screen.script.text
        )
        await driver.press("c")
        await driver.until(table.exists, "the table")
        with np.load(table) as arrays:
            assert len(arrays["inputs"]) == 120


def test_colours_lose_no_character() -> None:
    text = 'import torch  # all\n\ndef f(x):\n    """Doc."""\n    return x @ 2.5e-1 if x else "…"\n'
    assert ["".join(piece for piece, _ in line) for line in colour(text)] == text.splitlines()


@pytest.mark.parametrize("rows", [10, 60])
async def test_names_in_a_script_of_the_app_are_no_code(rows: int, drive: Any, tmp_path: Path) -> None:
    odd = 'b"""\nopen("PWNED","w")\n#'
    file = tmp_path / (odd.replace("/", "") + ".parquet")
    random = np.random.default_rng(0)
    polars.DataFrame({odd: random.standard_normal(rows), "y\\": random.standard_normal(rows)}).write_parquet(file)
    async with drive(values={"dataset": str(file), "target": "y\\", "steps": "5", "val": "0"}) as driver:
        await driver.press("o")
        for style in ("torch.tensor", "nn.Linear"):
            await driver.until(lambda style=style: style in driver.app.screen.to_copy() or rows > 20, "the script")
            text = driver.app.screen.to_copy()
            assert not [node for node in ast.walk(ast.parse(text)) if ast.unparse(node).startswith("open(")]
            assert "\n#" not in ast.get_docstring(ast.parse(text))
            await driver.press("v")
            await driver.until(lambda text=text: driver.app.screen.to_copy() not in ("", text), "the other style")
        if rows > 20:
            table = driver.app.screen._table
            assert table.parent == tmp_path / "state/ravine/tables"
            await driver.press("c")
            await driver.until(table.exists, "the table")
        text = driver.app.screen.to_copy()
    names = runpy.run_path(str(write(tmp_path / "script.py", text)))
    assert len(names["losses"]) == 5
    assert not (tmp_path / "PWNED").exists()


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
