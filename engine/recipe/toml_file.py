"""Recipes in files: a recipe.toml, or that of a run folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from engine.base.errors import InputError
from engine.base.files import read_bytes, read_text
from engine.recipe import sentences
from engine.recipe.recipe import SECTIONS, Event, Recipe, build, find, unknown
from engine.recipe.steering import steered

TOLD = ("resolved", "does_not_apply")  # tables of a run's recipe.toml that say what it made of the choices
MOST = 4 * 2**20  # bytes of a recipe; every change during a run is some sixty

LONGEST = 1000  # letters of what is said about a recipe


def read_toml(path: Path, base: Recipe | None = None) -> Recipe:
    """The recipe in a TOML file, or in a run folder; fields that it leaves out are those of `base`, or the defaults.

    Raises InputError naming the file.
    """
    import tomllib

    if path.is_dir():
        path = path / "recipe.toml"
    try:
        tree = tomllib.loads(_text(path))
    except FileNotFoundError:
        raise InputError(sentences.NO_RECIPE(path=path)) from None
    except (ValueError, RecursionError) as error:
        raise InputError(sentences.NOT_TOML(path=path, reason=error)) from None
    try:
        events = _events(tree.pop("events", []))
        tree = {name: held for name, held in tree.items() if name not in TOLD}
        return replace(build(_flat(tree), base), events=events)
    except InputError as error:
        words = str(error)
        if len(words) > LONGEST:  # it quotes what stands there
            words = f"{words[: LONGEST // 2]} … {words[-LONGEST // 4 :]}"
        raise InputError(sentences.IN_FILE(path=path, problem=words)) from None


def _text(path: Path) -> str:
    """The text of a recipe. That of a run may name a file whose name is not UTF-8, in its own bytes (PEP 383)."""
    if (path.parent / "run.json").exists():
        return read_bytes(path, MOST).decode("utf-8", "surrogateescape")
    return read_text(path, MOST)


def _flat(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a file by field name. Raises InputError for a field that is not there, or not in its section."""
    found: dict[str, Any] = {}
    for section, held in tree.items():
        if section not in SECTIONS:
            raise InputError(unknown(section))
        if not isinstance(held, dict):
            raise InputError(sentences.NOT_A_SECTION(section=section, value=held))
        for name, value in held.items():
            if (home := find(name).section) != section:
                raise InputError(sentences.WRONG_SECTION(name=name, section=section, home=home))
            found[name] = value
    return found


def _events(given: Any) -> tuple[Event, ...]:
    """The events of a file. Raises InputError."""
    names = {one.name for one in fields(Event)}
    found = []
    for one in given if isinstance(given, list) else [given]:
        if not isinstance(one, dict) or set(one) != names:
            raise InputError(sentences.EVENT_INCOMPLETE(event=one))
        event = Event(**one)
        find(event.field)
        try:
            steered(event.field, event.value, event.field)
        except InputError as error:
            raise InputError(sentences.IN_EVENTS(problem=str(error))) from None
        found.append(event)
    return tuple(found)
