"""Why a run ended, how good it is, and what to try next, in words."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.base.rounding import ZERO, vanishes
from engine.data.normalize import TargetScale, under_every_mode
from engine.data.prepare import Prepared
from engine.learn import sentences
from engine.learn.curvature import LossSurfaceFacts, measurable, qr_factor, under
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


def divergence_limit(initial_loss: float, facts: LossSurfaceFacts) -> float:
    """The loss above which a run counts as diverged."""
    greatest = max(loss for loss in (initial_loss, facts.baseline_loss, 0.0) if np.isfinite(loss))
    return DIVERGED * greatest if greatest > 0 else np.inf


def number(value: float, size: float | None = None) -> str:
    """A number for reading: 4 digits, thousands separated; ≈ 0 where it is no more than rounding beside `size`."""
    if vanishes(value, size):
        return ZERO
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.4g}"


def verdict(
    reason: str, recipe: Recipe, plan: Plan, prepared: Prepared, facts: LossSurfaceFacts, outcome: Outcome
) -> Verdict:
    """One paragraph for the end of a run: why, how far from the optimum, against which baseline, what to try next."""
    if reason == "diverged":
        return _diverged(recipe, plan, prepared, facts, outcome)
    flat = "" if outcome.flat_since is None else sentences.FLAT(step=outcome.flat_since)
    fit = _fit(plan, facts, outcome)
    advice = _advice(reason, recipe, plan, prepared, facts, outcome) if fit is None else fit
    sentence = sentences.ENDING(
        opening=_opening(reason, recipe, plan, outcome),
        standing=_standing(plan, prepared, facts, outcome),
        flat=flat,
        advice="" if advice is None else advice.sentence,
    )
    return Verdict(sentence) if advice is None else Verdict(sentence, advice.remedy, advice.remedy_text)


def _opening(reason: str, recipe: Recipe, plan: Plan, outcome: Outcome) -> str:
    step, of, stopping = outcome.step, plan.steps, recipe.stopping
    if reason == "limit":
        return sentences.ALL_STEPS(steps=step)
    if reason == "stopped":
        return sentences.STOPPED(step=step, steps=of)
    if reason == "interrupted":
        return sentences.INTERRUPTED(step=step, steps=of)
    if reason == "time":
        return sentences.OUT_OF_TIME(step=step, steps=of)
    if reason == "target":
        return sentences.TARGET_REACHED(loss=stopping.target_loss or 0, step=step)
    if reason == "tol":
        return sentences.SETTLED(tol=stopping.tol or 0, step=step, steps=of)
    if reason == "patience":
        return sentences.OUT_OF_PATIENCE(patience=stopping.patience, step=step, steps=of, best=outcome.best_step)
    return sentences.ENDED(step=step)


def _standing(plan: Plan, prepared: Prepared, facts: LossSurfaceFacts, outcome: Outcome) -> str:
    validation = outcome.validation_loss
    gap = facts.gap(outcome.train_loss)
    optimum = ""
    if facts.separable:
        optimum = sentences.SEPARABLE()
    elif gap is not None and facts.optimum_loss is not None:
        said = sentences.OPTIMUM_WITH_PENALTY if facts.penalised else sentences.OPTIMUM
        told = ZERO if vanishes(gap, 1.0) else f"{gap:.1e}"
        optimum = said(loss=number(facts.optimum_loss, outcome.size), gap=told)
    baseline = ""
    if np.isfinite(facts.baseline_loss):
        baseline = sentences.BASELINE(constant=plan.objective.constant_name, loss=number(facts.baseline_loss))
    return sentences.LOSSES(
        train=number(outcome.train_loss, outcome.size),
        validation="" if validation is None else number(validation, outcome.size),
        rounding=sentences.REST_IS_ROUNDING() if outcome.fitted else "",
        optimum=optimum,
        baseline=baseline,
    )


def _fit(plan: Plan, facts: LossSurfaceFacts, outcome: Outcome) -> Verdict | None:
    """A word on over- and underfitting, where there is one to say."""
    validation = outcome.validation_loss
    gained = facts.baseline_loss - outcome.train_loss
    if validation is None or not np.isfinite(validation) or gained <= 0:
        return None
    lost = validation - outcome.train_loss
    if validation > OVERFIT * outcome.train_loss and lost > 0.2 * gained:
        early = outcome.best_step < outcome.step and validation > 0
        times = _times(validation, outcome.train_loss)
        if early:
            return Verdict(sentences.OVERFIT_STOP(times=times), {"patience": "10"}, sentences.PATIENCE(evaluations=10))
        return Verdict(sentences.OVERFIT_PENALTY(times=times), {"l2": "0.01"}, sentences.L2(penalty=0.01))
    gap = facts.gap(outcome.train_loss)
    if gained < LITTLE * facts.baseline_loss and (gap is None or gap < NEAR):
        return Verdict(sentences.UNDERFIT(), {"degree": "2"}, sentences.DEGREE(degree=2))
    return None


def _kappa(facts: LossSurfaceFacts) -> str:
    return sentences.INFINITE() if facts.condition_number is None else number(facts.condition_number)


def _times(one: float, other: float) -> str:
    """How many times the other: "3.2 times"."""
    if other > 0 and one / other < 1e7:
        return sentences.TIMES(number=number(one / other))
    return sentences.MILLIONS_OF_TIMES()


def _advice(
    reason: str, recipe: Recipe, plan: Plan, prepared: Prepared, facts: LossSurfaceFacts, outcome: Outcome
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
        start = sentences.VANISHED() if vanished else ""
        if mode:
            return Verdict(
                sentences.TRY_NORMALIZATION(start=start, kappa=_kappa(facts), mode=mode),
                {"normalize": mode, "lr": "auto"},
                sentences.NORMALIZATION(mode=mode),
            )
        if needed is not None and np.isfinite(needed) and needed > FAR * outcome.step:
            return Verdict(
                sentences.TRY_SECOND_ORDER(start=start, steps=number(round(needed)), gap=CLOSE, optimizer=LBFGS.name),
                {"optimizer": LBFGS.name, "lr": "auto"},
                LBFGS.label,
            )
        if needed is not None and np.isfinite(needed):
            total = outcome.step + round(needed)
            return Verdict(
                sentences.MORE_STEPS(start=start, steps=number(round(needed)), gap=CLOSE),
                {"steps": str(total)},
                sentences.STEPS(steps=total),
            )
    if bound is not None and plan.lr < bound / 4 and plan.optimizer == SGD.name:
        half = f"{bound / 2:.3g}"
        return Verdict(sentences.TRY_LARGER_RATE(bound=bound, lr=half), {"lr": half}, sentences.LEARNING_RATE(lr=half))
    if not plan.full_batch and plan.schedule == "constant":
        return Verdict(sentences.NOISY_BATCHES(batch=plan.batch), {"schedule": "cosine"}, sentences.COSINE_SCHEDULE())
    return _longer(4 * outcome.step)


def _longer(steps: int, start: str = "") -> Verdict:
    """More steps, where the loss still falls."""
    return Verdict(
        sentences.STILL_FALLING(start=start, steps=steps), {"steps": str(steps)}, sentences.STEPS(steps=steps)
    )


def _reached(prepared: Prepared, facts: LossSurfaceFacts) -> Verdict:
    """What to try where descent has found the optimum; nothing that `f` should do unasked."""
    assert facts.optimum_loss is not None
    kind = sentences.LINEAR_MODEL() if prepared.task == "regression" else sentences.MODEL_WITHOUT_LAYERS()
    if facts.optimum_loss < LITTLE * facts.baseline_loss:
        return Verdict(sentences.CONVERGED(model=kind))
    few = 10 * len(prepared.features) > len(prepared.train)
    return Verdict((sentences.CONVERGED_FEW_ROWS if few else sentences.CONVERGED_MORE)(model=kind))


def _without_optimum(
    reason: str, recipe: Recipe, plan: Plan, prepared: Prepared, facts: LossSurfaceFacts, outcome: Outcome
) -> Verdict | None:
    """What to try where nobody knows how low the loss can go: networks, absolute errors, L1."""
    worse = outcome.train_loss >= facts.baseline_loss
    start = sentences.WORSE_THAN_BASELINE(constant=plan.objective.constant_name) if worse else ""
    if outcome.fitted:
        return None
    if worse and prepared.task == "regression" and prepared.target_scale == TargetScale():
        return Verdict(
            sentences.NORMALIZE_TARGET(start=start), {"normalize_target": "true"}, sentences.NORMALIZED_TARGET()
        )
    if reason != "limit" or outcome.flat_since is not None:
        return None
    if plan.objective.steepest is None and plan.schedule == "constant":
        return Verdict(sentences.RESTLESS(), {"schedule": "cosine"}, sentences.COSINE_SCHEDULE())
    if worse or outcome.validation_loss is None or outcome.best_step >= outcome.step:
        return _longer(2 * outcome.step, start)
    return Verdict(sentences.PLATEAU(step=outcome.best_step))


def _flatter_mode(prepared: Prepared, facts: LossSurfaceFacts) -> str | None:
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
    return (None, None) if new is None else under(qr_factor(x), loss, len(x), old, new)


def _diverged(recipe: Recipe, plan: Plan, prepared: Prepared, facts: LossSurfaceFacts, outcome: Outcome) -> Verdict:
    loss = outcome.bad_loss
    if loss is not None and np.isfinite(loss):
        what = sentences.LOSS_ROSE(loss=loss)
    else:
        what = sentences.LOSS_NOT_FINITE()
    scales = np.max(np.abs(prepared.train.x), axis=0)
    widest = prepared.features[int(scales.argmax())] if len(scales) else ""
    large = ""
    if len(scales) and scales.max() > 10:
        large = sentences.LARGEST_SCALE(feature=widest, scale=f"{scales.max():,.4g}")
    bound = plan.lr_limit
    if bound is None:
        if large and not prepared.normalizer.scales:
            advice = sentences.NORMALIZE(mode=DEFAULT)
            sentence = sentences.DIVERGED(step=outcome.step, what=what, scale=large, rate="", advice=advice)
            return Verdict(sentence, {"normalize": DEFAULT}, sentences.NORMALIZATION(mode=DEFAULT))
        smaller = f"{min(plan.lr / 10, plan.rule.lr or USUAL_LR):.3g}"
        advice = sentences.TRY_RATE(lr=smaller)
        sentence = sentences.DIVERGED(step=outcome.step, what=what, scale="", rate="", advice=advice)
        return Verdict(sentence, {"lr": smaller}, sentences.LEARNING_RATE(lr=smaller))
    rate = ""
    if plan.lr >= bound:
        rate = sentences.RATE_TOO_LARGE(lr=plan.lr, bound=bound, of=plan.lr_limit_of, scale=large)
    mode = _mode_that_allows(plan, recipe, prepared) if plan.optimizer == SGD.name else None
    safe = f"{min(bound / 2, plan.lr / 2):.3g}"
    advice = sentences.STABLE_WITH(mode=mode, lr=safe) if mode else sentences.TRY_RATE(lr=safe)
    sentence = sentences.DIVERGED(step=outcome.step, what=what, scale="", rate=rate, advice=advice)
    if mode:
        return Verdict(sentence, {"normalize": mode}, sentences.NORMALIZATION(mode=mode))
    return Verdict(sentence, {"lr": safe}, sentences.LEARNING_RATE(lr=safe))


def _mode_that_allows(plan: Plan, recipe: Recipe, prepared: Prepared) -> str | None:
    """A normalization under which descent at this learning rate is stable, if the present one is another."""
    for mode in remedies():
        if mode == recipe.normalization.normalize:
            return None  # the present one is as good as any that follow
        bound = _under(prepared, mode, plan.loss)[1]
        if bound is not None and plan.lr < bound:
            return mode
    return None
