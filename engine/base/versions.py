"""Versions of installed packages, read from the names of the folders that describe them.

`importlib.metadata` reads the files inside and brings the e-mail parser along, which takes longer than a short run.
"""

from __future__ import annotations

import os
import re
import sys
from functools import cache


def version(package: str) -> str | None:
    """The version of a package as `pip list` has it; None where it is not installed. Imports none of it."""
    name = re.sub(r"[-_.]+", "_", package).lower()
    found = _described().get(name)
    return found if found is not None else _asked(package)


@cache
def _described() -> dict[str, str]:
    """Versions by name: a wheel leaves a folder NAME-VERSION.dist-info, NAME with underscores (PEP 427, PEP 503)."""
    found: dict[str, str] = {}
    for folder in sys.path:
        try:
            entries = os.listdir(folder or ".")
        except OSError:
            continue  # an archive, or a place that is not there
        for entry in entries:
            name, dash, rest = entry.partition("-")
            if dash and rest.endswith(".dist-info"):
                found.setdefault(re.sub(r"[-_.]+", "_", name).lower(), rest.removesuffix(".dist-info"))
    return found


def _asked(package: str) -> str | None:
    """For what was not installed from a wheel."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as ask

    try:
        return ask(package)
    except PackageNotFoundError:
        return None
