"""Why a run ended, how good it is, and what to try next, in words."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.base.rounding import ZERO, vanishes
from engine.data.normalize import TargetScale, under_every_mode
from engine.data.prepare import Prepared
from engine.learn.curvature import Facts, measurable, triangle, under
from engine.learn.plan import USUAL_LR, Plan
from engine.recipe import Recipe
from engine.registry.losses import MSE
from engine.registry.modes import DEFAULT, remedies
from engine.registry.rules import LBFGS, SGD

CLOSE = 1e-3  # a gap under this is called reached
NEAR = 0.1  # a gap under this leaves little to gain by more steps
FAR = 50  # times the steps taken: more than so many are not worth waiting for
DIVERGED = 1e6  # times the greater of the initial and the mean predictor's loss
OVERFIT = 1.3  # times the train loss: a validation loss beyond it is called overfitting
LITTLE = 0.05  # a share of the baseline's loss: less gain than this is called underfitting


@dataclass(frozen=True)
class Verdict:
    """What is said of a run, and the fields to change to mend it."""

    sentence: str
    remedy: dict[str, str] = field(default_factory=dict)
    remedy_text: str = ""


@dataclass(frozen=True)
class Outcome:
    """The figures a verdict is made from; losses in the target's own units."""

    step: int
    train_loss: float
    validation_loss: float | None
    bad_loss: float | None  # the loss that ended a diverged run
    best_step: int  # of the evaluations
    flat_since: int | None
    gradient_norm: float
    initial_gradient_norm: float
    size: float | None = None  # what a loss is measured against: the initial one, the baseline's if that is less

    @property
    def fitted(self) -> bool:
        """Whether what is left of the train loss is rounding."""
        return vanishes(self.train_loss, self.size)


def divergence_limit(initial_loss: float, facts: Facts) -> float:
    """The loss above which a run counts as diverged."""
    greatest = max(loss for loss in (initial_loss, facts.baseline_loss, 0.0) if np.isfinite(loss))
    return DIVERGED * greatest if greatest > 0 else np.inf


def number(value: float, size: float | None = None) -> str:
    """A number for reading: 4 digits, thousands separated; ≈ 0 where it is no more than rounding beside `size`."""
    if vanishes(value, size):
        return ZERO
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.4g}"


def verdict(reason: str, recipe: Recipe, plan: Plan, prepared: Prepared, facts: Facts, outcome: Outcome) -> Verdict:
    """One paragraph for the end of a run: why, how far from the optimum, against which baseline, what to try next."""
    if reason == "diverged":
        return _diverged(recipe, plan, prepared, facts, outcome)
    words = [_opening(reason, recipe, plan, outcome), _standing(plan, prepared, facts, outcome)]
    if outcome.flat_since is not None:
        words.append(f"The loss has been flat since step {outcome.flat_since:,}.")
    fit = _fit(plan, facts, outcome)
    advice = _advice(reason, recipe, plan, prepared, facts, outcome) if fit is None else fit
    if advice is not None:
        words.append(advice.sentence)
        return Verdict(" ".join(filter(None, words)), advice.remedy, advice.remedy_text)
    return Verdict(" ".join(filter(None, words)))


def _opening(reason: str, recipe: Recipe, plan: Plan, outcome: Outcome) -> str:
    step, stopping = f"{outcome.step:,}", recipe.stopping
    of = f"{plan.steps:,}"
    openings = {
        "limit": f"All {step} steps are done.",
        "stopped": f"Stopped at step {step} of {of}.",
        "interrupted": f"Interrupted at step {step} of {of}; the run can go on from there.",
        "time": f"The time limit ended it at step {step} of {of}.",
        "target": f"The target loss {stopping.target_loss or 0:g} was reached at step {step}.",
        "tol": f"Settled within the tolerance {stopping.tol or 0:g} at step {step} of {of}.",
        "patience": (
            f"No better loss for {stopping.patience} evaluations: ended at step {step} of {of}, "
            f"with the weights of step {outcome.best_step:,}."
        ),
    }
    return openings.get(reason, f"Ended at step {step}.")


def _standing(plan: Plan, prepared: Prepared, facts: Facts, outcome: Outcome) -> str:
    words = f"Train loss {number(outcome.train_loss, outcome.size)}"
    if outcome.validation_loss is not None:
        words += f", validation loss {number(outcome.validation_loss, outcome.size)}"
    if outcome.fitted:
        words += " (what is left is rounding)"
    gap = facts.gap(outcome.train_loss)
    if facts.separable:
        words += "; a plane separates the classes, so the loss falls to 0 as the weights grow for ever (use --l2)"
    elif gap is not None and facts.optimum_loss is not None:
        where = "the optimum with the L2 penalty" if facts.penalised else "the optimum"
        told = ZERO if vanishes(gap, 1.0) else f"{gap:.1e}"
        words += f"; {where} is {number(facts.optimum_loss, outcome.size)} (gap {told})"
    if np.isfinite(facts.baseline_loss):
        words += f"; {plan.objective.constant_name} alone would leave {number(facts.baseline_loss)}"
    return words + "."


def _fit(plan: Plan, facts: Facts, outcome: Outcome) -> Verdict | None:
    """A word on over- and underfitting, where there is one to say."""
    validation = outcome.validation_loss
    gained = facts.baseline_loss - outcome.train_loss
    if validation is None or not np.isfinite(validation) or gained <= 0:
        return None
    lost = validation - outcome.train_loss
    if validation > OVERFIT * outcome.train_loss and lost > 0.2 * gained:
        if outcome.best_step < outcome.step and validation > 0:
            cure = Verdict("stop early with --patience 10", {"patience": "10"}, "patience 10")
        else:
            cure = Verdict("add --l2 0.01 or more rows", {"l2": "0.01"}, "L2 0.01")
        return Verdict(
            f"Overfitting: the validation loss is {_times(validation, outcome.train_loss)} the train loss; "
            f"{cure.sentence}.",
            cure.remedy,
            cure.remedy_text,
        )
    gap = facts.gap(outcome.train_loss)
    if gained < LITTLE * facts.baseline_loss and (gap is None or gap < NEAR):
        return Verdict(
            "Underfitting: the model explains next to nothing; try --degree 2, --model mlp, or other features.",
            {"degree": "2"},
            "degree 2",
        )
    return None


def _kappa(facts: Facts) -> str:
    return "infinite to rounding" if facts.condition_number is None else number(facts.condition_number)


def _times(one: float, other: float) -> str:
    """How many times the other: "3.2 times"."""
    return f"{number(one / other)} times" if other > 0 and one / other < 1e7 else "over ten million times"


def _advice(
    reason: str, recipe: Recipe, plan: Plan, prepared: Prepared, facts: Facts, outcome: Outcome
) -> Verdict | None:
    gap = facts.gap(outcome.train_loss)
    if facts.separable or reason not in ("limit", "tol", "patience", "time"):
        return None
    if gap is None:
        return _without_optimum(reason, recipe, plan, prepared, facts, outcome)
    if gap < CLOSE:
        return _reached(prepared, facts)
    if reason != "limit":
        return None
    bound = plan.lr_limit
    still = outcome.gradient_norm < 1e-3 * outcome.initial_gradient_norm
    if plan.full_batch and plan.optimizer == SGD.name and plan.schedule == "constant":
        needed = facts.steps_to(CLOSE / gap, plan.lr)
        mode = _flatter_mode(prepared, facts)
        vanished = still and (needed or 0) > outcome.step
        start = "Progress has all but vanished in a flat direction. " if vanished else ""
        if mode:
            return Verdict(
                f"{start}κ is {_kappa(facts)}; try --normalize {mode}.",
                {"normalize": mode, "lr": "auto"},
                f"{mode} normalization",
            )
        if needed is not None and np.isfinite(needed) and needed > FAR * outcome.step:
            return Verdict(
                f"{start}At this learning rate it takes about {number(round(needed))} more steps to bring the gap "
                f"under {CLOSE:g}; try --optimizer {LBFGS.name}.",
                {"optimizer": LBFGS.name, "lr": "auto"},
                LBFGS.label,
            )
        if needed is not None and np.isfinite(needed):
            total = outcome.step + round(needed)
            return Verdict(
                f"{start}At this learning rate about {number(round(needed))} more steps bring the gap under {CLOSE:g}.",
                {"steps": str(total)},
                f"{total:,} steps",
            )
    if bound is not None and plan.lr < bound / 4 and plan.optimizer == SGD.name:
        half = f"{bound / 2:.3g}"
        return Verdict(
            f"A learning rate up to {bound:.3g} is stable; try --lr {half}.", {"lr": half}, f"learning rate {half}"
        )
    if not plan.full_batch and plan.schedule == "constant":
        return Verdict(
            f"Batches of {plan.batch} leave noise in the loss; let the rate fall with --schedule cosine.",
            {"schedule": "cosine"},
            "cosine schedule",
        )
    longer = 4 * outcome.step
    return Verdict(f"The loss is still falling; try --steps {longer}.", {"steps": str(longer)}, f"{longer:,} steps")


def _reached(prepared: Prepared, facts: Facts) -> Verdict:
    """What to try where descent has found the optimum; nothing that `f` should do unasked."""
    assert facts.optimum_loss is not None
    kind = "linear model" if prepared.task == "regression" else "model without hidden units"
    if facts.optimum_loss < LITTLE * facts.baseline_loss:
        return Verdict(f"That is as good as a {kind} can be on these rows.")
    few = 10 * len(prepared.features) > len(prepared.train)
    other = "more rows or other features" if few else "--degree 2, --model mlp or other features"
    return Verdict(f"That is as good as a {kind} can be on these rows; to do better, try {other}.")


def _without_optimum(
    reason: str, recipe: Recipe, plan: Plan, prepared: Prepared, facts: Facts, outcome: Outcome
) -> Verdict | None:
    """What to try where nobody knows how low the loss can go: networks, absolute errors, L1."""
    worse = outcome.train_loss >= facts.baseline_loss
    start = (
        f"That is worse than {plan.objective.constant_name}: the outputs have not reached the target's size. "
        if worse
        else ""
    )
    if outcome.fitted:
        return None
    if worse and prepared.task == "regression" and prepared.target_scale == TargetScale():
        return Verdict(f"{start}Try --normalize-target.", {"normalize_target": "true"}, "a normalized target")
    if reason != "limit" or outcome.flat_since is not None:
        return None
    if plan.objective.steepest is None and plan.schedule == "constant":
        return Verdict(
            "At a constant learning rate absolute errors stay restless; let the rate fall with --schedule cosine.",
            {"schedule": "cosine"},
            "cosine schedule",
        )
    if worse or outcome.validation_loss is None or outcome.best_step >= outcome.step:
        longer = 2 * outcome.step
        return Verdict(
            f"{start}The loss is still falling; try --steps {longer}.", {"steps": str(longer)}, f"{longer:,} steps"
        )
    return Verdict(f"The validation loss was least at step {outcome.best_step:,}; more steps will hardly help.")


def _flatter_mode(prepared: Prepared, facts: Facts) -> str | None:
    """A normalization under which κ is at least 10 times smaller."""
    if prepared.normalizer.scales or facts.lr_bound is None:
        return None
    kappa = _under(prepared, DEFAULT)[0]
    now = facts.condition_number or np.inf  # None is infinite to rounding
    return DEFAULT if kappa is not None and 10 * kappa < now else None


def _under(prepared: Prepared, mode: str, loss: str = MSE.name) -> tuple[float | None, float | None]:
    """(κ, 2/λmax) of a linear model on the train rows under another normalization; None where unknown."""
    x, old = prepared.train.x, prepared.normalizer
    if not measurable(loss, x):
        return None, None
    new = under_every_mode(x, old, prepared.normalization.std).get(mode)
    return (None, None) if new is None else under(triangle(x), loss, len(x), old, new)


def _diverged(recipe: Recipe, plan: Plan, prepared: Prepared, facts: Facts, outcome: Outcome) -> Verdict:
    loss = outcome.bad_loss
    if loss is not None and np.isfinite(loss):
        what = f"the loss rose to {loss:.2g}, over a million times what it began with"
    else:
        what = "the loss is no longer a finite number"
    words = f"Diverged at step {outcome.step:,}: {what}."
    scales = np.max(np.abs(prepared.train.x), axis=0)
    widest = prepared.features[int(scales.argmax())] if len(scales) else ""
    large = f"; {widest} has the largest scale, up to {scales.max():,.4g}" if len(scales) and scales.max() > 10 else ""
    bound = plan.lr_limit
    if bound is None:
        if large and not prepared.normalizer.scales:
            remedy = {"normalize": DEFAULT}
            return Verdict(f"{words[:-1]}{large}. Try --normalize {DEFAULT}.", remedy, f"{DEFAULT} normalization")
        smaller = f"{min(plan.lr / 10, plan.rule.lr or USUAL_LR):.3g}"
        return Verdict(f"{words} Try --lr {smaller}.", {"lr": smaller}, f"learning rate {smaller}")
    if plan.lr >= bound:
        words += (
            f" Learning rate {plan.lr:.4g} is above {bound:.4g}, the largest stable one for {plan.lr_limit_of}{large}."
        )
    mode = _mode_that_allows(plan, recipe, prepared) if plan.optimizer == SGD.name else None
    safe = f"{min(bound / 2, plan.lr / 2):.3g}"
    if mode:
        return Verdict(
            f"{words} With --normalize {mode} this learning rate is stable; without it try --lr {safe}.",
            {"normalize": mode},
            f"{mode} normalization",
        )
    return Verdict(f"{words} Try --lr {safe}.", {"lr": safe}, f"learning rate {safe}")


def _mode_that_allows(plan: Plan, recipe: Recipe, prepared: Prepared) -> str | None:
    """A normalization under which descent at this learning rate is stable, if the present one is another."""
    for mode in remedies():
        if mode == recipe.normalization.normalize:
            return None  # the present one is as good as any that follow
        bound = _under(prepared, mode, plan.loss)[1]
        if bound is not None and plan.lr < bound:
            return mode
    return None
