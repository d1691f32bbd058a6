"""Where the table of a run lies, from whichever folder one asks: its recipe may name it relative to where it began."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.base.errors import InputError
from engine.data.sources import file_of
from engine.recipe import Data, Recipe
from engine.runs.facts import read_facts


def located(data: Data, run: Path) -> Data:
    """The data of a run, its table named so that it is found from here.

    Looked for at the place where the run found it, then by the recipe's own words from here, then from the folder that
    holds the runs folder (a project that was moved as a whole). What is no file is left as it is, and so is one that
    the recipe's own words find.
    """
    asked = Path(data.dataset).expanduser()
    if file_of(data) is None:
        return data
    known = _known(run)
    places = [place for place in (known, asked, run.absolute().parent.parent / asked) if place is not None]
    found = next((place for place in places if place.exists()), known)
    if found is None or found == asked or (asked.exists() and found.exists() and asked.samefile(found)):
        return data
    return replace(data, dataset=str(found))


def located_recipe(recipe: Recipe, run: Path) -> Recipe:
    """The recipe of a run, its table named so that it is found from here."""
    return replace(recipe, data=located(recipe.data, run))


def _known(run: Path) -> Path | None:
    """Where the run found its table; None where that was not recorded, or it was no file."""
    try:
        place = (read_facts(run).get("data") or {}).get("path")
    except InputError:
        return None
    return Path(place) if isinstance(place, str) else None
