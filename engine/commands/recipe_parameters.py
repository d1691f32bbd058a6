"""The recipe's fields as cyclopts takes them, and `ravine train`, which is imported only where a line asks for it.

The values stay text until the recipe checks them, so that a wrong one gets the same sentence here, in a form and in
recipe.toml.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from cyclopts import Group, Parameter

from engine.commands import flags, sentences
from engine.commands import train as training
from engine.commands.flags import Flag
from engine.commands.parameters import Json, Plain, parameter
from engine.recipe import Choice, Recipe, choices
from engine.recipe.known import applies_to

ASKED = ("recipe", "given")  # what a function is given of the recipe's flags
_GROUPS = {
    "data": "Data",
    "normalization": "Normalization",
    "model": "Model",
    "optimizer": "Optimizer",
    "device": "Device",
    "stopping": "Stopping",
    "recording": "Recording",
}


def _text(_: Any, tokens: Sequence[Any]) -> Any:
    return tokens[0].value


def _parameter(choice: Choice, order: int) -> inspect.Parameter:
    group = Group(_GROUPS[choice.section], sort_key=order)
    meaning = sentences.HELP_OF_CHOICE(
        help=choice.help,
        allowed=choice.allowed if choice.kind in ("whole", "number", "pick", "table") else "",
        default=choice.default_text,
        kind=applies_to(choice),
    )
    shape: Any
    if choice.kind == "switch":
        shape = bool
        note = Parameter(name=choice.flag, negative=choice.off or (), help=meaning, group=group, show_default=False)
    elif choice.kind == "table":
        shape = list[str]
        note = Parameter(name=choice.flag, negative=(), help=meaning, group=group, show_default=False)
    else:
        shape = str
        note = Parameter(name=choice.flag, help=meaning, group=group, converter=_text, show_default=False)
    return inspect.Parameter(
        choice.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[shape | None, note]
    )


def _own(flag: Flag) -> inspect.Parameter:
    """A flag of training that is no field of the recipe."""
    shape: Any = bool if flag.switch else str | None
    return inspect.Parameter(
        flag.field,
        inspect.Parameter.KEYWORD_ONLY,
        default=False if flag.switch else None,
        annotation=Annotated[shape, parameter(flag)],
    )


def takes_recipe(function: Callable[..., Any], *, strict: bool = False) -> Callable[..., Any]:
    """Give a function(recipe, given, **own) the recipe's flags, and a DATASET before them; `given` names the fields
    that were given. For `strict` see `asked`.
    """
    own = [p for p in inspect.signature(function, eval_str=True).parameters.values() if p.name not in ASKED]
    names = list(_GROUPS)
    chosen = [_parameter(c, 1 + names.index(c.section)) for c in choices()]
    word = Parameter(name="DATASET", help=sentences.HELP_DATASET(), show_default=False)
    first = inspect.Parameter(
        "word", inspect.Parameter.POSITIONAL_ONLY, default=None, annotation=Annotated[str | None, word]
    )

    def call(
        word: str | None = None,
        *,
        recipe_file: str | None = None,
        preset_name: str | None = None,
        trust: bool = False,
        **given: Any,
    ) -> Any:
        mine = {p.name: given.pop(p.name) for p in own if p.name in given}
        values = {name: value for name, value in given.items() if value is not None}
        recipe = training.asked(word, recipe_file, preset_name, values, trusting=trust, strict=strict)
        return function(recipe, frozenset(values), **mine)

    call.__signature__ = inspect.Signature([first, *own, *map(_own, flags.OF_TRAINING), *chosen])  # type: ignore[attr-defined]
    call.__annotations__ = {}  # the signature says it all; cyclopts would believe these first
    call.__doc__ = function.__doc__
    return call


def _train(recipe: Recipe, given: frozenset[str], *, json: Json = False, plain: Plain = False) -> int:
    """Train without a screen."""
    return training.train(recipe, given=given, json=json, plain=plain)


train = takes_recipe(_train, strict=True)
