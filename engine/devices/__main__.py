"""The child process: `python -m engine.devices [NAME …]` tries every device but the named ones.

A line of JSON is written before a device is tried and after, so that whoever reads knows which one it was that hung or
ended the process.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import Any

from engine.devices import trial


def tell(line: dict[str, Any]) -> None:
    """Write one line, whatever a library has left on the line before."""
    sys.stdout.write("\n" + json.dumps(line) + "\n")
    sys.stdout.flush()


def main(skip: list[str]) -> None:
    """Try what is not skipped."""
    survey = trial.survey()
    tell({"absent": survey.absent, "build": asdict(survey.build)})
    for device in survey.broken:
        tell({"found": asdict(device)})
    for name in survey.names:
        if name not in skip:
            tell({"trying": name})
            tell({"found": asdict(trial.attempt(name, survey.build))})
    tell({"done": True})


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(10)  # a run that is started meanwhile comes first
    main(sys.argv[1:])
