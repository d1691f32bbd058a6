"""The recipe: every choice a person can make, declared once.

The app's forms, the command line's flags and `--help`, `recipe.toml`, validation messages and TensorBoard's
hyperparameters are all made from the fields below. To add a choice, add one field here and the code that obeys it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo

from engine.errors import InputError


def _whole(value: object) -> object:
    """Read 2e6, 2_000_000 and 2,000,000 as the whole number they are."""
    if isinstance(value, str):
        text = value.replace("_", "").replace(",", "").strip()
        try:
            return int(text)
        except ValueError:
            pass
        try:
            value = float(text)
        except ValueError:
            return text
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _names(value: object) -> object:
    """Split "a,b" into names; quotes keep a comma that belongs to a name."""
    if isinstance(value, str):
        import csv

        return tuple(name.strip() for row in csv.reader([value], skipinitialspace=True) for name in row if name.strip())
    return value


def _parts(value: object) -> object:
    """Split "64,64" into its numbers."""
    if isinstance(value, int):
        return (value,)
    return tuple(part for part in value.replace(" ", "").split(",") if part) if isinstance(value, str) else value


def _column_types(value: object) -> object:
    """Read ["age=numeric", "ticket=text"] (or one such text, parts separated by commas) as a table."""
    if isinstance(value, str):
        value = _names(value)
    if isinstance(value, list | tuple):
        table: dict[str, str] = {}
        for part in value:
            name, equals, kind = str(part).rpartition("=")
            if not equals:
                raise ValueError("not COL=TYPE")
            table[name.strip()] = kind.strip()
        return table
    return value


Whole = Annotated[int, BeforeValidator(_whole)]
Count = Annotated[Whole, Field(ge=1, le=10**12)]
Share = Annotated[float, Field(ge=0, lt=1)]
Rate = Annotated[float, Field(gt=0, le=1e12)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Penalty = Annotated[float, Field(ge=0, le=1e12)]
Sizes = Annotated[tuple[Annotated[Whole, Field(ge=1, le=100_000)], ...], BeforeValidator(_parts)]
Seed = Annotated[Whole, Field(ge=0, lt=2**63)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
ColumnKind = Literal["numeric", "boolean", "categorical", "date", "identifier", "text"]
ColumnKinds = Annotated[dict[str, ColumnKind], BeforeValidator(_column_types)]


def _choice(
    default: Any,
    help: str,
    *,
    label: str,
    unit: str = "",
    flag: str = "",
    live: bool = False,
    example: str = "",
    suggestions: tuple[str, ...] = (),
    **bounds: Any,
) -> Any:
    """Declare a field. `live`: it can be changed while a run goes on. `flag`: its spelling where it is not the name."""
    extra: Any = {"label": label, "unit": unit, "flag": flag, "live": live, "example": example}
    extra["suggestions"] = list(suggestions)
    return Field(default, description=help, json_schema_extra=extra, **bounds)


class Section(BaseModel):
    """Fields that belong together. Frozen; a field that is not declared is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)


class Data(Section):
    """Which table, which columns, which rows."""

    dataset: str = _choice(
        "houses",
        "A built-in set, a file (CSV, TSV, Parquet, NPZ), or module:function.",
        label="dataset",
        example="houses, linear:rows=1000, sales.csv, mymodule:load",
        min_length=1,
    )
    target: str | None = _choice(
        None, "The column to predict; a built-in set names its own.", label="target", example="price"
    )
    features: Names = _choice(
        (), "The columns to learn from; empty takes every usable one.", label="features", example="size,age"
    )
    drop: Names = _choice((), "Columns to leave out.", label="leave out", example="id,notes")
    types: ColumnKinds = _choice(
        {},
        "Overrule the type found for a column: COL=TYPE. May be given several times.",
        label="column types",
        flag="as",
        example="zip=categorical",
    )
    task: Literal["auto", "regression", "binary", "multiclass"] = _choice(
        "auto", "What kind of target it is; auto reads it from the target.", label="task"
    )
    degree: Annotated[Whole, Field(ge=1, le=20)] = _choice(
        1, "Highest degree of the feature terms, interactions included.", label="degree"
    )
    missing: Literal["median", "mean", "mode", "drop"] = _choice(
        "median",
        "Fill missing numbers with this value of the train rows, or drop the rows.",
        label="missing values",
    )
    class_weight: Literal["none", "balanced"] = _choice(
        "none", "Weigh classes equally in the loss when they are of unequal size.", label="class weight"
    )
    val: Share | None = _choice(
        None,
        "Share of the rows held out for validation; auto is 0 for the notes' own sets, else 0.2.",
        label="validation share",
    )
    test: Share = _choice(0.0, "Share of the rows held out for the final test.", label="test share")
    split: Literal["shuffled", "ordered"] = _choice(
        "shuffled",
        "Draw held-out rows at random (by class for a classifier), or take the last ones.",
        label="split",
    )
    split_seed: Seed = _choice(0, "Seed of the split.", label="split seed")


class Normalization(Section):
    """How features are brought to one scale. Fitted on train rows only."""

    normalize: Literal["none", "max", "minmax", "zscore", "robust"] = _choice(
        "zscore",
        "none; max: divide by max |x|; minmax: to [0, 1]; zscore: mean 0, std 1; robust: median 0, IQR 1.",
        label="normalization",
    )
    std: Literal["sample", "population"] = _choice(
        "sample", "Standard deviation for zscore: sample divides by n - 1, population by n.", label="std"
    )
    normalize_target: bool = _choice(
        False, "Bring the target to one scale too; losses stay in its own units.", label="normalize target"
    )


class Model(Section):
    """What is fitted."""

    model: str = _choice(
        "auto",
        "auto (by the task), linear, logistic, softmax, mlp, or module:Class for an nn.Module of your own.",
        label="model",
        example="mymodels:Net",
        pattern=r"^(auto|linear|logistic|softmax|mlp|[A-Za-z_][\w.]*:[A-Za-z_]\w*)$",
        suggestions=("auto", "linear", "logistic", "softmax", "mlp"),
    )
    hidden: Sizes = _choice(
        (64, 64), "Units of each hidden layer of an mlp.", label="hidden units", example="64,64", min_length=1
    )
    activation: Literal["relu", "leaky-relu", "gelu", "silu", "tanh", "sigmoid"] = _choice(
        "relu", "What hidden units do to their sum.", label="activation"
    )
    dropout: Share = _choice(0.0, "Share of an mlp's hidden units left out at random in each update.", label="dropout")
    batch_norm: bool = _choice(False, "Normalize each hidden layer of an mlp over the batch.", label="batch norm")
    init: Literal["auto", "zeros", "ones", "uniform", "kaiming"] = _choice(
        "auto",
        "Where the parameters begin, bias included; auto is zeros for linear models, kaiming for an mlp.",
        label="init",
    )
    loss: Literal["auto", "mse", "huber", "mae", "bce", "cross-entropy"] = _choice(
        "auto",
        "What is made small; auto is mse for amounts, bce for two classes, cross-entropy for more.",
        label="loss",
    )


class Optimizer(Section):
    """How the parameters move."""

    optimizer: Literal["auto", "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "lbfgs"] = _choice(
        "auto",
        "The update rule; sgd is plain gradient descent; auto is sgd for amounts, nesterov for logistic and softmax, "
        "adam for an mlp or a module.",
        label="optimizer",
        live=True,
    )
    lr: Literal["auto"] | Rate = _choice(
        "auto",
        "Learning rate; auto is half the largest stable one where that is known, else the finder's.",
        label="learning rate",
        live=True,
    )
    momentum: Annotated[float, Field(ge=0, lt=1)] = _choice(
        0.9, "Share of the last step kept, for momentum and nesterov.", label="momentum", live=True
    )
    batch_size: Literal["auto", "full"] | Count = _choice(
        "auto",
        "Rows for each update; auto is full (32 for classes and for an mlp), and 256 above 10,000 rows.",
        label="batch size",
        unit="rows",
        live=True,
    )
    shuffle: Literal["full", "blocks", "none"] = _choice(
        "full",
        "Row order of each epoch: drawn anew; blocks of 1,024 rows in a new order, shuffled inside; or as it is.",
        label="shuffle",
    )
    schedule: Literal["auto", "constant", "step", "cosine", "onecycle", "plateau"] = _choice(
        "auto",
        "How the learning rate moves: a tenth after each third, to zero, up and down, or when stuck; "
        "auto is cosine for a linear model on small batches, whose noise it lets settle, else constant.",
        label="schedule",
    )
    warmup: Annotated[Whole, Field(ge=0, le=10**12)] = _choice(
        0, "Steps in which the learning rate rises from zero.", label="warm-up", unit="steps"
    )
    l1: Penalty = _choice(0.0, "Adds c times the sign of each weight to the gradient; never the bias.", label="L1")
    l2: Literal["auto"] | Penalty = _choice(
        "auto",
        "Adds c times each weight to the gradient (penalty c/2 times its square), never the bias; "
        "auto is 1/rows for logistic and softmax, whose weights could else grow for ever, and 0 elsewhere.",
        label="L2",
    )
    weight_decay: Penalty | None = _choice(
        None, "Decoupled weight decay, for adamw only; its default is 0.01.", label="weight decay"
    )
    clip: Annotated[float, Field(gt=0, le=1e12)] | None = _choice(
        None, "Shorten a gradient whose norm is above this.", label="gradient clip"
    )


class Device(Section):
    """Where and how exactly it is computed."""

    device: str = _choice(
        "auto",
        "auto, cpu, cuda, cuda:i, mps or xpu.",
        label="device",
        suggestions=("auto", "cpu"),
        pattern=r"^(auto|cpu|mps|(cuda|xpu)(:\d+)?)$",
    )
    precision: Literal["auto", "float32", "float64", "bf16", "fp16"] = _choice(
        "auto",
        "Number format; auto is float64 for linear models where the device has it, else float32; "
        "bf16 and fp16 mix with float32 weights.",
        label="precision",
    )
    backend: Literal["auto", "spectral", "compiled", "autograd"] = _choice(
        "auto", "The way the steps are computed; auto takes the fastest that is right.", label="backend"
    )
    threads: Literal["auto"] | Annotated[Whole, Field(ge=1, le=1024)] = _choice(
        "auto", "CPU threads for the arithmetic; auto is one for small work.", label="threads"
    )
    deterministic: bool = _choice(
        False, "Use only algorithms that give the same bits every time.", label="deterministic"
    )
    seed: Seed = _choice(0, "Seed of the initial parameters and of the row order.", label="seed")


class Stopping(Section):
    """When a run is over."""

    epochs: Literal["auto"] | Count = _choice(
        "auto",
        "Passes over the train rows; auto is 1,000 with full batches, else 100.",
        label="epochs",
    )
    steps: Count | None = _choice(None, "Updates to take, instead of epochs.", label="steps")
    eval_every: Literal["auto"] | Count = _choice(
        "auto",
        "Steps between evaluations of all train and validation rows; auto is an epoch, at most 250 times a run "
        "(50 without validation rows).",
        label="evaluate every",
        unit="steps",
    )

    patience: Count | None = _choice(
        None, "Evaluations without a better loss after which to stop.", label="patience", unit="evaluations"
    )
    min_delta: Penalty = _choice(0.0, "How much better a loss must be to count for patience.", label="minimum delta")
    tol: Penalty | None = _choice(
        None,
        "Stop when the gap to the optimum is under this; where that is unknown, when the loss of an evaluation changes "
        "by less than this share.",
        label="tolerance",
    )
    target_loss: float | None = _choice(
        None, "Stop when the validation loss (train loss without validation rows) is at most this.", label="target loss"
    )
    max_seconds: Annotated[float, Field(gt=0, le=1e9)] | None = _choice(
        None, "Stop after so many seconds of training.", label="time limit", unit="s"
    )

    @model_validator(mode="after")
    def _one_length(self) -> Stopping:
        if self.steps is not None and self.epochs != "auto":
            raise ValueError("epochs and steps both say how long the run is; give one of them")
        return self


class Recording(Section):
    """What is kept, and where."""

    runs: str = _choice("./runs", "The folder that holds the run folders.", label="runs folder", min_length=1)
    name: str | None = _choice(
        None,
        "Name of the run folder, instead of time, dataset and normalization.",
        label="name",
        pattern=r"^[\w][\w .+=-]*$",
        max_length=120,
    )
    log_every: Literal["auto", "all"] | Count = _choice(
        "auto",
        "Steps between TensorBoard points; auto is dense at first, then at most 10,000 points a curve.",
        label="log every",
        unit="steps",
    )
    tensorboard: bool = _choice(True, "Write a TensorBoard event file.", label="tensorboard")
    checkpoint_every: Count | None = _choice(
        None,
        "Steps between checkpoints; by default one every 30 seconds.",
        label="checkpoint every",
        unit="steps",
    )
    pace: Literal["max", "auto"] | Seconds = _choice(
        "auto",
        "max, auto, or the seconds to spread a run over so that it can be watched; without a screen always max.",
        label="pace",
        unit="s",
    )


class Event(BaseModel):
    """A choice changed during a run: `field` takes `value` before update number `step`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    step: int = Field(ge=0)
    field: str
    value: float | int | str


class Recipe(BaseModel):
    """Every choice of one run. Equal recipes give equal runs on one machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Data = Data()
    normalization: Normalization = Normalization()
    model: Model = Model()
    optimizer: Optimizer = Optimizer()
    device: Device = Device()
    stopping: Stopping = Stopping()
    recording: Recording = Recording()
    events: tuple[Event, ...] = ()

    def replace(self, values: Mapping[str, Any]) -> Recipe:
        """This recipe with some fields, named as in `Choice.name`, changed. Values may be text. Raises InputError."""
        return build(values, base=self)

    def get(self, name: str) -> Any:
        """The value of a field by its name, such as "lr"."""
        return getattr(getattr(self, find(name).section), name)

    def changed(self) -> dict[str, Any]:
        """The fields that differ from their defaults, by name."""
        return {c.name: self.get(c.name) for c in choices() if self.get(c.name) != c.default}

    def to_toml(self) -> str:
        """The text of `recipe.toml`: every field, defaults included, so that a later default changes nothing."""
        import tomli_w

        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


@dataclass(frozen=True)
class Choice:
    """One field of the recipe, as the forms and the command line see it."""

    section: str
    name: str
    label: str
    help: str
    default: Any
    kind: Literal["pick", "switch", "whole", "number", "text", "names", "sizes", "table"]
    words: tuple[str, ...]  # the words it takes: all of its values where `kind` is "pick", else beside a number
    optional: bool  # may be left empty
    low: float | None
    high: float | None
    low_open: bool
    high_open: bool
    unit: str
    live: bool
    example: str
    suggestions: tuple[str, ...]  # of a text: the values to offer first
    flag: str  # with its dashes

    @property
    def allowed(self) -> str:
        """What it takes, in words: "auto or a number above 0"."""
        if self.kind == "switch":
            return "true or false"
        if self.kind == "names":
            return "column names separated by commas"
        if self.kind == "sizes":
            return "whole numbers above 0 separated by commas, like 64,64"
        if self.kind == "table":
            return "COL=TYPE with TYPE one of " + ", ".join(get_args(ColumnKind))
        parts = list(self.words)
        if self.kind in ("whole", "number"):
            noun = "a whole number" if self.kind == "whole" else "a number"
            bounds = []
            if self.low is not None:
                bounds.append(f"above {_plain(self.low)}" if self.low_open else f"of at least {_plain(self.low)}")
            if self.high is not None and self.high < 2**62:
                bounds.append(f"below {_plain(self.high)}" if self.high_open else f"at most {_plain(self.high)}")
            parts.append(" ".join([noun, " and ".join(bounds)]).strip())
        elif self.kind == "text" and not parts:
            parts.append(
                self.help.rstrip(".")
                if self.suggestions
                else "text" + (f" like {self.example}" if self.example else "")
            )
        return ", ".join(parts[:-1]) + " or " + parts[-1] if len(parts) > 1 else parts[0]

    @property
    def off(self) -> str:
        """The flag that says no to a switch; "" where no is the default and nothing else makes it yes."""
        may = self.kind == "switch" and (self.default or self.name == "normalize_target")
        return "--no-" + self.flag.removeprefix("--") if may else ""

    @property
    def default_text(self) -> str:
        """The default as it is shown: "auto", "0.5", "on"."""
        return self.show(self.default)

    def show(self, value: Any) -> str:
        """A value of this field as a person would write it; empty for one not given."""
        if value is None:
            return "auto" if self.name == "val" else ""
        if self.kind == "switch":
            return "on" if value else "off"
        if self.kind == "names":
            return ",".join(f'"{v}"' if "," in v else v for v in value)
        if self.kind == "sizes":
            return ",".join(map(str, value))
        if self.kind == "table":
            return ",".join(f"{k}={v}" for k, v in value.items())
        if isinstance(value, float):
            short = f"{value:.12g}"
            return short if float(short) == value else repr(value)
        return str(value)


def _plain(number: float) -> str:
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:g}"


def _leaves(annotation: Any) -> Iterable[Any]:
    """The plain types inside unions and Annotated, and the constraints that stand beside them."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *notes = get_args(annotation)
        yield from _leaves(inner)
        for note in notes:
            yield from note.metadata if isinstance(note, FieldInfo) else ()
    elif origin is Union or origin is UnionType:
        for part in get_args(annotation):
            yield from _leaves(part)
    else:
        yield annotation


def _read(section: str, name: str, info: FieldInfo) -> Choice:
    words: list[str] = []
    kind: Any = "text"
    optional = False
    for leaf in _leaves(info.annotation):
        if get_origin(leaf) is Literal:
            words.extend(get_args(leaf))
            kind = "pick" if kind == "text" else kind
        elif leaf is type(None):
            optional = True
        elif leaf is bool:
            kind = "switch"
        elif leaf is int:
            kind = "whole"
        elif leaf is float:
            kind = "number"
        elif get_origin(leaf) is tuple:
            kind, optional = ("names", True) if get_args(leaf)[0] is str else ("sizes", False)
        elif get_origin(leaf) is dict:
            kind, optional = "table", True
    bound: dict[str, float] = {}
    for constraint in (*info.metadata, *_leaves(info.annotation)):
        for key in ("ge", "gt", "le", "lt"):
            value = getattr(constraint, key, None)
            if value is not None:
                bound[key] = value
    extra: Any = info.json_schema_extra
    return Choice(
        section=section,
        name=name,
        label=extra["label"],
        help=info.description or "",
        default=info.get_default(call_default_factory=True),
        kind=kind,
        words=tuple(words),
        optional=optional,
        low=bound.get("gt", bound.get("ge")),
        high=bound.get("lt", bound.get("le")),
        low_open="gt" in bound,
        high_open="lt" in bound,
        unit=extra["unit"],
        live=extra["live"],
        example=extra["example"],
        suggestions=tuple(extra["suggestions"]),
        flag="--" + (extra["flag"] or name.replace("_", "-")),
    )


@cache
def choices() -> tuple[Choice, ...]:
    """Every field of the recipe in its order."""
    found = []
    for section, outer in Recipe.model_fields.items():
        kind = outer.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            found += [_read(section, name, info) for name, info in kind.model_fields.items()]
    return tuple(found)


@cache
def _by_name() -> dict[str, Choice]:
    return {c.name: c for c in choices()}


def find(name: str) -> Choice:
    """The field called `name`. Raises InputError with the nearest names."""
    try:
        return _by_name()[name]
    except KeyError:
        raise InputError(_unknown(name)) from None


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, _by_name(), n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; the fields are {', '.join(_by_name())}."
    return f"A recipe has no field called {name}{hint}"


def explain(error: ValidationError) -> str:
    """One sentence for what pydantic refused: the field, the value and the allowed range."""
    problem = error.errors(include_url=False, include_context=True)[0]
    path = [part for part in problem["loc"] if isinstance(part, str)]
    name = path[1] if len(path) > 1 else ""
    if problem["type"] == "extra_forbidden":
        return _unknown(path[-1] if path else "?")
    if name in _by_name():
        choice = _by_name()[name]
        value = problem["input"]
        if name == "name":
            return f"The run name {value!r} cannot be a folder's name; use letters, digits, spaces and . + = _ -"
        return f"{choice.label.capitalize()} ({choice.flag}) is {_said(value)}, but must be {choice.allowed}."
    if path[:1] == ["events"]:
        return f"events: {problem['msg']}; each is a table with step, field and value."
    text = str(problem["msg"]).removeprefix("Value error, ").strip()
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _said(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return "empty" if text == "" else text


def build(values: Mapping[str, Any], base: Recipe | None = None) -> Recipe:
    """A recipe from flat values by field name, on top of `base` or of the defaults.

    Text is read as the field's type, as the command line and the forms give it; an empty text takes back an optional
    field. Giving `steps` takes back `epochs` and the other way round, unless both are given.

    Raises:
        InputError: a name that is no field's, or a value out of its bounds.
    """
    tree = (base or Recipe()).model_dump()
    for name, value in values.items():
        choice = find(name)
        if isinstance(value, str) and choice.optional and value.strip() in ("", "auto"):
            value = {"names": (), "table": {}}.get(choice.kind)
        elif choice.kind == "switch" and isinstance(value, str):
            value = {"on": True, "off": False}.get(value.lower(), value)
        elif choice.kind in ("number", "pick") and isinstance(value, str):
            value = value.strip()
        tree[choice.section][name] = value
    if values.get("steps") is not None and "epochs" not in values:
        tree["stopping"]["epochs"] = "auto"
    if values.get("epochs") is not None and "steps" not in values:
        tree["stopping"]["steps"] = None
    return _validate(tree)


def _validate(tree: Mapping[str, Any]) -> Recipe:
    try:
        recipe = Recipe.model_validate(tree)
    except ValidationError as error:
        raise InputError(explain(error)) from None
    for event in recipe.events:
        choice = find(event.field)
        if not choice.live:
            live = ", ".join(c.name for c in choices() if c.live)
            raise InputError(f"events: {event.field} cannot be changed during a run; these can: {live}.")
        recipe.model_copy(update={"events": ()}).replace({event.field: event.value})
    return recipe


def read_toml(path: Path) -> Recipe:
    """The recipe in a TOML file, or in a run folder. Raises InputError naming the file."""
    import tomllib

    if path.is_dir():
        path = path / "recipe.toml"
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"There is no recipe {path}; give a recipe.toml or a run folder.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The recipe {path} cannot be read: {error}.") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"The recipe {path} is not valid TOML: {error}.") from None
    try:
        return _validate(tree)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
