"""Going on with a run in its own folder: one rule for the command line and the app."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from engine.base.errors import InputError
from engine.base.shell import joined
from engine.recipe import Recipe, find, read_toml
from engine.runs import sentences
from engine.runs.facts import read_facts
from engine.runs.liveness import standing
from engine.runs.origin import Origin


class AllTaken(InputError):
    """A run has taken all its steps, and no more are asked for.

    Attributes:
        more: twice as many.
    """

    def __init__(self, run: Path, steps: int) -> None:
        self.more = 2 * steps
        line = joined(["ravine", "resume", str(run), "--steps", str(self.more)])
        super().__init__(sentences.ALL_TAKEN(run=run.name, steps=steps, command=line))


@dataclass(frozen=True)
class Resumption:
    """What a run goes on with: its recipe, perhaps with another length, and its last checkpoint."""

    recipe: Recipe
    origin: Origin
    command: str  # the command line that does the same


def read(
    run: Path,
    *,
    steps: str | None = None,
    epochs: str | None = None,
    changed_data: bool = False,
    take_over: bool = False,
    asks: bool = True,
) -> Resumption:
    """Read what a run goes on with.

    Args:
        steps, epochs: a new length of the whole run; a finished run goes on to it.
        changed_data: go on though the table is not the one that the run began with.
        take_over: also where the process that had the run cannot be asked whether it is over.
        asks: somebody is there to be asked for a length. Else a finished run that is to be no longer is gone into, and
            ends at once: a script may resume its run as often as it likes.

    Raises:
        AllTaken: the run is finished, no new length is given, and somebody can be asked.
        InputError: a process has the run, or may have it; there is no checkpoint; the length cannot be.
    """
    recipe, facts = read_toml(run), read_facts(run)
    found = standing(run, facts)
    if (why := found.refusal(run)) and not (take_over and found.state == "unknown"):
        raise InputError(why)
    given = {"steps": steps, "epochs": epochs}
    length = {name: find(name).read(text) for name, text in given.items() if text is not None}
    recipe = recipe.replace(length)
    planned = int((facts.get("choices") or {}).get("steps") or 0)
    done = int((facts.get("result") or {}).get("steps") or 0)
    finished = facts.get("state") == "ended" and 0 < planned <= done
    if finished and not length and asks:
        raise AllTaken(run, planned)
    origin = replace(Origin.read(run, changed_data=changed_data, take_over=take_over), finished=finished and asks)
    if recipe.stopping.steps is not None and length:
        origin.check_length(recipe.stopping.steps)
    words = [word for name, text in length.items() for word in (f"--{name}", str(text))]
    return Resumption(recipe, origin, joined(["ravine", "resume", str(run), *words]))
