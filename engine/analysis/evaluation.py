"""A model looked at closely: every split against its baseline, the curves, the worst rows, the health of parameters.

Figures that are not defined (a recall without rows of the class, an area under a curve of one class) are NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from engine import modules
from engine.analysis import sentences
from engine.base.errors import InputError
from engine.base.rounding import SHARE, alike
from engine.data.prepare import Prepared, Rows, prepare
from engine.data.sources import load, module_of
from engine.data.table import Table
from engine.learn import backward, health, metrics
from engine.learn.decision import Decision
from engine.learn.decision import of as decision_of
from engine.learn.kernels.contract import Split
from engine.learn.models import Architecture
from engine.learn.objective import row_losses, unit
from engine.learn.plan import make_architecture
from engine.recipe import read_toml
from engine.registry.losses import MSE, REGISTRY
from engine.runs import predictor
from engine.runs.facts import read_facts
from engine.runs.folder import read_evaluations
from engine.runs.whereabouts import located

Floats = NDArray[np.float64]
WORST = 20  # rows listed by default


@dataclass(frozen=True, eq=False)
class ThresholdCurve:
    """How well one class is told from the others, for every threshold.

    Attributes:
        name: of the class.
        false, true: [points] rates of the ROC curve, from (0, 0) to (1, 1).
        recall, precision: [points] of the precision-recall curve, from (0, 1).
        thresholds: [points] the probability from which on the class is decided at each point; infinity at the first.
        roc_auc, pr_auc: the areas.
    """

    name: str
    false: Floats
    true: Floats
    recall: Floats
    precision: Floats
    thresholds: Floats
    roc_auc: float
    pr_auc: float


@dataclass(frozen=True)
class Case:
    """One row and what the model makes of it.

    Attributes:
        row: its number in the table, from 1.
        place: where it is to be found, such as "sales.csv, line 17".
        values: the raw cells that the model is given, by column, as a person would write them.
        target, predicted: numbers of a regression, classes by name.
        probability: the probability of the predicted class; NaN of a regression.
        loss: of this row, in the target's own units.
    """

    row: int
    place: str
    values: dict[str, str]
    target: float | str
    predicted: float | str
    probability: float
    loss: float


@dataclass(frozen=True, eq=False)
class Part:
    """One split under the model.

    Attributes:
        rows: how many.
        figures: metrics; of two classes as the evaluation decides.
        baseline: the same metrics of the constant that knows the train rows' targets alone: their mean, or their class
            shares, whose decision is the greatest class.
        at_half: of two classes the metrics at threshold 0.5; else empty.
        target: [n] regression targets, or class numbers.
        predicted: [n] regression outputs, or class numbers as they are decided.
        probabilities: [n, classes]; None for regression.
        confusion: [classes, classes], rows the true class, columns the decided one; None for regression.
        per_class: precision, recall, f1 and support [classes]; None for regression.
        curves: for the positive one of two classes, or for every one of more.
        worst: the rows with the greatest losses, the worst first.
    """

    rows: int
    figures: dict[str, float]
    baseline: dict[str, float]
    at_half: dict[str, float]
    target: Floats
    predicted: Floats
    probabilities: Floats | None
    confusion: NDArray[np.int64] | None
    per_class: dict[str, Floats] | None
    curves: tuple[ThresholdCurve, ...]
    worst: tuple[Case, ...]

    def size(self, metric: str) -> float | None:
        """What a metric, or the loss of a row by its name, is measured against; see `engine.base.rounding`.

        An error of a regression is rounding beside the targets themselves.
        """
        if self.probabilities is not None:
            return self.baseline["log_loss"] if metric == "log_loss" or metric in REGISTRY else None
        largest = self.largest_target
        if metric in REGISTRY and REGISTRY[metric].steepest is not None:  # it grows with the square of a small error
            return max(self.baseline[MSE.name], SHARE * largest**2)
        return 1.0 if metric == "r2" else largest

    @property
    def largest_target(self) -> float:
        """The greatest target of a regression, beside which others may be rounding; NaN for classes."""
        return float(np.abs(self.target).max(initial=0.0)) if self.probabilities is None else float("nan")

    @property
    def residuals(self) -> Floats:
        """[n] target minus prediction, in the target's own units; NaN for classes."""
        return self.target - self.predicted if self.probabilities is None else np.full(self.rows, np.nan)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """All that is to be told of a model.

    Attributes:
        task, target, classes: what is predicted.
        loss: the name of the loss by which the worst rows are chosen.
        decision: how two classes are decided; None of more, and for regression.
        parts: by split; one without rows is left out.
        health: of every parameter; () for a module of the person's own.
        gradient_size: the norm of the gradient before the first update, where it is known.
    """

    task: str
    target: str
    classes: tuple[str, ...]
    loss: str
    decision: Decision | None
    parts: dict[Split, Part]
    health: tuple[health.Health, ...]
    gradient_size: float | None = None

    @property
    def complaints(self) -> tuple[str, ...]:
        """Half a sentence for every parameter that is not well."""
        return tuple(one.words for one in self.health if one.words)


def evaluate(
    run: Path, *, table: Table | None = None, worst: int = WORST, cancelled: Callable[[], bool] | None = None
) -> Evaluation:
    """Evaluate the model of a run folder, of a finished run or as of its last checkpoint.

    The table is read again and split as it was.

    Args:
        table: where it has been loaded already.
        worst: how many of the worst rows to list for each split.

    Raises:
        InputError: the folder is no run, has no model yet, or its table has changed or is gone.
        Cancelled: as asked.
    """
    facts, recipe, model = read_facts(run), read_toml(run), predictor.load(run)
    with modules.of_run(run.name, facts):
        modules.check(*(name for name in (module_of(recipe.data), model.architecture.module) if name))
        table = load(located(recipe.data, run), cancelled=cancelled) if table is None else table
    prepared = prepare(recipe.data, recipe.normalization, table, cancelled=cancelled)
    known = (facts.get("data") or {}).get("fingerprint")
    if known is not None and known != prepared.fingerprint:
        raise InputError(sentences.OTHER_TABLE(dataset=recipe.data.dataset, run=run.name))
    outputs = {split: model.forward(rows(prepared, split).x) for split in get_args(Split)}
    _, loss = make_architecture(recipe, prepared)
    condition = conditions(model.architecture, loss, model.parameters.arrays, prepared)
    found = examine(prepared, outputs, loss, model.decision, health=condition, worst=worst)
    norms = (values["gradient_norm"] for _, values in read_evaluations(run) if "gradient_norm" in values)
    return replace(found, gradient_size=next(norms, None))


def conditions(
    architecture: Architecture, loss: str, arrays: Mapping[str, Floats], prepared: Prepared
) -> tuple[health.Health, ...]:
    """The health of every parameter, by the gradient and the activations on all train rows."""
    if not architecture.chain:
        return health.examine(architecture, arrays)
    train = prepared.train
    with np.errstate(over="ignore", invalid="ignore"):
        gradients = backward.gradient(architecture, loss, arrays, train.x, train.y, train.weight)
        return health.examine(architecture, arrays, gradients, train.x)


def examine(
    prepared: Prepared,
    outputs: Mapping[Split, Floats],
    loss: str,
    decision: Decision | None = None,
    *,
    health: tuple[health.Health, ...] = (),
    worst: int = WORST,
) -> Evaluation:
    """The evaluation of what a model gives for each split, such as a kernel's `outputs` in a live run.

    Args:
        outputs: [n, k] scaled targets or logits, by split; a split that is missing is left out.
        loss: the loss that is trained by.
        decision: how two classes are decided; None: the positive one from 0.5 on.
    """
    decision = decision or decision_of(prepared.classes, prepared.positive, 0.5)
    parts: dict[Split, Part] = {}
    for split, given in outputs.items():
        if len(given):
            part = rows(prepared, split)
            if prepared.task == "regression":
                parts[split] = _amounts(prepared, part, given, loss, worst)
            else:
                parts[split] = _classes(prepared, part, given, loss, decision, worst)
    return Evaluation(prepared.task, prepared.target, prepared.classes, loss, decision, parts, health)


def rows(prepared: Prepared, split: Split) -> Rows:
    """The rows of a split."""
    found: Rows = getattr(prepared, split)
    return found


def _amounts(prepared: Prepared, part: Rows, outputs: Floats, loss: str, worst: int) -> Part:
    scale = prepared.target_scale
    target, predicted = scale.inverse(part.y), scale.inverse(outputs[:, 0])
    losses = row_losses(loss, outputs, part.y) * unit(loss, scale.scale)
    centre = float(scale.inverse(prepared.train.y).mean())
    chosen = _worst(losses, worst)
    cases = _cases(prepared, part, chosen, losses, target[chosen].tolist(), predicted[chosen].tolist(), None)
    return Part(
        rows=len(target),
        figures=metrics.regression(target, predicted),
        baseline=metrics.regression(target, np.full(len(target), centre)),
        at_half={},
        target=target,
        predicted=predicted,
        probabilities=None,
        confusion=None,
        per_class=None,
        curves=(),
        worst=cases,
    )


def _classes(prepared: Prepared, part: Rows, outputs: Floats, loss: str, decision: Decision | None, worst: int) -> Part:
    threshold, positive = (0.5, 1) if decision is None else (decision.threshold, decision.positive)
    labels, probabilities = part.y.astype(np.int64), metrics.probabilities(outputs)
    count = len(prepared.classes)
    decided = metrics.decide(probabilities, threshold, positive)
    table = metrics.confusion(labels, decided, count)
    shares = np.bincount(prepared.train.y.astype(np.int64), minlength=count) / len(prepared.train.y)
    constant = np.tile(shares, (len(labels), 1))
    losses = row_losses(loss, outputs, part.y)
    chosen = _worst(losses, worst)
    names = prepared.classes
    cases = _cases(
        prepared,
        part,
        chosen,
        losses,
        [names[i] for i in labels[chosen]],
        [names[i] for i in decided[chosen]],
        probabilities[chosen, decided[chosen]],
    )
    which = (positive,) if count == 2 else tuple(range(count))
    return Part(
        rows=len(labels),
        figures=metrics.classification(labels, probabilities, threshold, positive),
        baseline=metrics.classification(labels, constant, positive=positive),
        at_half=metrics.classification(labels, probabilities, positive=positive) if count == 2 else {},
        target=labels.astype(np.float64),
        predicted=decided.astype(np.float64),
        probabilities=probabilities,
        confusion=table,
        per_class=metrics.per_class(table),
        curves=tuple(_curve(names[i], (labels == i).astype(np.int64), probabilities[:, i]) for i in which),
        worst=cases,
    )


def _curve(name: str, y: NDArray[np.int64], probability: Floats) -> ThresholdCurve:
    false, true = metrics.roc(y, probability)
    precision, recall = metrics.precision_recall(y, probability)
    return ThresholdCurve(
        name,
        false,
        true,
        recall,
        precision,
        np.append(np.inf, metrics.cuts(y, probability).values),
        metrics.roc_auc(y, probability),
        metrics.pr_auc(y, probability),
    )


def _worst(losses: Floats, most: int) -> NDArray[np.int64]:
    """The rows of the greatest losses, those that are not finite first, equal ones in their order."""
    order = np.where(np.isfinite(losses), losses, np.inf)
    return np.argsort(-alike(order), kind="stable")[:most].astype(np.int64)


def _cases(
    prepared: Prepared,
    part: Rows,
    chosen: NDArray[np.int64],
    losses: Floats,
    targets: list[float] | list[str],
    predicted: list[float] | list[str],
    probabilities: Floats | None,
) -> tuple[Case, ...]:
    table = prepared.plan.table
    found = []
    for i, at in enumerate(chosen.tolist()):
        row = int(part.index[at])
        values = {given.name: table[given.name].show(row, row + 1)[0] for given in prepared.encoder.inputs}
        probability = float("nan") if probabilities is None else float(probabilities[i])
        found.append(Case(row + 1, table.place(row), values, targets[i], predicted[i], probability, float(losses[at])))
    return tuple(found)
