"""Short ways to the public doors of the data layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine import recipe
from engine.data.prepare import Prepared, prepare
from engine.data.sources import load
from engine.data.table import Table
from engine.modules import trust


def choices(dataset: str | Path, **data: Any) -> recipe.Data:
    """The data section of a recipe, as if a person had typed it."""
    trust.ask(str(dataset))
    return recipe.Data(dataset=str(dataset), **data)


def table(dataset: str | Path, **data: Any) -> Table:
    """A loaded table."""
    return load(choices(dataset, **data))


def ready(dataset: str | Path, normalize: str = "zscore", **data: Any) -> Prepared:
    """A prepared table. `std` and `normalize_target` go to the normalization, everything else to the data."""
    own = {key: data.pop(key) for key in ("std", "normalize_target") if key in data}
    section = choices(dataset, **data)
    return prepare(section, recipe.Normalization(normalize=normalize, **own), load(section))


def write(path: Path, content: str | bytes) -> Path:
    """A file with this content."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def lines(count: int = 20, header: str = "a,y", row: str = "{i},{z}") -> str:
    """A small table as CSV: i counts, z = 2.5 i + 1."""
    return header + "\n" + "".join(row.format(i=i, z=2.5 * i + 1) + "\n" for i in range(count))
