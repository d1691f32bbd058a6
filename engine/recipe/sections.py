"""Every choice a person can make, declared once.

The app's forms, the command line's flags and `--help`, `recipe.toml`, the sentences about wrong values and
TensorBoard's hyperparameters are all made from the fields below: of each its type with bounds, its default and one line
of help. To add a choice, add one field here and the code that obeys it.
"""

# ruff: noqa: RUF009 (`choice` gives a dataclass field)

# The types are read while the program runs, so they must not be left as text: no `from __future__ import annotations`.

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from engine.base.errors import InputError
from engine.recipe import autos, names, needs, sentences
from engine.recipe.choice import Bounds, ColumnKind, choice, declared
from engine.registry import activations, datasets, families, losses, modes, rules

Count = Annotated[int, Bounds(least=1, most=10**12)]
Seed = Annotated[int, Bounds(least=0, below=2**63)]
Share = Annotated[float, Bounds(least=0, below=1)]
Rate = Annotated[float, Bounds(above=0, most=1e12)]
Seconds = Annotated[float, Bounds(above=0, most=86_400)]
Penalty = Annotated[float, Bounds(least=0, most=1e12)]
Probability = Annotated[float, Bounds(above=0, below=1)]
Sizes = tuple[Annotated[int, Bounds(least=1, most=100_000)], ...]
Names = tuple[str, ...]
ColumnKinds = dict[str, ColumnKind]


def _like(pattern: str) -> Callable[[str], object]:
    return lambda text: re.fullmatch(pattern, text)


@dataclass(frozen=True)
class Section:
    """Fields that belong together. Frozen; raises InputError for a value that a field does not take."""

    def __post_init__(self) -> None:
        for one in declared(type(self)):
            object.__setattr__(self, one.name, one.read(getattr(self, one.name)))


@dataclass(frozen=True)
class Data(Section):
    """Which table, which columns, which rows."""

    dataset: str = choice(
        datasets.DEFAULT,
        "A built-in set, a file (CSV, TSV, Parquet, NPZ), or module:function.",
        label="dataset",
        example="houses, linear:rows=1000, sales.csv, mymodule:load",
        fits=bool,
    )
    target: str | None = choice(
        None, "The column to predict; a built-in set names its own.", label="target", example="price"
    )
    features: Names = choice(
        (), "The columns to learn from; empty takes every usable one.", label="features", example="size,age"
    )
    drop: Names = choice((), "Columns to leave out.", label="leave out", example="id,notes")
    types: ColumnKinds = choice(
        {},
        "Override the inferred type of a column: COL=TYPE. May be given several times.",
        label="column types",
        flag="as",
        example="zip=categorical",
    )
    task: Literal["auto", "regression", "binary", "multiclass"] = choice(
        "auto", "What kind of target it is; auto reads it from the target.", label="task"
    )
    degree: Annotated[int, Bounds(least=1, most=20)] = choice(
        1, "Highest degree of the feature terms, interactions included.", label="degree"
    )
    missing: Literal["median", "mean", "mode", "drop"] = choice(
        "median",
        "Impute missing numbers with this value of the train rows, or drop the rows.",
        label="missing values",
    )
    class_weight: Literal["none", "balanced"] = choice(
        "none",
        "Weight classes equally in the loss when they are of unequal size.",
        label="class weight",
        needs=needs.CLASSES,
    )
    positive: str | None = choice(
        None,
        "Of two classes the one that the threshold, precision, recall, F1 and the areas under the curves are of; auto "
        "is the one called yes, y, true, t, 1, positive, pos, present or on, else the rarer among the train rows, else "
        "the second.",
        label="positive class",
        needs=needs.POSITIVE,
        example="fraud",
    )
    val: Share | None = choice(
        None,
        "Share of the rows held out for validation; auto is 0 for the built-in toy datasets, else 0.2.",
        label="validation share",
    )
    test: Share = choice(0.0, "Share of the rows held out for the final test.", label="test share")
    split: Literal["shuffled", "ordered"] = choice(
        "shuffled",
        "Draw held-out rows at random (by class for a classifier), or take the last ones.",
        label="split",
        needs=needs.HELD_OUT,
    )
    split_seed: Seed = choice(0, "Seed of the split.", label="split seed", needs=(needs.HELD_OUT, needs.DRAWN))


@dataclass(frozen=True)
class Normalization(Section):
    """How features are brought to one scale. Fitted on train rows only."""

    normalize: Annotated[str, modes.REGISTRY] = choice(modes.DEFAULT, "{members}.", label="normalization")
    std: Literal["sample", "population"] = choice(
        "sample", "Standard deviation: sample divides by n - 1, population by n.", label="std", needs=needs.DEVIATION
    )
    normalize_target: bool = choice(
        False,
        "Bring the target to one scale too; losses stay in its own units.",
        label="normalize target",
        needs=needs.NUMBER,
    )


@dataclass(frozen=True)
class Model(Section):
    """What is fitted."""

    model: Annotated[str, families.REGISTRY] = choice(
        "auto",
        "auto (by the task), {names}, or module:Class for an nn.Module of your own.",
        label="model",
        example="mymodels:Net",
        fits=_like(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*"),
        suggestions=("auto",),
        auto=autos.model,
    )
    hidden: Sizes = choice(
        (64, 64), "Units of each hidden layer.", label="hidden units", example="64,64", needs=needs.HIDDEN
    )
    activation: Annotated[str, activations.REGISTRY] = choice(
        activations.DEFAULT, "Activation function of the hidden layers.", label="activation", needs=needs.HIDDEN
    )
    dropout: Share = choice(0.0, "Dropout probability of the hidden units.", label="dropout", needs=needs.LAYERS)
    batch_norm: bool = choice(
        False, "Normalize each hidden layer over the batch.", label="batch norm", needs=needs.LAYERS
    )
    init: Literal["auto", "zeros", "ones", "uniform", "kaiming"] = choice(
        "auto",
        "Initialization of the parameters, bias included; auto is zeros for linear models, kaiming for an mlp.",
        label="init",
        auto=autos.init,
    )
    loss: Literal["auto"] | Annotated[str, losses.REGISTRY] = choice(
        "auto",
        f"Loss function; auto is {losses.default('regression')} for regression, {losses.default('binary')} for two "
        f"classes, {losses.default('multiclass')} for more.",
        label="loss",
        auto=autos.loss,
    )
    threshold: Literal["auto"] | Probability = choice(
        0.5,
        "Probability from which on the positive one of two classes is decided; auto trains five more models, each "
        "without a fifth of the rows, and keeps 0.5 unless F1 on those gains more than its error.",
        label="threshold",
        needs=needs.THRESHOLD,
    )


@dataclass(frozen=True)
class Optimizer(Section):
    """How the parameters move."""

    optimizer: Literal["auto"] | Annotated[str, rules.REGISTRY] = choice(
        "auto",
        f"The update rule; {rules.SGD.name} is plain gradient descent; auto is {rules.SGD.name} for regression, "
        f"{rules.NESTEROV.name} for logistic and softmax, {rules.ADAM.name} for an mlp or a module.",
        label="optimizer",
        live=True,
        auto=autos.optimizer,
    )
    lr: Literal["auto"] | Rate = choice(
        "auto",
        "Learning rate; auto is half the largest stable one where that is known, else the finder's.",
        label="learning rate",
        live=True,
    )
    momentum: Share = choice(
        rules.MOMENTUM,
        "Momentum: the share of the last step that is kept.",
        label="momentum",
        live=True,
        needs=needs.MOMENTUM,
    )
    batch_size: Literal["auto", "full"] | Count = choice(
        "auto",
        "Rows for each update; auto is full (32 for classes and for an mlp), and 256 above 10,000 rows.",
        label="batch size",
        unit="rows",
        live=True,
        needs=needs.BATCHES,
        auto=autos.batch_size,
    )
    shuffle: Literal["full", "blocks", "none"] = choice(
        "full",
        "Row order of each epoch: drawn anew; blocks of 1,024 rows in a new order, shuffled inside; or as it is.",
        label="shuffle",
        needs=needs.ROW_ORDER,
    )
    schedule: Literal["auto", "constant", "step", "cosine", "onecycle", "plateau"] = choice(
        "auto",
        "How the learning rate moves: a tenth after each third, to zero, up and down, or when stuck; "
        "auto is cosine for a linear model on small batches, whose noise it lets settle, else constant.",
        label="schedule",
        auto=autos.schedule,
    )
    warmup: Annotated[int, Bounds(least=0, most=10**12)] = choice(
        0, "Steps in which the learning rate rises from zero.", label="warm-up", unit="steps"
    )
    l1: Penalty = choice(
        0.0,
        "L1 penalty coefficient c: adds c times the sign of each weight to the gradient; never for the bias.",
        label="L1",
    )
    l2: Literal["auto"] | Penalty = choice(
        "auto",
        "L2 penalty coefficient c: adds c times each weight (c/2 times its square to the loss), never the bias; "
        "auto is 1/rows for logistic and softmax, whose weights could else grow for ever, else 0.",
        label="L2",
        auto=autos.l2,
    )
    weight_decay: Penalty = choice(
        rules.WEIGHT_DECAY,
        "Decoupled weight decay (Loshchilov and Hutter 2019).",
        label="weight decay",
        needs=needs.WEIGHT_DECAY,
    )
    clip: Rate | None = choice(None, "Clip the gradient norm to this.", label="gradient clip", needs=needs.CLIP)


@dataclass(frozen=True)
class Device(Section):
    """Where and how exactly it is computed."""

    device: str = choice(
        "auto",
        "auto, cpu, cuda, cuda:i, mps or xpu.",
        label="device",
        suggestions=("auto", "cpu"),
        fits=_like(r"mps|(cuda|xpu)(:\d+)?"),
    )
    precision: Literal["auto", "float32", "float64", "bf16", "fp16"] = choice(
        "auto",
        "Number format; auto is float64 for linear models where the device has it, else float32; "
        "bf16 and fp16 mix with float32 weights.",
        label="precision",
    )
    backend: Literal["auto", "spectral", "compiled", "autograd"] = choice(
        "auto", "The way the steps are computed; auto takes the fastest exact backend.", label="backend"
    )
    threads: Literal["auto"] | Annotated[int, Bounds(least=1, most=1024)] = choice(
        "auto", "CPU threads for the arithmetic; auto is one for small work.", label="threads"
    )
    compile: bool = choice(
        False,
        "Let torch.compile turn the model into code of its own: ten seconds or more at first, slower on small models.",
        label="compile",
        needs=needs.COMPILE,
    )
    deterministic: bool = choice(
        False, "Use only algorithms that give the same bits every time.", label="deterministic"
    )
    seed: Seed = choice(0, "Seed of the initial parameters and of the row order.", label="seed")


@dataclass(frozen=True)
class Stopping(Section):
    """When a run is over."""

    epochs: Literal["auto"] | Count = choice(
        "auto",
        "Passes over the train rows; auto is 1,000 with full batches, else 100.",
        label="epochs",
        needs=needs.EPOCHS,
        auto=autos.epochs,
    )
    steps: Count | None = choice(None, "Updates to take, instead of epochs.", label="steps", auto=autos.steps)
    eval_every: Literal["auto"] | Count = choice(
        "auto",
        "Steps between evaluations of all train and validation rows; auto is an epoch, at most 250 times a run "
        "(50 without validation rows).",
        label="evaluate every",
        unit="steps",
        auto=autos.eval_every,
    )

    patience: Count | None = choice(
        None, "Early-stopping patience: evaluations without a better loss.", label="patience", unit="evaluations"
    )
    min_delta: Penalty = choice(
        0.0, "How much better a loss must be to count for patience.", label="minimum delta", needs=needs.PATIENCE
    )
    tol: Penalty | None = choice(
        None,
        "Stop when the gap to the optimum is under this; where that is unknown, when the loss of an evaluation changes "
        "by less than this share.",
        label="tolerance",
    )
    target_loss: float | None = choice(
        None, "Stop when the validation loss (train loss without validation rows) is at most this.", label="target loss"
    )
    max_seconds: Annotated[float, Bounds(above=0, most=1e9)] | None = choice(
        None, "Stop after so many seconds of training.", label="time limit", unit="s"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps is not None and self.epochs != "auto":
            raise InputError(sentences.EPOCHS_AND_STEPS())


@dataclass(frozen=True)
class Recording(Section):
    """What is kept, and where."""

    runs: str = choice("./runs", "The folder that holds the run folders.", label="runs folder", fits=bool)
    name: str | None = choice(
        None,
        "Name of the run folder, instead of time, dataset and normalization.",
        label="name",
        fits=lambda text: not names.problem(text),
    )
    log_every: Literal["auto", "all"] | Count = choice(
        "auto",
        "Steps between TensorBoard points; auto is dense at first, then at most 10,000 points a curve.",
        label="log every",
        unit="steps",
        needs=needs.EVENT_FILE,
    )
    tensorboard: bool = choice(True, "Write a TensorBoard event file.", label="tensorboard")
    checkpoint_every: Count | None = choice(
        None,
        "Steps between checkpoints; by default one every 30 seconds.",
        label="checkpoint every",
        unit="steps",
    )
    keep_checkpoints: Count | None = choice(
        None,
        "Newest checkpoints to keep of those made every so many steps; all by default. The last and the best stay.",
        label="keep checkpoints",
        needs=needs.NUMBERED,
    )
    pace: Literal["max", "auto"] | Seconds = choice(
        "auto",
        "max, auto, or the seconds to spread a run over so that it can be watched; without a screen always max.",
        label="pace",
        unit="s",
        needs=needs.SCREEN,
    )
