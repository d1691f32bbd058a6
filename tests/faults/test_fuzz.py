"""Damaged files of every kind against everything that reads them; `python -m tests.faults fuzz` is the long form."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT, environment


def test_no_damaged_file_ends_in_a_traceback_a_hang_or_all_memory(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "tests.faults", "fuzz", "--files", "300", "--seed", "1", "--folder", str(tmp_path)]
    done = subprocess.run(line, env=environment(), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "300 files" in done.stdout
