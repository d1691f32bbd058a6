"""The figures of a finished run: what `train --json` prints and run.json keeps."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from engine.data.prepare import Prepared
from engine.learn import metrics
from engine.learn.curvature import LossSurfaceFacts
from engine.learn.decision import Decision
from engine.learn.kernels.contract import Floats, Kernel, Parameters, Split
from engine.learn.plan import Plan


def figures(prepared: Prepared, outputs: Floats, split: Split, decision: Decision | None = None) -> dict[str, float]:
    """Metrics of the outputs [n, k] for a split, {} without rows; two classes are parted as a decision says."""
    y = getattr(prepared, split).y
    if prepared.task == "regression":
        scale = prepared.target_scale
        return metrics.regression(scale.inverse(y), scale.inverse(outputs[:, 0]))
    return metrics.classification(y.astype(np.int64), metrics.probabilities(outputs), *_parted(decision))


def _parted(decision: Decision | None) -> tuple[float, int]:
    """Threshold and number of the positive class."""
    return (0.5, 1) if decision is None else (decision.threshold, decision.positive)


def measure(prepared: Prepared, kernel: Kernel, decision: Decision | None = None) -> dict[str, dict[str, float]]:
    """Metrics for every split, {} for an empty one."""
    return {split: figures(prepared, kernel.outputs(split), split, decision) for split in get_args(Split)}


def result(
    *,
    run: str,
    ended: str,
    plan: Plan,
    prepared: Prepared,
    facts: LossSurfaceFacts,
    kernel: Kernel,
    steps: int,
    epochs: float,
    seconds: float,
    lr: float,
    decision: Decision | None,
) -> dict[str, Any]:
    """The object of `train --json`; see the README for its fields. Losses are those of the saved weights."""
    now = kernel.parameters()
    train_loss = kernel.evaluate("train")
    return {
        "run": run,
        "ended": ended,
        "steps": steps,
        "epochs": epochs,
        "seconds": seconds,
        "steps_per_second": steps / seconds if seconds > 0 else None,
        "backend": plan.backend,
        "device": plan.device,
        "train_loss": train_loss,
        "val_loss": kernel.evaluate("validation") if len(prepared.validation.y) else None,
        "optimum_loss": facts.optimum_loss,
        "baseline_loss": facts.baseline_loss,
        "gap": facts.gap(train_loss),
        "metrics": measure(prepared, kernel, decision),
        "threshold": None if decision is None else decision.threshold,
        "threshold_reason": None if decision is None else decision.why,
        "positive": None if decision is None else decision.name,
        "classes": list(prepared.classes),
        "features": list(prepared.features),
        **_weights(plan, prepared, now),
        "lr": lr,
        "lr_bound": facts.lr_bound,
        "condition_number": facts.condition_number,
    }


def _weights(plan: Plan, prepared: Prepared, now: Parameters) -> dict[str, Any]:
    """Weights [d] and bias of one output, [d][k] and [k] of more; null for a model that is not linear."""
    names = ("weights_raw", "bias_raw", "weights_scaled", "bias_scaled")
    if not plan.architecture.linear:
        return dict.fromkeys(names)
    raw, raw_bias = fold(prepared, now.weight, now.bias)
    arrays: tuple[Floats, ...] = (raw, raw_bias, now.weight, now.bias)
    if plan.architecture.outputs == 1:
        return dict(zip(names, (a[..., 0].tolist() for a in arrays), strict=True))
    return dict(zip(names, (a.tolist() for a in arrays), strict=True))


def fold(prepared: Prepared, weight: Floats, bias: Floats) -> tuple[Floats, Floats]:
    """Weights [d, k] and bias [k] for raw features, and for regression the target's own unit."""
    return prepared.normalizer.fold(weight, bias, prepared.target_scale)
