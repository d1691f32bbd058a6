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

from engine.base.errors import InputError
from engine.data import frames
from engine.data.encode import Input
from engine.data.table import Column, Table
from engine.runs import sentences
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


class TrainedModel:
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
        """The classes in the order of `probabilities`; () for regression."""
        return self._predictor.classes

    @property
    def positive(self) -> str | None:
        """Of two classes the positive one; None where there are not two."""
        decision = self._predictor.decision
        return None if decision is None else decision.name

    @property
    def threshold(self) -> float | None:
        """The probability of the positive class from which on it is predicted; None where there are not two classes."""
        decision = self._predictor.decision
        return None if decision is None else decision.threshold

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
        return np.array(self.classes)[self._predictor.chosen(outputs)]

    def probabilities(self, rows: Rows) -> Floats:
        """The probability of each class: float64 [n, classes], in the order of `classes`. Rows as in `predict`.

        Raises:
            InputError: as `predict` does, and for regression.
        """
        if not self.classes:
            raise InputError(sentences.NO_CLASSES(target=self.target))
        return self._outputs(rows)

    def predict_batches(self, batches: Iterable[Rows]) -> Iterator[NDArray[Any]]:
        """The predictions of one batch after the other, for tables that do not fit into memory."""
        return (self.predict(batch) for batch in batches)

    def _outputs(self, rows: Rows) -> Floats:
        known = self._as_rows(rows)
        if known is None:
            table = self._as_table(rows)
            outputs, told = self._predictor.predict(table)
            told = (*table.notes, *told)
        else:
            outputs, told = self._predictor.predict_rows(known)
        for sentence in told:
            warnings.warn(sentence, PredictionWarning, stacklevel=3)
        return outputs

    def _as_rows(self, rows: Rows) -> Sequence[Mapping[str, Any]] | None:
        """Rows that are mappings by name or sequences; None for what is a table."""
        names = [column.name for column in self.inputs]
        if isinstance(rows, Mapping):
            return [dict(rows)] if all(_is_cell(value) for value in rows.values()) else None
        if not isinstance(rows, Sequence) or isinstance(rows, str):
            return None
        found: list[Mapping[str, Any]] = []
        for number, row in enumerate(rows):
            if isinstance(row, Mapping):
                found.append(row)
            elif isinstance(row, Sequence | np.ndarray) and not isinstance(row, str) and len(row) == len(names):
                found.append(dict(zip(names, row, strict=True)))
            else:
                raise InputError(sentences.BAD_ROW(row=number + 1, count=len(names), names=names))
        return found

    def _as_table(self, rows: Any) -> Table:
        names = [column.name for column in self.inputs]
        how = frames.How(decide=False, missing=self._predictor.encoder.missing)
        maker = type(rows).__module__.partition(".")[0]
        if maker == "polars" and hasattr(rows, "collect"):
            rows = rows.collect()
        if maker in ("polars", "pandas") and hasattr(rows, "columns"):
            places, notes = _places(names, list(rows.columns))
            if maker == "polars":
                own = rows.select([rows.to_series(place).alias(name) for name, place in places.items()])
                columns, left = frames.from_polars(own, how)
            else:
                own, left = rows.iloc[:, list(places.values())], ()
                columns = frames.from_pandas(own.set_axis(list(places), axis=1), how)
            return _table(columns, len(rows), sentences.THE_FRAME(library=maker), (*notes, *left))
        if isinstance(rows, Mapping):
            columns = tuple(_column(name, np.asarray(values), how) for name, values in rows.items() if name in names)
            return _table(columns, len(columns[0].data) if columns else 0, sentences.THE_MAPPING())
        if not hasattr(rows, "__array__"):
            raise InputError(sentences.NOT_ROWS(kind=type(rows).__name__, columns=len(names)))
        array = np.asarray(rows)
        if array.ndim == 1 and len(names) == 1:
            array = array[:, None]
        if array.ndim != 2 or array.shape[1] != len(names):
            raise InputError(sentences.BAD_SHAPE(shape=str(list(array.shape)), columns=len(names), names=names))
        columns = tuple(_column(name, array[:, number], how) for number, name in enumerate(names))
        return _table(columns, len(array), sentences.THE_ARRAY())


def _places(names: Sequence[str], there: Sequence[Any]) -> tuple[dict[str, int], list[str]]:
    """Where the named columns of a frame are, and notes on names that it has more than once.

    A label without spaces around it will do, and a number for a name of digits; of several the first is taken.
    """
    exact: dict[str, int] = {}
    near: dict[str, int] = {}
    notes = []
    for place, label in enumerate(there):
        if isinstance(label, str) and label in exact and label in names:
            notes.append(sentences.COLUMN_TWICE(name=label))
        if isinstance(label, str):
            exact.setdefault(label, place)
        near.setdefault(" ".join(str(label).split()), place)
    found = {name: exact.get(name, near.get(name, -1)) for name in names}
    return {name: place for name, place in found.items() if place >= 0}, notes


def _is_cell(value: Any) -> bool:
    return value is None or isinstance(value, str) or np.ndim(value) == 0


def _column(name: str, values: NDArray[Any], how: frames.How) -> Column:
    if values.dtype.kind in "iuf":  # a number stays one, whatever it looks like
        return Column(name, "numeric", np.ascontiguousarray(values, np.float64))
    return frames.from_array(name, values, how)


def _table(columns: tuple[Column, ...], rows: int, what: str, notes: tuple[str, ...] = ()) -> Table:
    if any(len(column.data) != rows for column in columns):
        raise InputError(sentences.UNEQUAL(what=what))
    return Table(what, "", columns, rows, notes=notes, origin="function")


def load(run: str | Path, *, trust: bool = False) -> TrainedModel:
    """The model of a run folder: its path, or what `ravine predict` takes as RUN in ./runs.

    Args:
        trust: run the module:Class that the run names, if it names one, as it is now; it is not asked again.

    Raises:
        InputError: there is no such folder, or no model in it, or it is damaged or of a newer version.
        engine.base.errors.Untrusted: its module:Class was neither run nor confirmed before, or has changed since.
    """
    path = Path(run).expanduser()
    predictor = load_predictor(path if path.is_dir() else resolve(str(run), Path("runs")))
    predictor.check(trust=trust)
    return TrainedModel(predictor)
