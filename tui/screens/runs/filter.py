"""The filter of the list of runs: `lr<0.1 normalize=zscore,robust !diverged kitchen`.

Words are separated by spaces, and all of them must hold. `name=value` compares a column (a choice of the recipe or a
result) for being equal, `!=` for not, `<`, `<=`, `>`, `>=` numbers; several values separated by commas mean any of
them, and * in a word stands for anything. Another word is looked for in the run's name, table, note, tags and state.
`!` before any of them turns it around, and quotes keep spaces and commas together.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from engine.base.errors import InputError
from tui.keys.keymap import named
from tui.screens import sentences
from tui.screens.runs.columns import ALIASES, Field, fields, find

if TYPE_CHECKING:
    from engine.runs.store import RunInfo

_WORD = re.compile(r'(?:[^\s"]|"[^"]*"?)+')
_TERM = re.compile(r"([A-Za-z_κ][\w/-]*)(<=|>=|!=|==|=|<|>)(.*)", re.DOTALL)
_SPACED = re.compile(r'("[^"]*"?)|\s*(<=|>=|!=|==|=|<|>)\s*')
_NUMBER = re.compile(r"([+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-zµ%]*)")
_SIZES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "%": 0.01}
_BYTES = {f"{unit}{word}": size for unit, size in _SIZES.items() if unit != "%" for word in ("", "B")}
_TIMES = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
DIGITS = 4  # significant digits in which a number must agree to be equal: those that the list shows

Test = Callable[["RunInfo"], bool]


@dataclass(frozen=True)
class Filter:
    """A filter that has been understood."""

    text: str = ""
    tests: tuple[Test, ...] = ()

    def accepts(self, run: RunInfo) -> bool:
        """Whether a run passes."""
        return all(test(run) for test in self.tests)


def parse(text: str) -> Filter:
    """Understand a filter. Raises InputError with what is wrong with it, in a sentence."""
    if text.count('"') % 2:
        raise InputError(sentences.QUOTE_OPEN())
    return Filter(text, tuple(_test(word) for word in _words(text)))


def understood(text: str) -> Filter:
    """As much of a filter that is being typed as can be understood."""
    tests = []
    for word in _words(text):
        with suppress(InputError):
            tests.append(_test(word))
    return Filter(text, tuple(tests))


def _words(text: str) -> list[str]:
    """The words of a filter; spaces around a sign belong to nothing."""
    return _WORD.findall(_SPACED.sub(lambda match: match[1] or match[2], text))


def _test(word: str) -> Test:
    if word.startswith("!") and not word.startswith("!="):
        if word == "!":
            raise InputError(sentences.WORD_MISSING())
        inner = _test(word[1:])
        return lambda run: not inner(run)
    match = _TERM.fullmatch(word)
    if match is None:
        if word[:1] in "<>=" or word.startswith("!="):
            raise InputError(sentences.COLUMN_MISSING(sign=word[:1], term=word))
        return _free(_plain(word))
    name, sign, value = match.groups()
    return _column(name, "=" if sign == "==" else sign, value)


def _free(word: str) -> Test:
    wanted = word.casefold()
    return lambda run: any(wanted in part.casefold() for part in (run.name, run.dataset, run.note, *run.tags, run.word))


def _column(name: str, sign: str, value: str) -> Test:
    column = find(name)
    if column is None:
        near = get_close_matches(name.lower(), [*fields(), *ALIASES], n=1)
        if near:
            raise InputError(sentences.NO_COLUMN_BUT_NEAR(name=name, near=near[0]))
        raise InputError(sentences.NO_COLUMN(name=name, key=named("runs.columns")))
    if not value:
        raise InputError(sentences.VALUE_MISSING(name=name, sign=sign))
    options = _split(value)
    if sign in _ORDER:
        if not column.number:
            raise InputError(sentences.NO_ORDER(name=name, value=value))
        if len(options) > 1:
            raise InputError(sentences.ONE_NUMBER(name=name, sign=sign))
        limit, order = _number(column, options[0], sign), _ORDER[sign]
        return lambda run: (found := _value(column, run)) is not None and order(found, limit)
    tests = [_equal(column, option, sign) for option in options]
    whole = _plain(value).casefold()  # 64,64 is one value as well
    if sign == "=":
        return lambda run: any(test(run) for test in tests) or _shown(column, run) == whole
    return lambda run: not (any(test(run) for test in tests) or _shown(column, run) == whole)


def _split(value: str) -> list[str]:
    """The values between the commas that stand in no quotes, their quotes taken away."""
    parts = [part for part in re.findall(r'(?:[^,"]|"[^"]*")+', value) if part]
    return [_plain(part) for part in parts] or [value]


def _plain(text: str) -> str:
    return text.replace('"', "")


def _equal(column: Field, option: str, sign: str) -> Test:
    if column.number:
        try:
            wanted = _number(column, option, sign)
        except InputError:
            other = fields()["loss_function"]
            if column.name == "loss" and option in other.words:
                return _equal(other, option, sign)
            if option not in column.words:
                raise
            return lambda run: _shown(column, run) == option
        return lambda run: (found := _value(column, run)) is not None and _alike(found, wanted)
    if column.only and "*" not in option and option.casefold() not in column.words:
        raise InputError(sentences.NOT_ONE_OF(column=column.name, words=column.words, word=option))
    if "*" in option:
        pattern = option.casefold().replace("[", "[[]").replace("?", "[?]")
        return lambda run: any(fnmatchcase(text, pattern) for text in _texts(column, run))
    plain = {"true": "on", "yes": "on", "false": "off", "no": "off"}.get(option.casefold(), option.casefold())
    exact = option.casefold()
    return lambda run: any(text in (exact, plain) for text in _texts(column, run))


def _texts(column: Field, run: RunInfo) -> Sequence[str]:
    """What a word may be equal to: each tag by itself, the name of a table with and without its folder and ending."""
    if column.name == "tags":
        return [tag.casefold() for tag in run.tags]
    shown = _shown(column, run)
    if column.name == "state":  # in the words of run.json too
        return [shown, run.word.casefold(), run.state, run.ended]
    if column.name == "dataset" and run.dataset:
        return [shown, run.dataset.casefold(), shown.partition(".")[0], shown.partition(":")[0]]
    return [shown] if shown else []


def _shown(column: Field, run: RunInfo) -> str:
    return column.text(run).casefold()


def _value(column: Field, run: RunInfo) -> float | None:
    value: Any = column.get(run)
    return float(value) if isinstance(value, int | float) else None


def _number(column: Field, text: str, sign: str) -> float:
    match = _NUMBER.fullmatch(text)
    units = _TIMES | {"": 1.0} if column.timed else _BYTES if column.name == "size" else _SIZES
    if match is None or match[2] not in units:
        example = (
            "2h"
            if column.timed
            else "2MB"
            if column.name == "size"
            else "0.1"
            if column.show is not str and column.name != "steps"
            else "1000"
        )
        takes = sentences.A_TIME() if column.timed else sentences.A_NUMBER()
        raise InputError(sentences.BAD_NUMBER(column=column.name, sign=sign, takes=takes, example=example, text=text))
    return float(match[1].replace("_", "")) * units[match[2]]


def _alike(found: float, wanted: float) -> bool:
    """Whether two numbers are the same as far as the list shows them."""
    return found == wanted or float(f"{found:.{DIGITS}g}") == float(f"{wanted:.{DIGITS}g}")
