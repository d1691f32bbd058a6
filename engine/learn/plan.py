"""The plan of a run: every `auto` of a recipe resolved for the table at hand, with the reason in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import Literal

from engine.base.errors import InputError
from engine.data.prepare import Prepared
from engine.devices import available_cores, precision_problem, precision_remark
from engine.learn import sentences
from engine.learn.curvature import LossSurfaceFacts, survey_loss
from engine.learn.kernels.threads import limited
from engine.learn.models import Architecture, Init
from engine.learn.schedules import Schedule
from engine.recipe import Known, Recipe, autos
from engine.registry import losses, rules
from engine.registry.families import OWN
from engine.registry.families import REGISTRY as FAMILIES
from engine.registry.families import fitting as suited
from engine.registry.losses import Loss
from engine.registry.rules import MOMENTUM, Rule

Precision = Literal["float32", "float64", "bf16", "fp16"]
Backend = Literal["spectral", "compiled", "autograd"]
Shuffle = Literal["full", "blocks", "none"]
THREADED = 20_000_000  # multiplications in a batch from which on more than one thread pays
USUAL_LR = 0.01  # where no stability bound is known and the rule has no usual one


@dataclass(frozen=True)
class Plan:
    """A recipe made definite. Everything a kernel needs beside the data."""

    architecture: Architecture
    loss: str  # one of `engine.registry.losses`
    init: Init
    optimizer: str  # an update rule
    lr: float
    lr_reason: str
    lr_limit: float | None  # the largest stable learning rate for this optimizer and batch size; None where unknown
    lr_limit_of: str  # what that is the limit of, in words: "full batches"
    momentum: float
    weight_decay: float
    schedule: Schedule
    warmup: int
    l1: float
    l2: float
    clip: float | None
    shuffle: Shuffle
    batch: int  # rows of a batch, at most `rows`
    rows: int  # train rows
    steps: int  # updates in all
    eval_every: int  # steps between evaluations
    device: str  # "cpu", "cuda:0", …
    precision: Precision
    threads: int
    deterministic: bool
    seed: int
    compile: bool = False  # by torch.compile
    backend: Backend = "autograd"
    backend_reason: str = ""  # why this backend, in a sentence for the person
    notes: tuple[str, ...] = ()  # what to know of the device and its number formats

    @property
    def objective(self) -> Loss:
        """The record of its loss."""
        return losses.REGISTRY[self.loss]

    @property
    def rule(self) -> Rule:
        """The record of its update rule."""
        return rules.REGISTRY[self.optimizer]

    @property
    def batches(self) -> int:
        """Updates in an epoch; the last batch may be smaller."""
        return 1 if not self.rule.takes("batch_size") else -(-self.rows // self.batch)

    @property
    def full_batch(self) -> bool:
        """Whether every update sees all rows."""
        return self.batch >= self.rows

    @property
    def scheduled(self) -> bool:
        """Whether the learning rate of a step follows from its number: by a schedule or warm-up."""
        return self.schedule not in ("constant", "plateau") or self.warmup > 0

    @property
    def model(self) -> str:
        """The model as `--model` names it."""
        return self.architecture.module or self.architecture.family


def of_table(recipe: Recipe, prepared: Prepared) -> Known:
    """The choices that follow from others and from the table, made definite."""
    facts = {"task": prepared.task, "classes": len(prepared.classes), "rows": len(prepared.train.y)}
    return Known(recipe, {**facts, "validates": len(prepared.validation.y) > 0})


def make_architecture(recipe: Recipe, prepared: Prepared) -> tuple[Architecture, str]:
    """The model and loss for a task. Raises InputError where they do not fit together."""
    task, model, loss = prepared.task, recipe.model.model, recipe.model.loss
    made = of_table(recipe, prepared)
    family = OWN if ":" in model else made["model"]
    known = FAMILIES.get(family)
    if known is not None and task not in known.tasks:
        what = {
            "regression": sentences.A_NUMBER(),
            "binary": sentences.ONE_OF_TWO(),
            "multiclass": sentences.A_CLASS(),
        }[task]
        raise InputError(
            sentences.MODEL_DOES_NOT_FIT(model=family, target=prepared.target, what=what, others=suited(task))
        )
    outputs = known.classes if known is not None else None  # whether it has one for each class; None: as the loss
    fitting = [one.name for one in losses.REGISTRY if task in one.tasks and outputs in (None, one.classes)]
    if loss not in ("auto", *fitting):
        raise InputError(
            sentences.LOSS_DOES_NOT_FIT(
                loss=loss,
                model=model if model != "auto" else family,
                target=prepared.target,
                task=task,
                fitting=fitting,
            )
        )
    chosen = made["loss"]
    width = max(len(prepared.classes), 2) if losses.REGISTRY[chosen].classes else 1
    shape = Architecture(family, len(prepared.features), width, module=model if family == OWN else "")
    if known is not None and known.hidden:
        shape = replace(
            shape,
            hidden=recipe.model.hidden,
            activation=recipe.model.activation,
            dropout=recipe.model.dropout if known.chain else 0.0,
            batch_norm=recipe.model.batch_norm and known.chain,
        )
    return shape, chosen


def make_facts(recipe: Recipe, prepared: Prepared, architecture: Architecture, loss: str) -> LossSurfaceFacts:
    """The facts of the loss surface; of a model that is not linear only the baseline, and no optimum."""
    train = prepared.train
    with limited(1):  # a run beside it may have threads of its own
        facts = survey_loss(
            loss,
            train.x,
            train.y,
            classes=max(len(prepared.classes), 2),
            weight=train.weight,
            scale=prepared.target_scale.scale,
            l1=recipe.optimizer.l1,
            l2=float(of_table(recipe, prepared)["l2"]),
            optimum=architecture.linear,
        )
    if not isfinite(facts.baseline_loss):
        raise InputError(sentences.TARGET_TOO_LARGE(target=prepared.target))
    return facts if architecture.linear else LossSurfaceFacts(baseline_loss=facts.baseline_loss)


def make_plan(recipe: Recipe, prepared: Prepared, facts: LossSurfaceFacts, device: str) -> Plan:
    """Resolve a recipe, all but the backend (see `engine.learn.kernels.choose`).

    Args:
        device: the device that `recipe.device.device` stands for on this machine.

    Raises:
        InputError: choices that contradict each other or the table.
    """
    architecture, loss = make_architecture(recipe, prepared)
    config, rows = recipe.optimizer, len(prepared.train.y)
    made = of_table(recipe, prepared)
    rule, batch, steps = rules.REGISTRY[made["optimizer"]], autos.batch(made), made["steps"]
    if config.warmup > steps:
        raise InputError(sentences.WARMUP_TOO_LONG(warmup=config.warmup, steps=steps))
    bound, kind = largest_stable(facts, rule, loss, config.momentum, batch, rows)
    lr, reason = _learning_rate(recipe, rule, bound, kind)
    precision = _precision(recipe, architecture, device)
    remark = precision_remark(device, precision)
    return Plan(
        architecture=architecture,
        loss=loss,
        init=made["init"],
        optimizer=rule.name,
        lr=lr,
        lr_reason=reason,
        lr_limit=bound,
        lr_limit_of=kind,
        momentum=config.momentum if rule.takes("momentum") else MOMENTUM,
        weight_decay=config.weight_decay,
        schedule=made["schedule"],
        warmup=config.warmup,
        l1=config.l1,
        l2=float(made["l2"]),
        clip=config.clip if rule.takes("clip") else None,
        shuffle=config.shuffle,
        batch=batch,
        rows=rows,
        steps=steps,
        eval_every=made["eval_every"],
        device=device,
        precision=precision,
        threads=_threads(recipe, architecture, batch),
        deterministic=recipe.device.deterministic,
        seed=recipe.device.seed,
        compile=recipe.device.compile,
        notes=() if remark is None else (remark,),
    )


def _precision(recipe: Recipe, architecture: Architecture, device: str) -> Precision:
    chosen = recipe.device.precision
    if chosen == "auto":
        return "float64" if architecture.linear and precision_problem(device, "float64") is None else "float32"
    problem = precision_problem(device, chosen)
    if problem is not None:
        raise InputError(problem)
    return chosen


def _threads(recipe: Recipe, architecture: Architecture, batch: int) -> int:
    if recipe.device.threads != "auto":
        return int(recipe.device.threads)
    width = max((architecture.inputs, *architecture.hidden))
    return min(available_cores(), 8) if batch * width * max(architecture.hidden, default=1) > THREADED else 1


def largest_stable(
    facts: LossSurfaceFacts, rule: Rule, loss: str, momentum: float, batch: int, rows: int
) -> tuple[float | None, str]:
    """The learning rate beyond which a run is not known to be stable, and for what; None where no bound is known.

    On a quadratic, heavy-ball momentum m is stable up to (1 + m) times the bound of plain descent, Nesterov's up to
    (1 + m)/(1 + 2 m) times (O'Donoghue and Candès 2015). Small batches of squared errors need the bound in the mean
    square, and less of it with momentum, which adds up 1/(1 - m) steps' noise. The gradients of class losses are
    bounded, so that the noise of their batches cannot run away: there full batches set the bound.
    """
    if facts.lr_bound is None or rule.stable is None:
        return None, ""
    if batch >= rows or not losses.REGISTRY[loss].for_regression:
        kind = sentences.OF_FULL_BATCHES() if batch >= rows else sentences.OF_MEAN()
        return facts.lr_bound * rule.stable(momentum, False), kind
    bound = facts.stable_lr(batch, rows)
    assert bound is not None
    return bound * rule.stable(momentum, True), sentences.OF_BATCHES(batch=batch)


def _learning_rate(recipe: Recipe, rule: Rule, bound: float | None, kind: str) -> tuple[float, str]:
    if recipe.optimizer.lr != "auto":
        return float(recipe.optimizer.lr), sentences.AS_GIVEN()
    if bound is not None:
        return bound / 2, sentences.HALF_OF_BOUND(bound=bound, of=kind)
    if rule.lr is not None:
        return rule.lr, sentences.USUAL_FOR(optimizer=rule.name)
    return USUAL_LR, sentences.NO_BOUND()
