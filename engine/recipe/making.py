"""Recipes from what a person gives: flat values by field, or a file; and the fields by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from engine.base.errors import InputError
from engine.base.files import read_bytes, read_text
from engine.recipe.choice import Choice, declared
from engine.recipe.sections import SECTIONS, Event, Recipe

MOST = 4 * 2**20  # bytes of a recipe; every change during a run is some sixty

LONGEST = 1000  # letters of what is said about a recipe


@cache
def choices() -> tuple[Choice, ...]:
    """Every field of the recipe in its order."""
    nothing = Recipe()
    return tuple(one for section in SECTIONS for one in declared(type(getattr(nothing, section))))


@cache
def _by_name() -> dict[str, Choice]:
    return {one.name: one for one in choices()}


def find(name: str) -> Choice:
    """The field called `name`. Raises InputError with the nearest names."""
    try:
        return _by_name()[name]
    except KeyError:
        raise InputError(_unknown(name)) from None


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, _by_name(), n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; the fields are {', '.join(_by_name())}."
    return f"A recipe has no field called {name}{hint}"


def build(values: Mapping[str, Any], base: Recipe | None = None) -> Recipe:
    """A recipe from flat values by field name, on top of `base` or of the defaults.

    Text is read as the field's type, as the command line and the forms give it; an empty text takes back an optional
    field. Giving `steps` takes back `epochs` and the other way round, unless both are given.

    Raises:
        InputError: a name that is no field's, or a value out of its bounds.
    """
    given: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        one = find(name)
        if isinstance(value, str) and one.optional and value.strip() in ("", "auto"):
            value = {"names": (), "table": {}}.get(one.kind)
        elif one.kind in ("number", "pick") and isinstance(value, str):
            value = value.strip()
        given.setdefault(one.section, {})[name] = value
    if values.get("steps") is not None and "epochs" not in values:
        given["stopping"]["epochs"] = "auto"
    if values.get("epochs") is not None and "steps" not in values:
        given["stopping"]["steps"] = None
    found = base or Recipe()
    return replace(found, **{s: replace(getattr(found, s), **given[s]) for s in SECTIONS if s in given})


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
        raise InputError(f"There is no recipe {path}; give a recipe.toml or a run folder.") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"The recipe {path} is not valid TOML: {error}.") from None
    try:
        events = _events(tree.pop("events", []))
        return replace(build(_flat(tree), base), events=events)
    except InputError as error:
        words = str(error)
        if len(words) > LONGEST:  # it quotes what stands there
            words = f"{words[: LONGEST // 2]} … {words[-LONGEST // 4 :]}"
        raise InputError(f"{path}: {words}") from None


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
            raise InputError(_unknown(section))
        if not isinstance(held, dict):
            raise InputError(f"{section} is {held!r}, but must be a table of fields.")
        for name, value in held.items():
            if (home := find(name).section) != section:
                raise InputError(f"{name} stands under [{section}], but belongs under [{home}].")
            found[name] = value
    return found


def _events(given: Any) -> tuple[Event, ...]:
    """The events of a file. Raises InputError."""
    names = {one.name for one in fields(Event)}
    found = []
    for one in given if isinstance(given, list) else [given]:
        if not isinstance(one, dict) or set(one) != names:
            raise InputError(f"events: {one!r} is not complete; each is a table with step, field and value.")
        event = Event(**one)
        choice = find(event.field)
        if not choice.live:
            live = ", ".join(c.name for c in choices() if c.live)
            raise InputError(f"events: {event.field} cannot be changed during a run; these can: {live}.")
        choice.read(event.value)
        found.append(event)
    return tuple(found)
