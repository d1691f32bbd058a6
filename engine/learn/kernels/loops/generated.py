"""The module that is made of the records, and how modules of a version are loaded beside those of another."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from engine.base.files import write_bytes
from engine.learn.kernels.loops.jit import folder
from engine.learn.kernels.loops.source import text, version


def module() -> ModuleType:
    """The module for the records that there are now; see `source` for what it holds."""
    name = f"generated_{version()}"
    return loaded(f"{__package__}.{name}", _written(folder() / f"{name}.py"))


def _written(path: Path) -> Path:
    """The path, with the text under it. A file that is there already is left alone: numba looks at its time."""
    content = text().encode()
    if not path.exists() or path.read_bytes() != content:
        write_bytes(path, content)
    return path


def loaded(name: str, path: Path) -> ModuleType:
    """The module of a file under a name, loaded once; under it numba finds the module again."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
