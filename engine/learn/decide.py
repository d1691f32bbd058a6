"""What a run of a recipe will do: model, facts of the loss surface, plan, and a learning rate where none is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from engine.data.prepare import Prepared
from engine.learn import sentences
from engine.learn.curvature import LossSurfaceFacts
from engine.learn.plan import Plan, make_architecture, make_facts
from engine.learn.recommend import planned
from engine.recipe import Recipe


def decide(
    recipe: Recipe, prepared: Prepared, activity: Callable[[str], None], cancelled: Callable[[], bool]
) -> tuple[Plan, LossSurfaceFacts]:
    """What a run of a recipe will do, every `auto` resolved; may make a trial run. Raises InputError and Cancelled."""
    activity(sentences.FINDING_OPTIMUM())
    architecture, loss = make_architecture(recipe, prepared)
    facts = make_facts(recipe, prepared, architecture, loss)
    plan = planned(recipe, prepared, facts)
    if recipe.optimizer.lr == "auto" and plan.lr_limit is None and plan.rule.lr is None:
        from engine.learn import finder

        activity(sentences.FINDING_RATE())
        lr, reason = finder.suggest(plan, prepared, facts, cancelled)
        plan = replace(plan, lr=lr, lr_reason=reason)
    return plan, facts
