"""One field of the recipe: what it takes, how a text is read as it, and how it is shown."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from engine.base.errors import InputError
from engine.recipe import sentences
from engine.recipe.names import problem
from engine.recipe.needs import Needs, Now
from engine.registry import Registry

if TYPE_CHECKING:
    from pydantic_core import CoreSchema, SchemaValidator

AUTO = "auto"  # a value that the table decides, before a run begins
LONGEST = 120  # letters of a wrong value in a message
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
Kind = Literal["pick", "switch", "whole", "number", "text", "names", "sizes", "table"]
ColumnKind = Literal["numeric", "boolean", "categorical", "date", "identifier", "text"]


@dataclass(frozen=True)
class Bounds:
    """The numbers that a field takes; None for no bound."""

    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None


@dataclass(frozen=True)
class Choice:
    """One field of the recipe, as the forms and the command line see it."""

    section: str
    name: str
    label: str
    declared_help: str  # see `help`
    default: Any
    kind: Kind
    declared_words: tuple[str, ...]  # see `words`
    registry: Registry[Any] | None  # whose names it takes
    optional: bool  # may be left empty
    bounds: Bounds  # of a number, or of each of the sizes
    unit: str
    live: bool  # whether it can be changed while a run goes on
    example: str
    suggestions: tuple[str, ...]  # of a text: the values to offer first
    flag: str  # with its dashes
    fits: Callable[[str], object] | None  # of a text: whether it may be, beyond not being empty
    needs: tuple[Needs, ...]  # to what it applies: where one of them is not met it does not
    auto: Callable[[Now], Any] | None  # what auto means; None where more than choices and the table decides

    @property
    def help(self) -> str:
        """One line on it; {names} stands in it for the registered names, {members} also for what each of them is."""
        if self.registry is None:
            return self.declared_help
        each = "; ".join(f"{one.name}: {_within(one.help)}" for one in self.registry)
        return self.declared_help.replace("{members}", each).replace("{names}", ", ".join(self.registry.names))

    @property
    def words(self) -> tuple[str, ...]:
        """The words it takes: all of its values where `kind` is "pick", else beside a number or another text."""
        return self.declared_words if self.registry is None else (*self.declared_words, *self.registry.names)

    def about(self, word: str) -> str:
        """The help of one of its words: of a registered one what it is, else that of the field."""
        if self.registry is None or word not in self.registry:
            return self.help
        member = self.registry[word]
        return f"{member.label}: {member.help}"

    def steers(self, value: Any) -> bool:
        """Whether a run that goes on can take a value of this field."""
        return self.live and value != AUTO

    @property
    def low(self) -> float | None:
        """The least number, or what it must be above."""
        return self.bounds.least if self.bounds.above is None else self.bounds.above

    @property
    def allowed(self) -> str:
        """What it takes, in words: "auto or a number above 0"."""
        if self.kind == "switch":
            return sentences.TRUE_OR_FALSE()
        if self.kind == "names":
            return sentences.COLUMN_NAMES()
        if self.kind == "sizes":
            return sentences.SIZES()
        if self.kind == "table":
            return sentences.COLUMN_TYPES(types=get_args(ColumnKind))
        parts = [] if self.kind == "text" else list(self.words)
        if self.kind in ("whole", "number"):
            limits, own = [], self.bounds
            if own.above is not None:
                limits.append(sentences.ABOVE(number=_plain(own.above)))
            elif own.least is not None:
                limits.append(sentences.AT_LEAST(number=_plain(own.least)))
            if own.below is not None and own.below < 2**62:
                limits.append(sentences.BELOW(number=_plain(own.below)))
            elif own.most is not None:
                limits.append(sentences.AT_MOST(number=_plain(own.most)))
            if limits:
                within = sentences.WHOLE_NUMBER_WITHIN if self.kind == "whole" else sentences.NUMBER_WITHIN
                parts.append(within(limits=limits))
            else:
                parts.append(sentences.A_WHOLE_NUMBER() if self.kind == "whole" else sentences.A_NUMBER())
        elif self.kind == "text":
            parts.append(self.help.rstrip(".") if self.suggestions else sentences.TEXT(example=self.example))
        return sentences.ANY_OF(choices=parts) if len(parts) > 1 else parts[0]

    @property
    def off(self) -> str:
        """The flag that says no to a switch; "" where no is the default and nothing else makes it yes."""
        may = self.kind == "switch" and (self.default or self.name == "normalize_target")
        return "--no-" + self.flag.removeprefix("--") if may else ""

    @property
    def default_text(self) -> str:
        """The default as it is shown: "auto", "0.5", "on"."""
        return self.show(self.default)

    def show(self, value: Any) -> str:
        """A value of this field as a person would write it; empty for one not given."""
        if value is None:
            return "auto" if self.name in ("val", "positive") else ""
        if self.kind == "switch":
            return "on" if value else "off"
        if self.kind == "names":
            return ",".join(f'"{v}"' if "," in v else v for v in value)
        if self.kind == "sizes":
            return ",".join(map(str, value))
        if self.kind == "table":
            return ",".join(f"{k}={v}" for k, v in value.items())
        if isinstance(value, float):
            short = f"{value:.12g}"
            return short if float(short) == value else repr(value)
        return str(value)

    def says_nothing(self, value: Any) -> bool:
        """Whether a value chooses nothing, so that it holds as well where the choice does not apply: auto, off, 0."""
        return value in (None, "auto", "none", (), {}, False) or any(value in need.but for need in self.needs)

    def read(self, value: Any) -> Any:
        """The value that the field keeps for one that is given, as it is or as text.

        Raises:
            InputError: it is none of those that the field takes, in a sentence with field, value and range.
        """
        if type(value) is type(self.default) and value == self.default:
            return value
        if isinstance(value, str) and (value in self.words or value in self.suggestions):
            return value
        try:
            found = _PARSERS[self.kind](value)
            if self.kind in ("text", "names"):
                if self.fits is None or self.fits(found):
                    return found
            else:
                return self._valid(found)
        except (ValueError, TypeError, OverflowError):  # pydantic's ValidationError is a ValueError
            pass
        text = value if isinstance(value, str) else _written(value)
        text = text if len(text) <= LONGEST else text[:LONGEST] + "…"
        if self.name == "name" and isinstance(value, str):
            raise InputError(sentences.BAD_RUN_NAME(name=text, why=problem(value)))
        raise InputError(
            sentences.BAD_VALUE(
                label=self.label.capitalize(), flag=self.flag, value=text or sentences.EMPTY(), allowed=self.allowed
            )
        )

    def _valid(self, value: Any) -> Any:
        """The value, if it is of the declared type and within its bounds. Raises pydantic's ValidationError."""
        key = (self.section, self.name, self.words)
        if key not in _validators:
            from pydantic_core import SchemaValidator

            _validators[key] = SchemaValidator(self._schema())
        return _validators[key].validate_python(value)

    def _schema(self) -> CoreSchema:
        """The declared type in the words of pydantic's core, which comes in a fifth of the time that all of it takes:
        a short run is over before that."""
        from pydantic_core import core_schema as core

        own = self.bounds
        ends: dict[str, Any] = {"ge": own.least, "le": own.most, "gt": own.above, "lt": own.below}
        exact: dict[str, Any] = {name: None if end is None else int(end) for name, end in ends.items()}
        whole = core.int_schema(strict=True, **exact)
        if self.kind == "whole":
            return whole
        if self.kind == "number":
            return core.float_schema(strict=True, allow_inf_nan=False, **ends)
        if self.kind == "sizes":
            return core.tuple_variable_schema(whole, min_length=1, strict=True)
        if self.kind == "table":
            return core.dict_schema(core.str_schema(), core.literal_schema(list(get_args(ColumnKind))), strict=True)
        return core.bool_schema(strict=True) if self.kind == "switch" else core.literal_schema(list(self.words))


_validators: dict[tuple[str, str, tuple[str, ...]], SchemaValidator] = {}


def _written(value: Any) -> str:
    """A wrong value in a message; Python refuses to write out whole numbers of thousands of digits."""
    try:
        return repr(value)
    except ValueError:
        return sentences.LONG_NUMBER()


def _within(sentence: str) -> str:
    """A sentence as it stands within another: a small letter first, unless an abbreviation begins it; no full stop."""
    small = sentence[:1].lower() if sentence[1:2].islower() else sentence[:1]
    return (small + sentence[1:]).rstrip(".")


def _plain(number: float) -> str:
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:g}"


# Parsing: from what a person writes to a value of the kind; whether it may be is pydantic's to say. Each raises
# ValueError, TypeError or OverflowError.


def _whole(value: Any) -> Any:
    """The whole number in 5.0, "2e6", "2_000_000" and "2,000,000"."""
    if isinstance(value, str):
        # Commas only where they part thousands: "64,64" and "1,5" mean something else than 6464 and 15.
        text = value.replace(",", "") if THOUSANDS.fullmatch(value.strip()) else value
        try:
            return int(text)
        except ValueError:
            value = float(text)
    return int(value) if isinstance(value, float) and value == int(value) else value


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, str) else value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _switch(value: Any) -> Any:
    if isinstance(value, str):
        return {
            "true": True,
            "on": True,
            "yes": True,
            "1": True,
            "false": False,
            "off": False,
            "no": False,
            "0": False,
        }.get(value.lower())
    return bool(value) if value in (0, 1) else value


def cells(text: str) -> list[str]:
    """The cells of one line of CSV, which may hold line breaks: names can. Raises ValueError."""
    import csv

    line, back = "\n\r", "\ufdd0\ufdd1"  # csv refuses line breaks outside of quotes; the others are no characters
    try:
        found = next(csv.reader([text.translate(str.maketrans(line, back))], skipinitialspace=True), [])
    except csv.Error as error:
        raise ValueError(str(error)) from None
    return [cell.translate(str.maketrans(back, line)) for cell in found]


def _names(value: Any) -> tuple[str, ...]:
    """The names in "a,b"; quotes keep a comma that belongs to a name."""
    if isinstance(value, str):
        return tuple(name.strip() for name in cells(value) if name.strip())
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise TypeError
    return tuple(value)


def _sizes(value: Any) -> tuple[Any, ...]:
    """The numbers in "64,64"."""
    if isinstance(value, str):
        value = [part for part in value.replace(" ", "").split(",") if part]
    return tuple(_whole(part) for part in ([value] if isinstance(value, int) else value))


def _table(value: Any) -> dict[str, Any]:
    """The types in ["age=numeric", "ticket=text"], or in one such text with commas."""
    if isinstance(value, str):
        value = _names(value)
    if isinstance(value, list | tuple):
        parts = [str(part).rpartition("=") for part in value]
        if not all(equals for _, equals, _ in parts):
            raise ValueError
        return {name.strip(): kind.strip() for name, _, kind in parts}
    return dict(value)


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "pick": _text,
    "switch": _switch,
    "whole": _whole,
    "number": _number,
    "text": _text,
    "names": _names,
    "sizes": _sizes,
    "table": _table,
}


# Declaring.


def choice(
    default: Any,
    help: str,
    *,
    label: str,
    unit: str = "",
    flag: str = "",
    live: bool = False,
    example: str = "",
    suggestions: tuple[str, ...] = (),
    fits: Callable[[str], object] | None = None,
    needs: Needs | tuple[Needs, ...] = (),
    auto: Callable[[Now], Any] | None = None,
) -> Any:
    """Declare a field of a section.

    Args:
        live: it can be changed while a run goes on.
        flag: its spelling where it is not the name.
        fits: whether a text may be its value.
        needs: to what it applies; without any it always does.
        auto: what auto, or nothing given, means, of what else is known.
    """
    told = {"help": help, "label": label, "unit": unit, "flag": flag, "live": live, "example": example}
    told |= {"suggestions": suggestions, "fits": fits, "needs": (needs,) if isinstance(needs, Needs) else needs}
    told["auto"] = auto
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), metadata=told)
    return dataclasses.field(default=default, metadata=told)


_sections: dict[str, tuple[Choice, ...]] = {}


def declared(section: type) -> tuple[Choice, ...]:
    """The fields of a section in their order, from their declarations and types."""
    name = section.__name__.lower()
    if name not in _sections:
        _sections[name] = tuple(_declared(name, one) for one in dataclasses.fields(section))
    return _sections[name]


def _declared(section: str, one: dataclasses.Field[Any]) -> Choice:
    words: list[str] = []
    kind: Kind = "text"
    optional, bounds, registry = False, Bounds(), None
    for leaf in _leaves(one.type):
        if get_origin(leaf) is Literal:
            words.extend(get_args(leaf))
            kind = "pick" if kind == "text" else kind
        elif isinstance(leaf, Registry):
            kind, registry = ("text" if one.metadata["fits"] else "pick"), leaf
        elif leaf is type(None):
            optional = True
        elif isinstance(leaf, Bounds):
            bounds = leaf
        elif leaf in (bool, int, float):
            kind = "switch" if leaf is bool else "whole" if leaf is int else "number"
        elif get_origin(leaf) is tuple:
            inside = [*_leaves(get_args(leaf)[0])]
            kind, optional = ("names", True) if inside[0] is str else ("sizes", False)
            bounds = next((part for part in inside if isinstance(part, Bounds)), bounds)
        elif get_origin(leaf) is dict:
            kind, optional = "table", True
    told = one.metadata
    return Choice(
        section=section,
        name=one.name,
        label=told["label"],
        declared_help=told["help"],
        default=one.default if one.default_factory is dataclasses.MISSING else one.default_factory(),
        kind=kind,
        declared_words=tuple(words),
        registry=registry,
        optional=optional,
        bounds=bounds,
        unit=told["unit"],
        live=told["live"],
        example=told["example"],
        suggestions=told["suggestions"],
        flag="--" + (told["flag"] or one.name.replace("_", "-")),
        fits=told["fits"],
        needs=told["needs"],
        auto=told["auto"],
    )


def _leaves(annotation: Any) -> Iterator[Any]:
    """The plain types inside unions and Annotated, and the bounds that stand beside them."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *notes = get_args(annotation)
        yield from _leaves(inner)
        yield from notes
    elif origin is Union or origin is UnionType:
        for part in get_args(annotation):
            yield from _leaves(part)
    else:
        yield annotation
