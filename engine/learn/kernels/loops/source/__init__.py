"""The source text of the module that is made of the records, and the version of all that is compiled.

A compiled function for each record, put together as closures, could not be kept on disk, and a call through a pointer
would cost more than what most of them do. So the text of one module is written in which the records' statements stand
in branches; it lies beside the compiled code, in a folder named by the version. A record that is edited, or registered
while the program runs, makes another text, another folder, and so other code.

Nothing here imports numba.

activations   `activate` and `deactivate`
losses        `output_gradients` and `class_gradients`
rules         `update`
typed         statements of records in the precision of the run
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import engine.registry
from engine.learn.kernels.loops.source import activations, losses, rules

HEAD = '"""Made by ravine of its records; see engine/learn/kernels/loops/source."""\n'
FOLDERS = (Path(__file__).parents[1], Path(engine.registry.__file__).parent)  # the loops, and the records


def text() -> str:
    """The source text of the module, for the records that there are now."""
    return "\n\n".join([HEAD + _IMPORTS, activations.text(), losses.text(), rules.text()])


_IMPORTS = """
from math import exp, log, sqrt, tanh

from numpy import sign

from engine.learn.kernels.loops.exponential import decay, log_one_plus, times
from engine.learn.kernels.loops.jit import part
"""


def version() -> str:
    """A hash of the loops, of the registries, and of the records' statements, also of those registered since."""
    return hashlib.sha256(_of_files() + text().encode()).hexdigest()[:16]


@cache
def _of_files() -> bytes:
    """A hash of the files as they were when they were first asked for: what has been imported is what they held."""
    found = hashlib.sha256()
    for folder in FOLDERS:
        for path in sorted(folder.rglob("*.py")):
            found.update(path.read_bytes())
    return found.digest()
