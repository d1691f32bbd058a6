"""The first paint needs nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import tui

HEAVY = (
    "torch",
    "sklearn",
    "numba",
    "tensorboard",
    "polars",
    "cyclopts",
    "numpy",
    "pydantic",
    "plotext",
    "engine.data",
)

SCRIPT = f"""
import asyncio, sys
from tui.app.app import RavineApp

class Opened(RavineApp):
    def _load(self):
        self.exit([name for name in {HEAVY!r} if name in sys.modules])

async def main():
    app = Opened()
    async with app.run_test(size=(160, 45)) as pilot:
        await pilot.pause()
        while app.return_value is None:
            await pilot.pause(0.01)
        print(app.return_value)

asyncio.run(main())
"""


def test_the_first_paint_imports_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "paint.py").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "ravine.tcss").write_text((Path(tui.__path__[0]) / "ravine.tcss").read_text(), encoding="utf-8")
    answer = subprocess.run([sys.executable, str(tmp_path / "paint.py")], capture_output=True, text=True, check=False)
    assert answer.stdout.strip() == "[]", answer.stdout + answer.stderr
