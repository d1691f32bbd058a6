"""Sentences as data: each that a person reads is one template with named fields, in the catalogue of its room.

A catalogue is the module `sentences.py` of a room: constants, and `entitle` at its end, which gives each its id.

    NO_COLUMN = Sentence("{table} has no column {name!r}; it has {columns:and}.")
    MISSING = Sentence("{rows:count row} without a target {rows:was|were} left out.")

    entitle(globals())

Called with its fields, a sentence gives a `Told`: a `str`, the English text, that keeps the id and the fields. So
another language needs the id and the fields alone, and a file can keep them beside the text.

What stands after the colon of a field, beside Python's own format specifications:

    {rows:count}            2,000
    {rows:count row}        1 row, 2,000 rows
    {n:count entry|entries} 1 entry, 2 entries
    {rows:was|were}         the first for 1, else the second
    {size:bytes}            1.2 GB, on a disk
    {size:memory}           1.1 GiB, of memory
    {names}                 a, b, c; none, where there are none
    {names:and}             a, b and c
    {names:or}              a, b or c
    {names:some}            the first eight, and how many more
    {said:if : *}           nothing for "", 0, None or an empty list; else what stands behind "if ", the value at the *
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

MOST = 8  # names of a list of which `some` are told


class Told(str):
    """The English text of a sentence, with what another language needs to say it.

    Attributes:
        id: of the sentence, such as "data.no_column".
        fields: their values: texts, numbers, lists of them, or what other sentences gave.
    """

    id: str
    fields: dict[str, Any]

    def __new__(cls, text: str, id: str = "", fields: Mapping[str, Any] | None = None) -> Told:
        """A text; without an id, one that no catalogue holds."""
        told = super().__new__(cls, text)
        told.id, told.fields = id, dict(fields or {})
        return told


class Sentence:
    """A whole sentence, or several, in plain standard words; it ends with a full stop or a question mark.

    It names the thing, the place (file, row, column, field) and, where something is wrong, the remedy.
    """

    def __init__(self, template: str) -> None:
        self.template = template
        self.id = ""  # until `entitle` gives one

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id or self.template!r})"

    @cached_property
    def _pieces(self) -> list[tuple[str, str | None, str, str]]:
        from string import Formatter  # compiles a pattern when it is imported, and most sentences are never told

        return [
            (text, name, conversion or "", spec or "")
            for text, name, spec, conversion in Formatter().parse(self.template)
        ]  # fmt: skip

    @cached_property
    def fields(self) -> frozenset[str]:
        """The names of its fields."""
        return frozenset(name for _, name, _, _ in self._pieces if name is not None)

    def __call__(self, /, **fields: Any) -> str:
        """The sentence with these fields, a `Told`.

        Raises:
            TypeError: they are not exactly the fields of the template.
        """
        if fields.keys() != self.fields:
            raise TypeError(f"{self!r} has the fields {sorted(self.fields)}, not {sorted(fields)}")
        values = {name: _plain(value) for name, value in fields.items()}
        parts = []
        for text, name, conversion, spec in self._pieces:
            parts.append(text)
            if name is not None:
                parts.append(_shown(repr(fields[name]) if conversion == "r" else values[name], spec))
        return Told("".join(parts), self.id, values)


class Phrase(Sentence):
    """What stands in a field of a sentence, such as a reason or a remedy: no capital, no full stop."""


class Title(Sentence):
    """A heading, a label or a cell: no full stop."""


def entitle(names: Mapping[str, Any]) -> None:
    """Give each sentence of a catalogue its id: the room, and its own name in small letters.

    Args:
        names: the globals of the catalogue, a module such as engine.data.sentences.
    """
    room = names["__name__"].rpartition(".")[0].removeprefix("engine.")
    for name, value in names.items():
        if isinstance(value, Sentence) and not value.id:
            value.id = f"{room}.{name.lower()}"


def record(text: str) -> dict[str, Any]:
    """A text as a JSON object: its id and its fields, where a sentence gave it, and what it says in English."""
    if not isinstance(text, Told):
        return {"text": text}
    return {"id": text.id, "fields": {name: _recorded(value) for name, value in text.fields.items()}, "text": str(text)}


def _recorded(value: Any) -> Any:
    if isinstance(value, Told):
        return record(value)
    return [_recorded(item) for item in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """A value of a field as JSON has it."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    item = getattr(value, "item", None)  # a number of numpy
    return item() if callable(item) else str(value)


def _shown(value: Any, spec: str) -> str:
    """A value as its specification says."""
    if spec.startswith("if "):
        return spec[3:].replace("*", _shown(value, "count" if type(value) is int else "")) if value else ""
    if isinstance(value, list):
        return _listed([str(item) for item in value], spec)
    if spec == "bytes":
        return size(value)
    if spec == "memory":
        return memory(value)
    kind, _, word = spec.partition(" ")
    if kind == "count":
        return f"{value:,} {_form(value, word)}" if word else f"{value:,}"
    if "|" in spec:
        return _form(value, spec)
    return format(value, spec) if value is not None else "none"


def _form(number: float, words: str) -> str:
    """The one of two forms that goes with a number; a single word takes an s."""
    one, _, many = words.partition("|")
    return one if number == 1 else many or one + "s"


def _listed(items: Sequence[str], spec: str) -> str:
    if not items:
        return "none"
    if spec == "some":
        more = len(items) - MOST
        return ", ".join(items[:MOST]) + (f" and {more:,} more" if more > 0 else "")
    if spec in ("and", "or") and len(items) > 1:
        return f"{', '.join(items[:-1])} {spec} {items[-1]}"
    return ", ".join(items)


def size(count: float) -> str:
    """A number of bytes as a person reads it."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def memory(count: float) -> str:
    """A number of bytes of memory as a person reads it, in the units of nvidia-smi."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
