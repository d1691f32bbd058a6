"""The flags of commands as cyclopts takes them; those of the recipe are in `engine.commands.recipe_parameters`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from engine.commands import flags, sentences
from engine.commands.flags import Flag


def parameter(flag: Flag) -> Parameter:
    """A flag for cyclopts."""
    name, negative = flag.name or None, () if flag.switch else None
    return Parameter(name=name, negative=negative, help=flag.help(), allow_leading_hyphen=flag.dashed)


RunName = Annotated[str, Parameter(name="RUN", help=sentences.HELP_RUN())]
RunsFolder = Annotated[str, parameter(flags.RUNS)]
Plain = Annotated[bool, parameter(flags.PLAIN)]
Trust = Annotated[bool, parameter(flags.TRUST)]
Json = Annotated[bool, parameter(flags.JSON)]
Values = Annotated[str | None, parameter(flags.VALUES)]
Input = Annotated[str | None, parameter(flags.INPUT)]
