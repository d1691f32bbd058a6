"""The person's folder as a place to import from: for the module that is asked for, and for what lies there itself.

Source is compiled from the very bytes that were hashed and let in.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
    SourcelessFileLoader,
)
from types import CodeType, FrameType
from typing import ClassVar

from engine.base.errors import Untrusted
from engine.base.files import open_regular
from engine.modules import sentences, trust
from engine.modules.content import Module, known, lasting, of_spec
from engine.modules.others import overruled

MACHINERY = frozenset({"importlib", "_frozen_importlib", "_frozen_importlib_external"})


@dataclass
class Served:
    """A module of the person's folder that was imported."""

    module: Module
    folder: str  # where its top-level module lies
    fresh: bool  # a person asked for it in this process, so what it imports from there is asked for too
    by: str  # the module that imported it first; "" for one that was asked for


served: dict[str, Served] = {}
_wanted = threading.local()  # .name, .folder, .fresh: what is asked for, while it is imported


@contextmanager
def asking(place: str, *, fresh: bool) -> Iterator[None]:
    """A module of this name is asked for inside, to be looked for where one stands."""
    import hashlib  # noqa: F401 - Python's own is there before a name of the folder can be found

    _install()
    before = dict(vars(_wanted))  # of a module that asks for another one while it is imported
    _wanted.name, _wanted.folder, _wanted.fresh = place.partition(".")[0], os.getcwd(), fresh
    try:
        yield
    finally:
        vars(_wanted).clear()
        vars(_wanted).update(before)


def local(name: str, entries: Sequence[str]) -> ModuleSpec | None:
    """A module of one of these folders, with our own loader where it is source."""
    kinds = (
        (ExtensionFileLoader, EXTENSION_SUFFIXES),
        (Source, SOURCE_SUFFIXES),
        (SourcelessFileLoader, BYTECODE_SUFFIXES),
    )
    spaces: list[str] = []
    for entry in entries:
        spec = FileFinder(entry, *kinds).find_spec(name)
        if spec is not None and spec.loader is not None:
            return spec
        if spec is not None:
            spaces += spec.submodule_search_locations or ()
    if not spaces:
        return None
    space = ModuleSpec(name, None, is_package=True)  # a folder without __init__.py
    space.submodule_search_locations = spaces
    return space


class Source(SourceFileLoader):
    """Compiles what it hashes."""

    def get_code(self, fullname: str) -> CodeType | None:
        """The code of the source, never of a cache. Raises Untrusted."""
        import hashlib

        with open_regular(self.path) as file:
            content = file.read()
        _admit(Module(fullname, os.path.realpath(self.path), hashlib.sha256(content).hexdigest()))
        code: CodeType = self.source_to_code(content, self.path)
        return code


class Finder:
    """Finds the modules of the person's folder, for the module that is asked for and for those that lie there."""

    PERSONAL: ClassVar[bool] = True

    def __init__(self, *, last: bool) -> None:
        self._last = last  # asked when nobody else knows: then also for an installed module that one of theirs calls

    def find_spec(self, name: str, path: Sequence[str] | None = None, _target: object = None) -> ModuleSpec | None:
        """Where it lies; None for everybody else's."""
        parent, _, _ = name.rpartition(".")
        if path is not None:
            spec = local(name, list(path)) if parent in served else None
        else:
            folder = _folder_for(name, deep=self._last)
            spec = local(name, [folder]) if folder else None
            if spec is not None and not self._last and overruled(name, spec):
                return None
        if spec is None:
            return None
        if spec.loader is None:
            _remember(Module(name, "", ""))
        elif not isinstance(spec.loader, Source):
            _admit(of_spec(spec, name))
        return spec


def _folder_for(name: str, *, deep: bool) -> str:
    """The folder in which the code that imports may look; "" for none."""
    if name == getattr(_wanted, "name", ""):
        return str(_wanted.folder)
    by = _importer(deep=deep)
    return served[by].folder if by else ""


def _importer(*, deep: bool = True) -> str:
    """The module of the person's that imports now, directly or (deep) by way of others; "" for none."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name in served:
            return str(name)
        if not deep and name != __name__ and str(name).partition(".")[0] not in MACHINERY:
            return ""
        frame = frame.f_back
    return ""


def _admit(module: Module) -> None:
    """Let a module of the person's folder in. Raises Untrusted where nobody asked for it and nobody knows it."""
    by = _importer()
    fresh = served[by].fresh if by else bool(getattr(_wanted, "fresh", False))
    grant = (module.file, module.sha256, "")
    if fresh or trust.everything():
        trust.add([grant] if lasting(grant) else ())
    elif not known(grant):
        name = f"{by or module.name}"
        raise Untrusted(
            sentences.IMPORTED_UNTRUSTED(file=module.file, name=name),
            (), (module.file,), (), (grant,),
        )  # fmt: skip
    _remember(module)


def _remember(module: Module) -> None:
    by = _importer()
    folder = served[by].folder if by else str(getattr(_wanted, "folder", os.getcwd()))
    fresh = served[by].fresh if by else bool(getattr(_wanted, "fresh", False))
    served[module.name] = Served(module, folder, fresh, by)


def _install() -> None:
    """Have our finders asked first, and last."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder(last=False))
        sys.meta_path.append(Finder(last=True))
