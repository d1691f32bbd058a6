"""The recipe of a run as a whole: its sections, the changes made on the way, and its fields by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache
from math import isfinite
from typing import Any

from engine.base.errors import InputError
from engine.recipe import sentences
from engine.recipe.choice import Choice, declared
from engine.recipe.sections import Data, Device, Model, Normalization, Optimizer, Recording, Stopping


@dataclass(frozen=True)
class Event:
    """A choice changed during a run: `field` takes `value` before update number `step`."""

    step: int
    field: str
    value: float | int | str

    def __post_init__(self) -> None:
        known = isinstance(self.value, float | int | str) and not isinstance(self.value, bool)
        for right, problem in (
            (type(self.step) is int and self.step >= 0, sentences.BAD_STEP(step=self.step)),
            (isinstance(self.field, str), sentences.BAD_FIELD(field=self.field)),
            (
                known and (isinstance(self.value, str) or isfinite(self.value)),
                sentences.BAD_EVENT_VALUE(value=self.value),
            ),
        ):
            if not right:
                raise InputError(sentences.BAD_EVENT(problem=problem))


@dataclass(frozen=True)
class Recipe:
    """Every choice of one run. Equal recipes give equal runs on one machine."""

    data: Data = field(default_factory=Data)
    normalization: Normalization = field(default_factory=Normalization)
    model: Model = field(default_factory=Model)
    optimizer: Optimizer = field(default_factory=Optimizer)
    device: Device = field(default_factory=Device)
    stopping: Stopping = field(default_factory=Stopping)
    recording: Recording = field(default_factory=Recording)
    events: tuple[Event, ...] = ()

    def replace(self, values: Mapping[str, Any]) -> Recipe:
        """This recipe with some fields, named as in `Choice.name`, changed. Values may be text. Raises InputError."""
        return build(values, base=self)

    def get(self, name: str) -> Any:
        """The value of a field by its name, such as "lr"."""
        return getattr(getattr(self, find(name).section), name)

    def changed(self) -> dict[str, Any]:
        """The fields that differ from their defaults, by name."""
        found = {}
        for section in SECTIONS:
            held = getattr(self, section)
            for one in declared(type(held)):
                value = getattr(held, one.name)
                if value != one.default:
                    found[one.name] = value
        return found

    def to_toml(self, told: Mapping[str, Mapping[str, Any]] | None = None) -> str:
        """The text of `recipe.toml`: every field, defaults included, so that a later default changes nothing.

        Args:
            told: further tables for whoever reads the file; no part of the recipe.
        """
        import tomli_w

        tree: dict[str, Any] = {
            section: {c.name: _plain(c, self.get(c.name)) for c in choices() if c.section == section}
            for section in SECTIONS
        }
        tree |= {name: {k: _plain(find(k), v) for k, v in table.items()} for name, table in (told or {}).items()}
        return tomli_w.dumps(tree | {"events": [asdict(event) for event in self.events]})


SECTIONS = tuple(one.name for one in fields(Recipe) if one.name != "events")


def _plain(choice: Choice, value: Any) -> Any:
    """A value as TOML knows it: what is not given is "auto" where that decides, else an empty text."""
    return choice.show(None) if value is None else list(value) if isinstance(value, tuple) else value


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
        raise InputError(unknown(name)) from None


def is_field(name: str) -> bool:
    """Whether there is a field called `name`."""
    return name in _by_name()


def unknown(name: str) -> str:
    """The sentence about a name that is no field's, with the nearest one."""
    from difflib import get_close_matches

    near = get_close_matches(name, _by_name(), n=1)
    return (
        sentences.NO_FIELD_BUT_NEAR(name=name, near=near[0])
        if near
        else sentences.NO_FIELD(name=name, fields=list(_by_name()))
    )


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
