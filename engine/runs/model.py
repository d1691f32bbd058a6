"""A run's model for other programs: raw values in, predictions out.

import engine

model = engine.load("runs/last")            # a run folder
model.predict(frame)                        # a polars or pandas frame, columns found by name
model.predict(array)                        # numpy [rows, inputs], columns in the order of model.inputs
model.predict([{"size": 30, "age": 5}])     # rows by name; text is read as a person would write it
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray

from engine.data import frames
from engine.data.encode import Input
from engine.data.table import Column, Table
from engine.errors import InputError
from engine.learn import metrics
from engine.runs.predictor import Predictor
from engine.runs.predictor import load as load_predictor
from engine.runs.store import resolve

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped, unused-ignore]
    import polars as pl

Floats = NDArray[np.float64]
Cell: TypeAlias = str | float | None
Rows: TypeAlias = Union[
    "pl.DataFrame", "pd.DataFrame", NDArray[Any], Sequence[Mapping[str, Cell]], Sequence[Sequence[Cell]],
    Mapping[str, Cell], Mapping[str, Sequence[Cell]],
]  # fmt: skip


class PredictionWarning(UserWarning):
    """Values that the model was not trained for: outside the range of the train rows, unknown, missing."""


class Model:
    """A trained model with its preprocessing. Immutable: any number of threads may use one.

    Values are given as the table had them that the model was trained on: raw units, categories as text, None, NaN or
    an empty text where missing. What is odd about them is told with a `PredictionWarning`.
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    def __repr__(self) -> str:
        names = ", ".join(column.name for column in self.inputs)
        return f"<model {self.run.name}: {names} -> {self.target}>"

    @property
    def run(self) -> Path:
        """The run folder."""
        return self._predictor.path

    @property
    def target(self) -> str:
        """The column that is predicted."""
        return self._predictor.target

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The raw columns that are needed, in order, with what the train rows held."""
        return self._predictor.inputs

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes in the order of `probabilities`; () where an amount is predicted."""
        return self._predictor.classes

    def predict(self, rows: Rows) -> NDArray[Any]:
        """The prediction for each row: float64 [n] in the target's own unit, or the classes as texts [n].

        Memory beyond the rows and the answer does not grow with their number.

        Args:
            rows: a polars or pandas frame (columns by name, others are ignored), an array [n, inputs] (columns in the
                order of `inputs`; [n] where there is one), rows as mappings by name or as sequences in that order,
                one row as a mapping, or columns as a mapping of arrays.

        Raises:
            InputError: a column is missing, or a cell is not what it was in training; names the column.
        """
        outputs = self._outputs(rows)
        if not self.classes:
            return outputs
        return np.array(self.classes)[metrics.decide(outputs, self._predictor.threshold)]

    def probabilities(self, rows: Rows) -> Floats:
        """The probability of each class: float64 [n, classes], in the order of `classes`. Rows as in `predict`.

        Raises:
            InputError: as `predict` does, and where an amount is predicted.
        """
        if not self.classes:
            raise InputError(f"{self.target} is an amount, not one of several classes; use predict.")
        return self._outputs(rows)

    def predict_batches(self, batches: Iterable[Rows]) -> Iterator[NDArray[Any]]:
        """The predictions of one batch after the other, for tables that do not fit into memory."""
        return (self.predict(batch) for batch in batches)

    def _outputs(self, rows: Rows) -> Floats:
        known = self._as_rows(rows)
        if known is None:
            outputs, told = self._predictor.predict(self._as_table(rows))
        else:
            outputs, told = self._predictor.predict_rows(known)
        for sentence in told:
            warnings.warn(sentence, PredictionWarning, stacklevel=3)
        return outputs

    def _as_rows(self, rows: Rows) -> Sequence[Mapping[str, Any]] | None:
        """Rows that are mappings by name or sequences; None for what is a table."""
        names = [column.name for column in self.inputs]
        if isinstance(rows, Mapping):
            return (
                [{n: _plain(v) for n, v in rows.items()}] if all(_is_cell(value) for value in rows.values()) else None
            )
        if not isinstance(rows, Sequence) or isinstance(rows, str):
            return None
        found: list[Mapping[str, Any]] = []
        for number, row in enumerate(rows):
            if isinstance(row, Mapping):
                found.append({name: _plain(value) for name, value in row.items()})
            elif isinstance(row, Sequence | np.ndarray) and not isinstance(row, str) and len(row) == len(names):
                found.append(dict(zip(names, map(_plain, row), strict=True)))
            else:
                raise InputError(
                    f"Row {number + 1} is neither a mapping by name nor a sequence of {len(names)} values: "
                    f"{', '.join(names)}."
                )
        return found

    def _as_table(self, rows: Any) -> Table:
        names = [column.name for column in self.inputs]
        maker = type(rows).__module__.partition(".")[0]
        if maker == "polars" and hasattr(rows, "collect"):
            rows = rows.collect()
        if maker in ("polars", "pandas") and hasattr(rows, "columns"):
            kept = [name for name in rows.columns if name in names]
            columns = frames.from_polars(rows[kept])[0] if maker == "polars" else frames.from_pandas(rows[kept])
            return _table(columns, len(rows), f"The {maker} frame")
        if isinstance(rows, Mapping):
            columns = tuple(_column(name, np.asarray(values)) for name, values in rows.items() if name in names)
            return _table(columns, len(columns[0].data) if columns else 0, "The mapping")
        if not hasattr(rows, "__array__"):
            raise InputError(
                f"A {type(rows).__name__} cannot be predicted from; give a frame, an array [rows, {len(names)}] or a "
                "list of mappings."
            )
        array = np.asarray(rows)
        if array.ndim == 1 and len(names) == 1:
            array = array[:, None]
        if array.ndim != 2 or array.shape[1] != len(names):
            raise InputError(
                f"The array has shape {list(array.shape)}; the model takes [rows, {len(names)}] with the columns "
                f"{', '.join(names)}."
            )
        columns = tuple(_column(name, array[:, number]) for number, name in enumerate(names))
        return _table(columns, len(array), "The array")


def _is_cell(value: Any) -> bool:
    return value is None or isinstance(value, str) or np.ndim(value) == 0


def _plain(value: Any) -> Any:
    """A cell as typed values have it: True is the text true."""
    return str(bool(value)).lower() if isinstance(value, bool | np.bool_) else value


def _column(name: str, values: NDArray[Any]) -> Column:
    if values.dtype.kind in "iuf":  # a number stays one, whatever it looks like
        return Column(name, "numeric", np.ascontiguousarray(values, np.float64))
    return frames.from_array(name, values)


def _table(columns: tuple[Column, ...], rows: int, what: str) -> Table:
    if any(len(column.data) != rows for column in columns):
        raise InputError(f"{what} has columns of different lengths.")
    return Table(what, "", columns, rows, origin="function")


def load(run: str | Path) -> Model:
    """The model of a run folder: its path, or what `ravine predict` takes as RUN in ./runs.

    Raises:
        InputError: there is no such folder, or no model in it, or it is damaged or of a newer version.
    """
    path = Path(run).expanduser()
    return Model(load_predictor(path if path.is_dir() else resolve(str(run), Path("runs"))))
