"""What `auto` means: a choice made definite of what else is known of a run.

Each is declared with its field in `sections`, and asked through `known.Known`. It raises LookupError while something
that it depends on is not known. What depends on more than choices and the shape of the table (the learning rate on the
loss surface; device, number format, backend and threads on the machine) is made definite where that is looked at.
"""

from __future__ import annotations

from engine.recipe.needs import Now
from engine.registry import families, losses, rules

SMALL_BATCH, MIDDLE_BATCH = 32, 256  # rows: for classes and networks, and for tables of more than MANY_ROWS
MANY_ROWS = 10_000
EVALUATIONS = 250  # in a run, at most
LOOKS = 50  # the same without validation rows, when evaluations only draw curves
FULL, EPOCHS = 1000, 100  # epochs with full batches, and with smaller ones


def _linear(it: Now) -> bool:
    family = families.REGISTRY.get(it["model"])
    return family is not None and family.linear


def model(it: Now) -> str:
    """The usual family for the task."""
    return families.usual(it["task"])


def loss(it: Now) -> str:
    """The first that fits the task and the outputs of the model."""
    family = families.REGISTRY.get(it["model"])
    outputs = None if family is None else family.classes  # whether it has one for each class; None: as the loss
    return next(one.name for one in losses.REGISTRY if it["task"] in one.tasks and outputs in (None, one.classes))


def init(it: Now) -> str:
    """A linear model begins at zero, a module as it makes itself."""
    return "own" if ":" in it["model"] else "zeros" if _linear(it) else "kaiming"


def optimizer(it: Now) -> str:
    """Plain descent where the loss is quadratic, with momentum where it is convex."""
    rule = rules.ADAM if not _linear(it) else rules.SGD if it["task"] == "regression" else rules.NESTEROV
    return rule.name


def batch_size(it: Now) -> int:
    """All rows where that is cheap and exact."""
    rows: int = it["rows"]
    if rows > MANY_ROWS:
        return MIDDLE_BATCH
    return rows if it["task"] == "regression" and _linear(it) else min(SMALL_BATCH, rows)


def batch(it: Now) -> int:
    """Rows of a batch."""
    rows: int = it["rows"]
    size = it["batch_size"] if rules.REGISTRY[it["optimizer"]].takes("batch_size") else "full"
    return rows if size == "full" else min(int(size), rows)


def batches(it: Now) -> int:
    """Updates in an epoch."""
    return -(-int(it["rows"]) // batch(it))


def schedule(it: Now) -> str:
    """The noise of small batches is let settle where there is one optimum."""
    return "cosine" if _linear(it) and batch(it) < it["rows"] else "constant"


def l2(it: Now) -> float:
    """1/rows for classes under a linear model: scikit-learn's C = 1."""
    return 1 / int(it["rows"]) if _linear(it) and it["task"] != "regression" else 0.0


def epochs(it: Now) -> int:
    """More where each is one update."""
    return FULL if batch(it) >= it["rows"] else EPOCHS


def steps(it: Now) -> int:
    """Those of the epochs."""
    return int(it["epochs"]) * batches(it)


def eval_every(it: Now) -> int:
    """An epoch, or longer in a long run."""
    ruled = any(it[rule] is not None for rule in ("patience", "tol", "target_loss"))
    ruled = ruled or it["schedule"] == "plateau" or bool(it["validates"])
    return max(batches(it), -(-int(it["steps"]) // (EVALUATIONS if ruled else LOOKS)))
