"""How good predictions are, in the target's own units and in plain numpy; NaN where a figure is not defined.

Definitions are scikit-learn's, macro averages over the classes where there are more than two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.learn.models import sigmoid
from engine.registry.formulas import softmax
from engine.registry.losses import MAE, MSE

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NAN = float("nan")


def regression(y: Floats, predicted: Floats) -> dict[str, float]:
    """mse, rmse, mae and r2 of predictions [n] of targets [n]; empty for n = 0, r2 NaN where the targets do not vary.

    r2 = 1 - sum of squared errors / sum of squared deviations from the mean of these targets.
    """
    if y.shape != predicted.shape:
        raise ValueError(f"targets {y.shape} against predictions {predicted.shape} would broadcast")
    if not len(y):
        return {}
    error = y - predicted
    with np.errstate(over="ignore"):
        mse = float(np.mean(error**2))
    spread = float(np.mean((y - y.mean()) ** 2)) if y.min() < y.max() else 0.0
    return {
        MSE.name: mse,
        "rmse": float(np.sqrt(mse)),
        MAE.name: float(np.mean(np.abs(error))),
        "r2": 1 - mse / spread if spread > 0 else NAN,
    }


def probabilities(outputs: Floats) -> Floats:
    """Class probabilities [n, classes] from logits [n, 1] of the second of two classes, or [n, classes]."""
    if outputs.shape[1] == 1:
        return np.concatenate([sigmoid(-outputs), sigmoid(outputs)], axis=1)  # 1 - sigmoid would round small ones off
    return np.asarray(softmax(np, outputs))


def decide(probabilities: Floats, threshold: float = 0.5, positive: int = 1) -> Ints:
    """The class of each row [n]: the likeliest, or of two classes the positive one where its probability reaches it.

    Args:
        probabilities: [n, classes] probabilities.
        threshold: the probability from which on the positive one of two classes is decided.
        positive: its number.
    """
    if probabilities.shape[1] == 2:
        return np.where(probabilities[:, positive] >= threshold, positive, 1 - positive).astype(np.int64)
    return np.asarray(probabilities.argmax(axis=1), np.int64)


def confusion(y: Ints, decided: Ints, classes: int) -> Ints:
    """Counts [classes, classes]: rows are the true class, columns the decided one."""
    return np.asarray(np.bincount(y * classes + decided, minlength=classes * classes).reshape(classes, classes))


def per_class(counts: Ints) -> dict[str, Floats]:
    """precision, recall, f1 and support [classes] from a confusion matrix; NaN where nothing was decided or there."""
    right = np.diag(counts).astype(np.float64)
    decided, there = counts.sum(axis=0), counts.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(decided > 0, right / decided, np.nan)
        recall = np.where(there > 0, right / there, np.nan)
        f1 = np.where(decided + there > 0, 2 * right / (decided + there), np.nan)
    return {"precision": precision, "recall": recall, "f1": f1, "support": there.astype(np.float64)}


@dataclass(frozen=True)
class Cuts:
    """What deciding for class 1 from a probability on would give, for every probability that occurs, falling."""

    values: Floats  # [cuts] the probabilities
    hits: Floats  # [cuts] rows of class 1 among those decided for it
    decided: Floats  # [cuts] rows decided for it
    positives: int  # rows of class 1
    rows: int


def cuts(y: Ints, probability: Floats) -> Cuts:
    """The cuts of labels [n] 0 or 1 by the probability [n] of class 1."""
    order = np.argsort(-probability, kind="stable")
    ranked = probability[order]
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(y) - 1) if len(y) else np.empty(0, np.int64)
    hits = np.cumsum(y[order])[ends].astype(np.float64)
    return Cuts(ranked[ends], hits, (ends + 1).astype(np.float64), int(y.sum()), len(y))


def roc(y: Ints, probability: Floats) -> tuple[Floats, Floats]:
    """The ROC curve: false and true positive rates [cuts + 1], from (0, 0) to (1, 1); NaN where a class is missing."""
    found = cuts(y, probability)
    with np.errstate(invalid="ignore", divide="ignore"):
        false = (found.decided - found.hits) / (found.rows - found.positives)
        true = found.hits / found.positives
    return np.append(0.0, false), np.append(0.0, true)


def precision_recall(y: Ints, probability: Floats) -> tuple[Floats, Floats]:
    """The precision-recall curve: precision and recall [cuts + 1], from (1, 0); recall NaN without rows of class 1."""
    found = cuts(y, probability)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = found.hits / found.positives
    return np.append(1.0, found.hits / found.decided), np.append(0.0, recall)


def roc_auc(y: Ints, probability: Floats) -> float:
    """Area under the ROC curve; NaN where only one class is there."""
    if not len(y) or y.min() == y.max():
        return NAN
    false, true = roc(y, probability)
    return float(np.sum(np.diff(false) * (true[1:] + true[:-1])) / 2)


def pr_auc(y: Ints, probability: Floats) -> float:
    """Average precision: the area under the precision-recall curve in steps; NaN where the class is not there."""
    if not len(y) or not y.any():
        return NAN
    precision, recall = precision_recall(y, probability)
    return float(np.sum(np.diff(recall) * precision[1:]))


def classification(y: Ints, probabilities: Floats, threshold: float = 0.5, positive: int = 1) -> dict[str, float]:
    """accuracy, precision, recall, f1, roc_auc, pr_auc and log_loss of probabilities [n, classes]; empty for n = 0.

    Of two classes the figures are those of the positive one; of more, macro averages over the classes that are there.
    """
    if not len(y):
        return {}
    classes = probabilities.shape[1]
    counts = confusion(y, decide(probabilities, threshold, positive), classes)
    table = per_class(counts)
    own = probabilities[np.arange(len(y)), y]
    found = {
        "accuracy": float(np.trace(counts) / len(y)),
        "log_loss": float(-np.mean(np.log(np.maximum(own, np.finfo(np.float64).tiny)))),
    }
    if classes == 2:
        found |= {name: float(table[name][positive]) for name in ("precision", "recall", "f1")}
        own, probability = (y == positive).astype(np.int64), probabilities[:, positive]
        found |= {"roc_auc": roc_auc(own, probability), "pr_auc": pr_auc(own, probability)}
        return found
    seen = counts.sum(axis=0) + counts.sum(axis=1) > 0
    found |= {name: float(np.mean(np.nan_to_num(table[name][seen]))) for name in ("precision", "recall", "f1")}
    each = [(y == c).astype(np.int64) for c in range(classes)]
    found["roc_auc"] = float(np.mean([roc_auc(e, probabilities[:, c]) for c, e in enumerate(each)]))
    found["pr_auc"] = float(np.mean([pr_auc(e, probabilities[:, c]) for c, e in enumerate(each)]))
    return found
