"""What a run's folder may be called."""

from __future__ import annotations

import re

LONGEST, BYTES = 120, 200  # characters, and bytes in UTF-8: a file system takes 255, and temporary files are longer
TAKEN = ("last", "all")  # which the command line understands as the newest run, and as every run


def problem(name: str) -> str:
    """Why a run cannot be called so, a clause after "cannot be used: "; "" where it can."""
    if name.lower() in TAKEN:
        return f"{name} stands for other runs on the command line; choose another name"
    if len(name) > LONGEST or len(name.encode("utf-8", "replace")) > BYTES:
        return f"it is too long; use at most {LONGEST} letters (fewer of those that take several bytes)"
    if not re.fullmatch(r"\w[\w .+=-]*", name):
        return "it names a folder: use letters, digits, spaces and . + = _ - and begin with a letter, a digit or _"
    if name != name.rstrip():
        return "it ends with a space; leave that out"
    return ""
