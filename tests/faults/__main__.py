"""`python -m tests.faults fuzz`: damaged files of every kind against everything that reads them."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path


def main(words: Sequence[str]) -> int:
    """Fuzz; 0, or 1 where something failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("what", choices=["fuzz"])
    parser.add_argument("--seed", type=int, default=0, help="another seed makes other files")
    parser.add_argument("--files", type=int, default=10_000, help="how many files to make worse")
    parser.add_argument("--seconds", type=float, help="end after so long")
    parser.add_argument("--only", type=int, help="the number of the only case to try")
    parser.add_argument("--folder", type=Path, help="where to work, and to keep what failed")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args(words)
    from tests.faults.fuzzing.drive import fuzz, tell

    folder = asked.folder or Path(tempfile.mkdtemp(prefix="ravine-fuzz-"))
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    report = fuzz(
        folder, seed=asked.seed, files=asked.files, seconds=asked.seconds, only=asked.only, count=asked.workers
    )
    sys.stdout.write(tell(report, asked.seed, folder) + "\n")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
