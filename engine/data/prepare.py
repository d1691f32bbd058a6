"""From a table to arrays that can be trained on, everything fitted on train rows only.

choose columns ─▶ read the target ─▶ leave out rows ─▶ split ─▶ fit Encoder ─▶ encode ─▶ fit Normalizer ─▶ transform
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.data import duplicates, normalize, sentences, target
from engine.data import plan as planning
from engine.data.encode import Encoder
from engine.data.normalize import Normalizer, TargetScale
from engine.data.parallel import Progress, Stop, check
from engine.data.plan import DataPlan
from engine.data.select import LeftOut
from engine.data.table import Floats, Table, Task

if TYPE_CHECKING:
    from engine import recipe


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows, ready for a kernel.

    Attributes:
        x: float64 [n, d], C-contiguous, encoded and normalized.
        y: float64 [n]: the scaled target for regression, 0 or 1 for binary, the class number (a whole number as
            float64) for multiclass.
        weight: float64 [n], the class weights fitted on the train rows; None where all rows weigh the same.
        index: int64 [n], the rows' numbers in the table, ascending.
    """

    x: Floats
    y: Floats
    weight: Floats | None
    index: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True, eq=False)
class Prepared:
    """All that training needs of the data.

    Attributes:
        task: what is learned.
        target: name of the column that is predicted.
        features: names of the d encoded columns.
        classes: names of the classes in the order of their numbers; () for regression.
        train, validation, test: the rows of each part; validation and test may be empty.
        encoder, normalizer, target_scale: fitted on the train rows.
        notes: everything that was left out or repaired and why, a sentence each.
        table_name: the table's short name.
        normalization: the choice it was made with.
        plan: what another normalization starts from.
    """

    task: Task
    target: str
    features: tuple[str, ...]
    classes: tuple[str, ...]
    train: Rows
    validation: Rows
    test: Rows
    encoder: Encoder
    normalizer: Normalizer
    target_scale: TargetScale
    notes: tuple[str, ...]
    table_name: str
    normalization: recipe.Normalization
    plan: DataPlan

    @property
    def fingerprint(self) -> str:
        """sha256 of the table's content, hexadecimal; found when it is first asked for."""
        return self.plan.table.fingerprint

    @property
    def positive(self) -> int | None:
        """Of two classes the number of the positive one; else None."""
        return self.plan.positive

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Columns that are not learned from, with the reason."""
        return self.plan.left_out

    def raw_train(self, *, cancelled: Stop | None = None) -> Floats:
        """The encoded train rows before normalization, float64 [n, d], as a new array."""
        return self.plan.encoder.fill(self.plan.table, self.train.index, cancelled)[0]


def prepare(
    data: recipe.Data,
    normalization: recipe.Normalization,
    table: Table,
    *,
    progress: Progress | None = None,
    cancelled: Stop | None = None,
) -> Prepared:
    """Arrays for training from a table.

    Rows keep the order of the table within each part. `data.types` are applied to the table once more, so that a table
    loaded under other choices can be used.

    Raises:
        InputError: a column, share or value that cannot be used, with the remedy.
        Cancelled: when `cancelled` says so.
    """
    plan = planning.make(data, table, progress, cancelled)
    return _build(plan, normalization, progress, cancelled)


def _build(
    plan: DataPlan, normalization: recipe.Normalization, progress: Progress | None, cancelled: Stop | None
) -> Prepared:
    def tell(what: str, share: float | None) -> None:
        if progress:
            progress(what, share)
        check(cancelled)

    tell("encoding", 0.0)
    notes = list(plan.notes)
    features = plan.encoder.features
    indices = (plan.split.train, plan.split.validation, plan.split.test)
    matrices: list[Floats] = []
    for part, index in zip(("train", "validation", "test"), indices, strict=True):
        matrix, warnings = plan.encoder.fill(plan.table, index, cancelled)
        matrices.append(matrix)
        notes += [sentences.AMONG_ROWS(part=part, remark=warning) for warning in warnings]
    tell("normalizing", 0.5)
    normalizer = normalize.fit(
        matrices[0], normalization.normalize, normalization.std, names=features, cancelled=cancelled
    )
    for matrix in matrices:
        normalizer.transform_in_place(matrix, cancelled)
    notes += _constants(features, normalizer)
    goal = plan.goal
    scale = TargetScale()
    if normalization.normalize_target and goal.task == "regression":
        scale = normalize.fit_target(
            goal.y[plan.split.train], normalization.normalize, normalization.std, name=plan.name
        )
    targets = [scale.transform(goal.y[index]) if scale != TargetScale() else goal.y[index] for index in indices]
    tell(sentences.LOOKING_FOR_DUPLICATES(), 0.9)
    notes += _duplicates(matrices, targets)
    weights = _weights(plan, targets)
    parts = [Rows(*each) for each in zip(matrices, targets, weights, indices, strict=True)]
    return Prepared(
        goal.task,
        plan.name,
        features,
        goal.classes,
        parts[0],
        parts[1],
        parts[2],
        plan.encoder,
        normalizer,
        scale,
        tuple(notes),
        plan.table.name,
        normalization,
        plan,
    )


def _weights(plan: DataPlan, targets: Sequence[Floats]) -> list[Floats | None]:
    if plan.data.class_weight == "none" or not plan.goal.classes:
        return [None, None, None]
    by_class = target.class_weights(targets[0], len(plan.goal.classes))
    return [by_class[y.astype(np.int64)] for y in targets]


def _constants(features: Sequence[str], normalizer: Normalizer) -> list[str]:
    where = np.flatnonzero(normalizer.constant)
    if not where.size:
        return []
    listed = ", ".join(features[i] for i in where[:5]) + (" …" if where.size > 5 else "")
    return [sentences.CONSTANT(features=listed, count=int(where.size))]


def _duplicates(matrices: Sequence[Floats], targets: Sequence[Floats]) -> list[str]:
    notes = []
    for name, x, y in (("validation", matrices[1], targets[1]), ("test", matrices[2], targets[2])):
        count = duplicates.shared(matrices[0], targets[0], x, y)
        if count:
            notes.append(sentences.DUPLICATES(copies=count, rows=len(y), part=name))
    return notes
