"""What a run's folder may be called."""

from __future__ import annotations

import re

from engine.recipe import sentences

LONGEST, BYTES = 120, 200  # characters, and bytes in UTF-8: a file system takes 255, and temporary files are longer
TAKEN = ("last", "all")  # which the command line understands as the newest run, and as every run


def problem(name: str) -> str:
    """Why a run cannot be called so, a clause after "cannot be used: "; "" where it can."""
    if name.lower() in TAKEN:
        return sentences.NAME_OF_OTHERS(name=name)
    if len(name) > LONGEST or len(name.encode("utf-8", "replace")) > BYTES:
        return sentences.NAME_TOO_LONG(most=LONGEST)
    if not re.fullmatch(r"\w[\w .+=-]*", name):
        return sentences.NAME_OF_FOLDER()
    if name != name.rstrip():
        return sentences.NAME_ENDS_WITH_SPACE()
    return ""
