"""What a line does not need is not imported for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import environment

HEAVY = ("torch", "numpy", "sklearn", "numba", "polars", "pydantic", "textual", "engine.recipe")

SCRIPT = f"""
import sys
from tui.main import main
code = main(sys.argv[1:])
print(code, [name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""


@pytest.mark.parametrize("words", [["--help"], ["runs"], ["runs", "--help"], ["export", "--help"], ["--version"]])
def test_lines_that_train_nothing_import_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words], capture_output=True, text=True, check=False, cwd=tmp_path,
        env=environment(),
    )  # fmt: skip
    assert answer.stderr.splitlines()[-1] == "0 []", answer.stderr
