"""Child processes in Python: what lies in the current folder takes the place of no module of ours or installed one.

Python looks for modules in the current folder first where it runs a module (`-m`) or text (`-c`), and wherever
PYTHONPATH has an empty or relative part. A child is therefore this very file, run by its path with `-P`: it finds our
packages beside itself, also where they are not installed, and everything else where the others have been installed.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OURS = frozenset({"engine", "tui"})


def command(module: str, *words: str) -> list[str]:
    """The command line that runs a module as a child, to be started with `environment`."""
    return [sys.executable, "-P", os.path.abspath(__file__), module, *words]


def environment(**more: str) -> dict[str, str]:
    """The environment of a child, and of its children: this process's, with `more`, without the current folder.

    An empty or relative part of PYTHONPATH is another folder wherever one stands, and is left out; one that is named by
    its whole path stays.
    """
    found = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    parts = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if os.path.isabs(part)]
    if parts:
        found["PYTHONPATH"] = os.pathsep.join(parts)
    return {**found, "PYTHONSAFEPATH": "1", **more}


class _Ours:
    """Finds our packages beside this file, whatever else is called so."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> object:
        """What Python asks for a module by its whole name."""
        return PathFinder.find_spec(name, [ROOT]) if name in OURS else None


def _run(module: str) -> None:
    """The child."""
    sys.meta_path.insert(0, _Ours)  # type: ignore[arg-type]
    import runpy

    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    del sys.argv[0]
    _run(sys.argv[0])
