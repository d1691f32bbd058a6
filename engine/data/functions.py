"""Tables from a person's own Python: `--dataset module:function`.

The function is called without arguments and may return (X, y) arrays or tensors, a mapping from column names to arrays,
a polars or pandas frame, or a torch Dataset of (x, y) pairs.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import modules
from engine.base.errors import Cancelled, InputError
from engine.data import frames, sentences
from engine.data.frames import DECIDED, How
from engine.data.parallel import Progress, Stop, check
from engine.data.table import Column, Table
from engine.modules import trust

OWN = (__file__, os.path.dirname(modules.__file__))  # no place to correct anything in
_RETURNS = sentences.RETURNS()


def is_name(text: str) -> bool:
    """Whether a text is written like module:function."""
    return bool(trust.NAME.fullmatch(text))


def load(asked: str, progress: Progress | None = None, cancelled: Stop | None = None, how: How = DECIDED) -> Table:
    """The table that module:function returns. The current folder is searched for the module first.

    Raises:
        InputError: there is no such function, it raises, or it returns something else.
        Untrusted: nobody asked for it.
        Cancelled: as asked.
    """
    module_name, _, function_name = asked.partition(":")
    if progress:
        progress(sentences.CALLING(function=asked), None)
    try:
        function = modules.fetch(asked)
    except (InputError, Cancelled):
        raise
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise InputError(sentences.NO_MODULE(module=module_name, folder=os.getcwd())) from None
        raise _blame(asked, error) from error
    except AttributeError as error:
        if error.name != function_name:
            raise _blame(asked, error) from error
        function = None
    except (Exception, SystemExit) as error:
        raise _blame(asked, error) from error
    if not callable(function):
        raise InputError(
            sentences.NO_FUNCTION(
                module=module_name, function=function_name, remedy=modules.hidden(asked) or sentences.DEFINE_IT()
            )
        )
    check(cancelled)
    try:
        returned = function()
    except (InputError, Cancelled):
        raise
    except (Exception, SystemExit) as error:
        raise _blame(asked, error) from error
    check(cancelled)
    try:
        columns, target = _columns(asked, returned, progress, cancelled, how)
    except (InputError, Cancelled):
        raise
    except Exception as error:
        raise InputError(sentences.RETURNS_NO_TABLE(function=asked, reason=error, wanted=_RETURNS)) from error
    return _table(asked, function_name, columns, target)


def _blame(asked: str, error: BaseException) -> InputError:
    """One sentence for what a person's code raised, with the place in that code."""
    frames_ = [
        one for one in traceback.extract_tb(error.__traceback__) if one.filename not in (__file__, modules.__file__)
    ]
    place = ""
    if frames_:
        place = sentences.CODE_PLACE(file=os.path.basename(frames_[-1].filename), line=frames_[-1].lineno)
    if isinstance(error, SyntaxError) and error.filename:
        place = sentences.CODE_PLACE(file=os.path.basename(error.filename), line=error.lineno)
    said = " ".join(str(error).split())
    return InputError(sentences.FUNCTION_FAILED(function=asked, error=type(error).__name__, said=said, place=place))


def _columns(
    asked: str, returned: Any, progress: Progress | None, cancelled: Stop | None, how: How
) -> tuple[list[Column], str | None]:
    if isinstance(returned, Mapping):
        columns: list[Column] = []
        for name, values in returned.items():
            columns += frames.from_matrix(str(name), _array(values), how=how)
        return columns, None
    frame = _frame(returned, how)
    if frame is not None:
        return frame, None
    if isinstance(returned, tuple) and len(returned) == 2:
        return _pair(*returned, how)
    if hasattr(returned, "__getitem__") and hasattr(returned, "__len__") and not hasattr(returned, "shape"):
        return _pair(*_dataset(asked, returned, progress, cancelled), how)
    array = _array(returned)
    if array.ndim == 2:
        return list(frames.from_matrix("x", array, how=how)), None
    raise InputError(sentences.RETURNS_OTHER(function=asked, kind=type(returned).__name__, wanted=_RETURNS))


def _pair(x: Any, y: Any, how: How) -> tuple[list[Column], str]:
    columns = _frame(x, how) or list(frames.from_matrix("x", _array(x), how=how))
    target = getattr(y, "name", None) or "y"
    values = _array(y)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise InputError(sentences.TARGET_SHAPE(shape=str(values.shape)))
    columns.append(frames.from_array(str(target), values, how))
    return columns, str(target)


def _frame(value: Any, how: How) -> list[Column] | None:
    """The columns of a polars or pandas frame; None for anything else."""
    home = type(value).__module__.partition(".")[0]
    if home == "polars" and hasattr(value, "lazy"):
        return list(frames.from_polars(value.lazy().collect(), how)[0])
    if home == "pandas" and hasattr(value, "columns"):
        return list(frames.from_pandas(value, how))
    return None


def _array(value: Any) -> NDArray[Any]:
    """numpy's view of an array, tensor, series or list."""
    for step in ("detach", "cpu", "numpy"):
        if hasattr(value, step) and type(value).__module__.partition(".")[0] == "torch":
            value = getattr(value, step)()
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    return np.asarray(value)


def _dataset(
    asked: str, dataset: Any, progress: Progress | None, cancelled: Stop | None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Features and targets of a torch Dataset, item by item."""
    tensors = getattr(dataset, "tensors", None)
    if isinstance(tensors, tuple) and len(tensors) == 2:
        return _array(tensors[0]), _array(tensors[1])
    count = len(dataset)
    x: list[NDArray[Any]] = []
    y: list[NDArray[Any]] = []
    for number in range(count):
        item = dataset[number]
        if not isinstance(item, tuple | list) or len(item) != 2:
            raise InputError(sentences.NO_PAIR(number=number, function=asked))
        x.append(np.ravel(_array(item[0])))
        y.append(np.ravel(_array(item[1])))
        if number % 1000 == 0:
            check(cancelled)
            if progress:
                progress(sentences.READING(file=asked), number / count)
    return np.stack(x), np.stack(y)[:, 0]


def _table(asked: str, name: str, columns: list[Column], target: str | None) -> Table:
    sizes = {column.name: len(column.data) for column in columns}
    if not columns or not max(sizes.values()):
        raise InputError(sentences.RETURNS_NO_ROWS(function=asked))
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{column} {size:,}" for column, size in list(sizes.items())[:6])
        raise InputError(sentences.UNEQUAL_COLUMNS(function=asked, sizes=listed))
    if len(sizes) < len(columns):
        seen: set[str] = set()
        for place, column in enumerate(columns):
            if column.name in seen and column.name != target:
                columns[place] = replace(column, name=f"{column.name}_{place + 1}")
            elif column.name in seen:
                raise InputError(sentences.SAME_AS_TARGET(function=asked, column=column.name))
            seen.add(columns[place].name)
    kept = tuple(columns)
    return Table(name, asked, kept, len(kept[0].data), target, origin="function")
