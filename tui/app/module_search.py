"""Where this program looks for modules: not in the folder that one stands in, whose files may be called like others.

It imports nothing but what Python has loaded anyway, since until it has done its work that folder may come first.
"""

from __future__ import annotations

import os
import sys

# Said here, since the catalogues are built on the engine, which may not be there.
SHADOWED = (
    "ravine: Python has run {files} of this folder in the place of its own modules; rename the file, or take the "
    "folder (also an empty part) out of PYTHONPATH."
)
NO_ENGINE = "ravine: its own package engine is not in {folder!a}; install ravine again."
HIDDEN_ENGINE = "ravine: {file!a} hides its own package engine; rename it, or take its folder out of PYTHONPATH."

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def leave_folder() -> str:
    """Take the current folder off the search path where Python has put it there by itself.

    It does so for `python -m` and for an empty or relative part of PYTHONPATH. Where PYTHONPATH names the folder by its
    whole path, somebody wants it there.

    Returns:
        One sentence where Python has already run files of that folder as its own; else nothing.
    """
    try:
        here = os.getcwd()
    except OSError:  # it was deleted, and nothing is found in it
        return ""
    kept = [folder for folder in sys.path if folder not in ("", here)]
    if len(kept) == len(sys.path) or here in os.environ.get("PYTHONPATH", "").split(os.pathsep):
        return ""
    sys.path[:] = kept
    if here == ROOT:
        sys.path.append(ROOT)  # not installed: what is installed comes before
        return ""
    run = sorted(name for name, module in list(sys.modules.items()) if name != "__main__" and _of(module, here))
    if not run:
        return ""
    return SHADOWED.format(files=", ".join(f"{name}.py" for name in run))


def _of(module: object, folder: str) -> bool:
    """Whether a module is a file of a folder."""
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and os.path.dirname(os.path.abspath(file)) == folder


def shadowed() -> str:
    """One sentence where another package `engine` would be imported than ours; nothing where not."""
    from importlib.util import find_spec

    found = find_spec("engine")
    origin = (found.origin if found is not None else None) or ""
    if os.path.realpath(origin) == os.path.realpath(os.path.join(ROOT, "engine", "__init__.py")):
        return ""
    if not origin:
        return NO_ENGINE.format(folder=ROOT)
    return HIDDEN_ENGINE.format(file=origin)
