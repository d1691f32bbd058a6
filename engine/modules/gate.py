"""The one way to a person's module:function: checked against the record, then imported, and told to run.json."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from engine.base import process
from engine.base.errors import Untrusted
from engine.modules import sentences, trust
from engine.modules.content import Module, hashed, installed, known, lasting, of_spec
from engine.modules.folder import asking, local, served
from engine.modules.others import elsewhere, overruled

CLAIMED = 200  # modules that a run's record may name


@dataclass(frozen=True)
class _Recorded:
    """What a run recorded of its modules: SHA-256 by name."""

    run: str
    hashes: Mapping[str, str]


_mains: dict[str, Module] = {}  # by module:function, what was fetched
_passed: set[tuple[object, str]] = set()  # what a run recorded, module:function: imported code is not looked at twice
_of_run: ContextVar[_Recorded | None] = ContextVar("of_run", default=None)


@contextmanager
def of_run(run: str, facts: Mapping[str, Any]) -> Iterator[None]:
    """Whatever is fetched inside belongs to a run, and is compared with what it recorded of its modules.

    Args:
        run: its name, for the sentence.
        facts: its run.json.
    """
    found: dict[str, str] = {}
    listed = facts.get("modules")
    for one in listed[:CLAIMED] if isinstance(listed, list) else ():
        name, sha256 = (one.get("name"), one.get("sha256")) if isinstance(one, dict) else (None, None)
        if isinstance(name, str) and isinstance(sha256, str) and trust.NAME.fullmatch(f"{name}:x"):
            found[name] = sha256
    before = _of_run.set(_Recorded(run, found))
    try:
        yield
    finally:
        _of_run.reset(before)


def check(*names: str, trusted: bool = False) -> None:
    """Whether module:function may be imported and called, without importing anything. Nothing to say of one not found.

    Args:
        trusted: the person trusts them as they are now, which is recorded.

    Raises:
        Untrusted: the person has neither asked for it nor run nor confirmed it, or it is not what the run recorded.
    """
    recorded = _of_run.get()
    waiting = [n for n in names if n.partition(":")[0] not in sys.modules or _key(recorded, n) not in _passed]
    sources = {name: found for name in waiting if trust.NAME.fullmatch(name) and (found := _find(name))}
    if not sources:
        return
    trusted = trusted or trust.everything()
    if trusted:
        for name in sources:
            trust.ask(name)
    changes = _changes(recorded)
    differing = {now.name for now, _ in changes}
    wanted = {
        name: [(one.file, one.sha256, "") for one in found] + [(found[-1].file, found[-1].sha256, name)]
        for name, found in sources.items()
    }
    grants = [grant for one in wanted.values() for grant in one] + _accepting(changes)
    same = {name: {one.file for one in found if one.name not in differing} for name, found in sources.items()}
    unknown = [
        name
        for name, marks in wanted.items()
        if not trust.asked(name) and not all(known(mark) for mark in marks if mark[0] in same[name])
    ]
    if unknown:
        files = tuple(dict.fromkeys(sources[name][-1].file for name in unknown))
        places = [file or sentences.PYTHON_ITSELF() for file in files]
        raise Untrusted(
            sentences.UNTRUSTED(names=unknown, count=len(unknown), places=places),
            tuple(unknown), files, (), tuple(grants),
        )  # fmt: skip
    if changes and not trusted:
        raise _refusal(recorded, changes, tuple(sources), grants)
    trust.add(grant for grant in grants if lasting(grant))


def check_changes(run: str, facts: Mapping[str, Any]) -> None:
    """Whether the modules of a run are what it recorded of them. Raises Untrusted; imports nothing."""
    with of_run(run, facts):
        recorded = _of_run.get()
        changes = _changes(recorded)
        if changes and not trust.everything():
            raise _refusal(recorded, changes, (), _accepting(changes))


def _accepting(changes: list[tuple[Module, str]]) -> list[trust.Mark]:
    """The marks that accept changes."""
    return [(now.file, now.sha256, mark) for now, old in changes for mark in ("", old)]


def _refusal(
    recorded: _Recorded | None, changes: list[tuple[Module, str]], names: tuple[str, ...], grants: list[trust.Mark]
) -> Untrusted:
    """The complaint about modules that are not what a run recorded of them."""
    assert recorded is not None
    files = tuple(os.path.basename(now.file) or now.name for now, _ in changes)
    return Untrusted(
        sentences.CHANGED(files=files, count=len(files), run=recorded.run),
        names, tuple(now.file for now, _ in changes), files, tuple(grants),
    )  # fmt: skip


def fetch(name: str) -> Any:
    """The function or class that module:name means; its module is imported where it has not been yet.

    Raises:
        Untrusted: as `check` does.
        ModuleNotFoundError: there is no such module.
        AttributeError: it has no such name.
        Exception: whatever the module raises.
    """
    check(name)
    place, _, attribute = name.partition(":")
    sources = _find(name) if trust.NAME.fullmatch(name) else []
    if not sources:
        raise ModuleNotFoundError(sentences.NO_MODULE(name=place), name=place)
    process.end_whole()
    fresh = trust.asked(name)
    with asking(place, fresh=fresh):
        module = importlib.import_module(place)
    if fresh and place in served:
        served[place].fresh = True
    _mains[name] = served[place].module if place in served else sources[-1]
    _passed.add(_key(_of_run.get(), name))
    return getattr(module, attribute)


def _key(recorded: _Recorded | None, name: str) -> tuple[object, str]:
    return frozenset(recorded.hashes.items()) if recorded is not None else None, name


def used(names: Sequence[str]) -> list[dict[str, str]]:
    """The modules behind names that were fetched, with those of the person's folder that they import: for run.json."""
    found: dict[str, Module] = {}
    for name in names:
        if name not in _mains:
            continue
        place = name.partition(":")[0]
        parts = place.split(".")
        found[place] = _mains[name]
        for count in range(1, len(parts)):
            parent = ".".join(parts[:count])
            if parent in served:
                found[parent] = served[parent].module
        _imports(place, found)
    return [{"name": one.name, "file": one.file, "sha256": one.sha256} for one in found.values() if one.file]


def changed(run: str, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the modules that are not what a run recorded of them, or are gone. Imports nothing."""
    with of_run(run, facts):
        return tuple(os.path.basename(now.file) or now.name for now, _ in _changes(_of_run.get(), accepted=False))


def hidden(name: str) -> str:
    """Half a sentence on a file that is not read, for a module that goes before it; empty where there is none."""
    place = name.partition(":")[0].partition(".")[0]
    beside = local(place, [os.getcwd()])
    if beside is None or beside.loader is None or not overruled(place, beside):
        return ""
    return sentences.HIDDEN(file=beside.origin)


def _find(name: str) -> list[Module]:
    """The module behind module:function, its packages before it; [] where there is none. Imports nothing."""
    place = name.partition(":")[0]
    parts = place.split(".")
    imported = sys.modules.get(place)
    if imported is not None:
        return [_of_module(imported, place)]
    found: list[Module] = []
    path: list[str] | None = None
    for count in range(1, len(parts) + 1):
        full = ".".join(parts[:count])
        spec = _spec(full, path)
        if spec is None:
            return []
        found.append(of_spec(spec, full))
        path = list(spec.submodule_search_locations or ())
    return found


def _spec(name: str, path: list[str] | None) -> ModuleSpec | None:
    """Where a module would come from, asked for by a person who stands in this folder."""
    imported = sys.modules.get(name)
    if imported is not None:
        return getattr(imported, "__spec__", None)
    if path is None:
        beside = local(name, [os.getcwd()])
        if beside is not None and not overruled(name, beside):
            return beside
    elif (beside := local(name, path)) is not None:
        return beside
    return elsewhere(name, path)


def _of_module(module: ModuleType, name: str) -> Module:
    """A module that is imported already; of one of the person's folder what was compiled."""
    if name in served:
        return served[name].module
    return hashed(name, getattr(module, "__file__", None))


def _changes(recorded: _Recorded | None, *, accepted: bool = True) -> list[tuple[Module, str]]:
    """Modules that are not what the run recorded of them, each with the SHA-256 that they had.

    Args:
        accepted: leave out those whose change the person accepted before.
    """
    found = []
    for name, old in recorded.hashes.items() if recorded is not None else ():
        sources = _find(name)
        now = sources[-1] if sources else Module(name, "", "")
        if now.sha256 != old and not (accepted and now.file and trust.known(now.file, now.sha256, old)):
            found.append((now, old))
    return found


def _imports(place: str, found: dict[str, Module]) -> None:
    """Add the modules of the person's folder that a module has imported, or holds something of."""
    waiting = [place]
    while waiting:
        one = waiting.pop()
        names = {name for name, served in list(served.items()) if served.by == one}
        for value in list(vars(sys.modules[one]).values()) if one in sys.modules else ():
            names.add(value.__name__ if isinstance(value, ModuleType) else str(getattr(value, "__module__", "")))
        for name in sorted(names):
            if name not in found and (module := _beside(name, place)) is not None:
                found[name] = module
                waiting.append(name)


def _beside(name: str, place: str) -> Module | None:
    """A module of the person's folder, or one that lies in the folder of a main module which is not installed."""
    if name in served:
        return served[name].module
    main, other = sys.modules.get(place), sys.modules.get(name)
    file, beside = getattr(main, "__file__", None), getattr(other, "__file__", None)
    if other is None or place in served or not file or not beside:
        return None
    folder = os.path.dirname(os.path.realpath(file))
    if os.path.dirname(os.path.realpath(beside)) != folder or installed(folder):
        return None
    return _of_module(other, name)
