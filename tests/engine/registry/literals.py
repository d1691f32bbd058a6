"""In which files of engine/ and tui/ the name of a member stands as a literal."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from engine.registry import activations, datasets, families, losses, modes, rules
from engine.runs import formats
from tests.conftest import ROOT
from tui.registry import views


@dataclass(frozen=True)
class Kind:
    """One kind of members.

    Attributes:
        name: of the kind.
        file: the one in which each name stands, as a path from the repository's root.
        names: the members of `file`, asked for when the test runs.
        meanings: files in which a name is the word for something else, and what that is, by name: {"none": {path: "no
            schedule at all"}}.
    """

    name: str
    file: str
    names: Callable[[], tuple[str, ...]]
    meanings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


DATASETS = {
    "linear": {"engine/registry/families.py": "a model"},
    "digits": {"engine/data/reading.py": "a group of a pattern"},
}
FAMILIES = {
    "linear": {"engine/registry/datasets.py": "a table"},
    families.OWN: {"engine/runs/schema.py": "a field of a model file"},
}
SCREEN = "the screen of the script"
FORMATS = {
    "code": {
        "tui/app/app.py": SCREEN,
        "tui/keys/situation.py": SCREEN,
        "tui/keys/table.py": SCREEN,
        "tui/screens/code.py": SCREEN,
    },
    "predictor": {"tui/model/saved_run.py": "what is read of a kept run"},
    "safetensors": {"engine/doctor/machine.py": "the library"},
}
MODES = {
    "max": {
        "engine/recipe/needs.py": "the pace",
        "engine/recipe/sections.py": "the pace",
        "engine/training/pacing.py": "the pace",
        "tui/model/run_actions.py": "the pace",
        "engine/learn/elementary.py": "a function of the expression calculator",
        "engine/devices/host.py": "a file of the kernel's memory limits",
        "tui/screens/data/columns.py": "a column of the table of columns",
    },
}
SETTINGS = (
    "engine/learn/kernels/autograd.py",
    "engine/learn/kernels/compiled.py",
    "engine/learn/kernels/fitting.py",
    "engine/learn/kernels/loops/source/rules.py",
    "engine/learn/kernels/spectral.py",
    "engine/learn/plan.py",
    "engine/recipe/needs.py",
    "engine/recipe/sections.py",
    "engine/runs/code/job.py",
    "engine/runs/code/loop.py",
    "engine/runs/code/updates.py",
)
RULES = {"momentum": dict.fromkeys(SETTINGS, "the field of the recipe")}
PANE, TABLE, SCRIPT = "the pane of views", "the table of weights", "a variable of a script"
VIEWS = {
    "fit": {
        "engine/data/encode.py": "the function that is exported",
        "tui/screens/train/layout.py": PANE,
        "tui/screens/train/screen.py": PANE,
    },
    "rate": {
        "engine/runs/code/updates.py": SCRIPT,
        "tui/keys/table.py": "the word of a key",
        "tui/screens/train/hyperparameters_panel.py": "the learning rate, short",
    },
    "gradient": {
        "tui/charts/weights_table.py": "the head of a column",
        "tui/screens/evaluate/panes.py": "the head of a column",
        "tui/screens/scratchpad.py": "the head of a column",
    },
    "weights": {
        "engine/learn/shapes.py": "the name of a tensor",
        "engine/runs/code/loop.py": SCRIPT,
        "engine/runs/code/model.py": SCRIPT,
        "engine/runs/code/updates.py": SCRIPT,
        "engine/runs/recorder.py": "the tag of histograms",
        "engine/runs/schema.py": "a field of run.json",
        "tui/charts/weights_table.py": TABLE,
        "tui/keys/situation.py": TABLE,
        "tui/screens/train/layout.py": TABLE,
        "tui/screens/train/screen.py": TABLE,
    },
    "bars": {"engine/data/sentences.py": "separators"},
}


def _modes() -> tuple[str, ...]:
    """All but "none", which many choices say where there is nothing; `test_modes` looks for who asks a mode."""
    return tuple(name for name in modes.REGISTRY.names if name != modes.NONE.name)


KINDS = (
    Kind("activation", "engine/registry/activations.py", lambda: activations.REGISTRY.names),
    Kind("loss", "engine/registry/losses.py", lambda: losses.REGISTRY.names),
    Kind("dataset", "engine/registry/datasets.py", lambda: datasets.REGISTRY.names, DATASETS),
    Kind("model", "engine/registry/families.py", lambda: (*families.REGISTRY.names, families.OWN), FAMILIES),
    Kind("update rule", "engine/registry/rules.py", lambda: rules.REGISTRY.names, RULES),
    Kind("normalization mode", "engine/registry/modes.py", _modes, MODES),
    Kind("export format", "engine/runs/formats.py", lambda: formats.REGISTRY.names, FORMATS),
    Kind("view", "tui/registry/views.py", lambda: views.REGISTRY.names, VIEWS),
)


@cache
def _files() -> Mapping[str, frozenset[str]]:
    """The files in which each text stands as a literal of its own; a part of an f-string counts as one."""
    found: dict[str, set[str]] = {}
    for path in [*(ROOT / "engine").rglob("*.py"), *(ROOT / "tui").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.setdefault(node.value, set()).add(path.relative_to(ROOT).as_posix())
    return {text: frozenset(files) for text, files in found.items()}


def elsewhere(kind: Kind) -> dict[str, list[str]]:
    """The files beside `kind.file`, and beside those of another meaning, in which names of its members stand."""
    others = {
        name: _files().get(name, frozenset()) - {kind.file, *kind.meanings.get(name, {})} for name in kind.names()
    }
    return {name: sorted(files) for name, files in others.items() if files}


def missing(kind: Kind) -> list[str]:
    """Names that do not stand in `kind.file`, and exceptions of `kind.meanings` that are needed no more."""
    names = [name for name in kind.names() if kind.file not in _files().get(name, frozenset())]
    return names + [
        f"{name} in {path}"
        for name, paths in kind.meanings.items()
        for path in paths
        if name not in kind.names() or path not in _files().get(name, frozenset())
    ]
