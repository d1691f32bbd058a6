"""Every choice of a run as its plan made it definite."""

from __future__ import annotations

from typing import Any

from engine.data.plan import DEFAULT_VALIDATION
from engine.data.prepare import Prepared
from engine.learn.decision import Decision
from engine.learn.plan import Plan
from engine.recipe import Known, Recipe


def resolved(
    recipe: Recipe, plan: Plan, prepared: Prepared, *, screen: bool, decision: Decision | None = None
) -> Known:
    """What is known of the choices of a run that is planned.

    Args:
        screen: whether the run is begun in the app.
        decision: how two classes are decided, once that is settled.
    """
    epochs = plan.steps / plan.batches
    facts: dict[str, Any] = {
        "rows": plan.rows,
        "classes": len(prepared.classes),
        "validates": len(prepared.validation.y) > 0,
        "screen": screen,
        "task": prepared.task,
        "target": prepared.target,
        "positive": None if prepared.positive is None else prepared.classes[prepared.positive],
        "model": plan.model,
        "init": plan.init,
        "loss": plan.loss,
        "optimizer": plan.optimizer,
        "lr": plan.lr,
        "batch_size": plan.batch,
        "schedule": plan.schedule,
        "l2": plan.l2,
        "device": plan.device,
        "precision": plan.precision,
        "backend": plan.backend,
        "threads": plan.threads,
        "epochs": int(epochs) if epochs.is_integer() else epochs,
        "steps": plan.steps,
        "eval_every": plan.eval_every,
    }
    if recipe.data.val is None:
        facts["val"] = DEFAULT_VALIDATION if len(prepared.validation.y) else 0.0
    if decision is not None:
        facts["threshold"] = decision.threshold
    return Known(recipe, facts)
