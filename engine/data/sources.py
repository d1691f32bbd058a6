"""Where tables come from: one door for built-in sets, generators, files and a person's own functions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.base.errors import InputError
from engine.data import builtins, functions, kinds, sentences
from engine.data.parallel import Progress, Stop
from engine.data.table import Table
from engine.registry.datasets import REGISTRY, Dataset

if TYPE_CHECKING:
    from engine import recipe


def builtin_sets() -> tuple[Dataset, ...]:
    """Every set that is there without a file, in the order lists show them. Costs nothing."""
    return tuple(REGISTRY)


def load(
    data: recipe.Data, *, progress: Progress | None = None, cancelled: Stop | None = None, lenient: bool = False
) -> Table:
    """The table that `data.dataset` names, its columns read as `data.types` says.

    Args:
        progress: told what is done, and the share of it that is done (None where unknown).
        cancelled: asked now and then; True gives loading up.
        lenient: whether to return a table even where a column that is used holds stray text, for a screen on which a
            person then decides; `prepare` complains of it otherwise.

    Raises:
        InputError: one sentence with the thing, the place and the remedy.
        Cancelled: as asked.
    """
    table = _read(data, progress, cancelled)
    table = kinds.retype(table, data.types)
    if not lenient:
        _check_used(data, table)
    return table


def module_of(data: recipe.Data) -> str:
    """The module:function that a recipe reads its table from; empty where it is from somewhere else."""
    asked = data.dataset.strip()
    known = asked.partition(":")[0] in REGISTRY
    return asked if functions.is_name(asked) and not known and not _exists(Path(asked)) else ""


def file_of(data: recipe.Data) -> Path | None:
    """The file that a recipe reads its table from; None where it is from somewhere else, or nobody knows where."""
    asked = data.dataset.strip()
    if asked.partition(":")[0] in REGISTRY or module_of(data):
        return None
    path = Path(asked).expanduser()
    return None if path.name == asked and not path.suffix and not _exists(path) else path


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _read(data: recipe.Data, progress: Progress | None, cancelled: Stop | None) -> Table:
    asked = data.dataset.strip()
    if asked.partition(":")[0] in REGISTRY:
        return builtins.load(asked)
    if module_of(data):
        return functions.load(asked, progress, cancelled)
    path = file_of(data)
    if path is None:
        raise _unknown(asked)
    from engine.data import files

    return files.read(path, progress, cancelled)


def _check_used(data: recipe.Data, table: Table) -> None:
    """Complain of stray text in a column that will be used, and of a target that is not there."""
    from engine.data import select

    predicted = select.target(table, data).name if data.target else table.target
    for column in table.columns:
        if column.name == predicted or (
            column.name not in data.drop and (not data.features or column.name in data.features)
        ):
            kinds.check_strays(table, column, is_target=column.name == predicted)


def _unknown(name: str) -> InputError:
    """The complaint about a set that is neither built in nor a file."""
    from difflib import get_close_matches

    near = get_close_matches(name, REGISTRY.names, n=1)
    if near:
        return InputError(sentences.NO_SET_BUT_NEAR(name=name, near=near[0]))
    return InputError(sentences.NO_SET(name=name, names=REGISTRY.names))
