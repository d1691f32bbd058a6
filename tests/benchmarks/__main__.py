"""Run benchmarks: `python -m tests.benchmarks [name ...] [--json]`; without names all of them.

Each is a module of this package with `run(json: bool) -> dict` that gives figures by name, and without `json` may print
them in its own words; where it prints nothing, they are printed as a table. A module is imported when its turn comes.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any


def names() -> list[str]:
    """Every benchmark there is."""
    return sorted(m.name for m in iter_modules([str(Path(__file__).parent)]) if not m.name.startswith("_"))


def lines(figures: Mapping[str, Any], inside: str = "") -> list[tuple[str, str]]:
    """Figures as (name, value) for reading; tables within tables get names with dots."""
    found = []
    for name, value in figures.items():
        if isinstance(value, Mapping):
            found += lines(value, f"{inside}{name}.")
        else:
            found.append((inside + name, f"{value:,.4g}" if isinstance(value, float) else str(value)))
    return found


def main(words: Sequence[str]) -> int:
    """Run the benchmarks that are asked for; 0, or 1 when one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"one of {', '.join(names())}; all of them without any")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args(words)
    unknown = set(asked.name) - set(names())
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(names())}")
    results: dict[str, Any] = {}
    for name in asked.name or names():
        if not asked.json:
            print(f"{name} …", flush=True)
        with redirect_stdout(io.StringIO()) as own:
            results[name] = import_module(f"tests.benchmarks.{name}").run(asked.json)
        if asked.json:
            continue
        if own.getvalue():
            print(own.getvalue(), end="")
            continue
        table = lines(results[name])
        width = max((len(label) for label, _ in table), default=0)
        for label, value in table:
            print(f"  {label:{width}}  {value}")
    if asked.json:
        print(json.dumps(results))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
