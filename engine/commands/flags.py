"""The flags that both readers of the command line know and that are no fields of a recipe, each said once.

`engine.commands.plain` reads them without a parser library, `engine.commands.parameters` gives them to cyclopts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.commands import sentences

Plain = dict[str, tuple[str, bool | None]]  # by flag: the name it gives a value to; its value, or None for a text


@dataclass(frozen=True)
class Flag:
    """One flag.

    Attributes:
        field: the parameter of the command that gets its value.
        help: gives a sentence on what it does.
        name: as it is typed; "" for the field's name with dashes.
        switch: whether it takes no value, and is True where it is given.
        dashed: whether its value may begin with a dash.
    """

    field: str
    help: Callable[[], str]
    name: str = ""
    switch: bool = False
    dashed: bool = False

    @property
    def typed(self) -> str:
        """As it is typed."""
        return self.name or "--" + self.field.replace("_", "-")


def _presets() -> str:
    from engine.presets import SHIPPED

    return sentences.HELP_PRESET(names=SHIPPED)


JSON = Flag("json", sentences.HELP_JSON, switch=True)
PLAIN = Flag("plain", sentences.HELP_PLAIN, switch=True)
TRUST = Flag("trust", sentences.HELP_TRUST, switch=True)
RUNS = Flag("runs", sentences.HELP_RUNS)
RECIPE = Flag("recipe_file", sentences.HELP_RECIPE, "--recipe")
PRESET = Flag("preset_name", _presets, "--preset")
VALUES = Flag("values", sentences.HELP_VALUES, dashed=True)
INPUT = Flag("input", sentences.HELP_INPUT, dashed=True)

ALL = (JSON, PLAIN, TRUST, RUNS, RECIPE, PRESET, VALUES, INPUT)
OF_TRAINING = (RECIPE, PRESET, TRUST)  # beside the fields of the recipe


def plain(*flags: Flag) -> Plain:
    """As `engine.commands.plain` takes them."""
    return {flag.typed: (flag.field, True if flag.switch else None) for flag in flags}
