"""Why a run ended, and what to try next, in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.data.prepare import Prepared
from engine.learn.curvature import Facts, stiffness
from engine.learn.plan import Plan
from engine.recipe import Normalization, Recipe

CLOSE = 1e-3  # a gap under this is called reached
MODES = ("zscore", "minmax", "robust", "max")  # tried as a remedy, in this order
DIVERGED = 1e6  # times the greater of the initial and the mean predictor's loss


@dataclass(frozen=True)
class Remedy:
    """Fields to change, and the same in words."""

    fields: dict[str, str]
    text: str


def divergence_limit(initial_loss: float, facts: Facts) -> float:
    """The loss above which a run counts as diverged."""
    greatest = max(loss for loss in (initial_loss, facts.baseline_loss, 0.0) if np.isfinite(loss))
    return DIVERGED * greatest if greatest > 0 else np.inf


def number(value: float) -> str:
    """A number for reading: 4 digits, thousands separated."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.4g}"


def reached(plan: Plan, facts: Facts, step: int, loss: float) -> tuple[str, Remedy | None]:
    """What to say of a run that took all its steps."""
    words = f"All {step:,} steps are done; train loss {number(loss)}"
    gap = facts.gap(loss)
    if gap is None or facts.optimum_loss is None:
        return words + ".", None
    words += f", the optimum is {number(facts.optimum_loss)} (gap {max(gap, 0.0):.1e})."
    if gap < CLOSE:
        return words, None
    needed = facts.steps_to(CLOSE / gap, plan.lr) if plan.full_batch else None
    if needed is not None and np.isfinite(needed) and needed < 1e12:
        total = step + round(needed)
        return (
            f"{words} At this learning rate about {number(needed)} more steps bring the gap under {CLOSE:g}.",
            Remedy({"steps": str(total), "epochs": "auto"}, f"{total:,} steps"),
        )
    bound = facts.stable_lr(plan.batch, plan.rows)
    if bound is not None and plan.lr < bound / 4:
        return f"{words} A learning rate up to {bound:.3g} is stable: try {bound / 2:.3g}.", Remedy(
            {"lr": f"{bound / 2:.3g}"}, f"learning rate {bound / 2:.3g}"
        )
    if not plan.full_batch:
        smaller = plan.lr / 10
        return f"{words} Batches of {plan.batch} leave noise in the loss: try learning rate {smaller:.3g}.", Remedy(
            {"lr": f"{smaller:.3g}"}, f"learning rate {smaller:.3g}"
        )
    return words, None


def diverged(
    recipe: Recipe, plan: Plan, prepared: Prepared, facts: Facts, step: int, loss: float
) -> tuple[str, Remedy]:
    """What to say of a diverged run: the step, the cause, and what would have worked."""
    if np.isfinite(loss):
        what = f"the loss rose to {loss:.2g}, a million times what it began with"
    else:
        what = "the loss is no longer a finite number"
    words = f"Diverged at step {step:,}: {what}."
    bound = facts.stable_lr(plan.batch, plan.rows)
    if bound is None:
        remedy = Remedy({"normalize": "zscore"}, "z-score normalization")
        return f"{words} The features are too large to compute with; try --normalize zscore.", remedy
    if plan.lr >= bound:
        kind = "full batches" if plan.full_batch else f"batches of {plan.batch}"
        words += f" Learning rate {plan.lr:.4g} is above {bound:.4g}, the largest stable one for {kind}"
        scales = np.max(np.abs(prepared.train.x), axis=0)
        if len(scales) and scales.max() > 10:
            words += f"; {prepared.features[int(scales.argmax())]} has the largest scale, up to {scales.max():,.4g}"
        words += "."
    mode = _mode_that_allows(plan.lr, recipe, prepared)
    safe = f"{bound / 2:.3g}"
    if mode:
        remedy = Remedy({"normalize": mode}, f"{mode} normalization")
        return f"{words} With --normalize {mode} this learning rate is stable; without it try --lr {safe}.", remedy
    return f"{words} Try --lr {safe}.", Remedy({"lr": safe}, f"learning rate {safe}")


def _mode_that_allows(lr: float, recipe: Recipe, prepared: Prepared) -> str | None:
    """A normalization under which full-batch descent at this learning rate is stable, if the present one is another."""
    for mode in MODES:
        if mode == recipe.normalization.normalize:
            return None  # the present one is as good as any that follow
        trial: Normalization = recipe.normalization.model_copy(update={"normalize": mode})
        _, bound = stiffness(prepared.with_normalization(trial).train.x)
        if bound is not None and lr < bound:
            return mode
    return None
