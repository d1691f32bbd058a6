"""To what a choice applies: what it needs of other choices, of the table and of the way a run is begun."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from engine.registry import families, modes, rules


class Now(Protocol):
    """What is known of a run: choices made definite by their names, and facts of its table (see `known.Known`)."""

    def __getitem__(self, name: str) -> Any: ...


@dataclass(frozen=True)
class Needs:
    """What a choice needs; where that is not so it does not apply.

    Attributes:
        of: the fields that this depends on; first the one to change so that the choice applies.
        when: whether it applies, of what is known of the run.
        why: why it does not, half a sentence with values of fields in braces: "{optimizer} has no weight decay".
        to: to what it applies, in words for the help; "" where the words that the first field takes say it.
        but: values that hold all the same where it does not apply, beside those that choose nothing (auto, off, 0).
    """

    of: tuple[str, ...]
    when: Callable[[Now], bool]
    why: str
    to: str = ""
    but: tuple[Any, ...] = ()


def _is(field: str, *values: Any) -> Callable[[Now], bool]:
    return lambda it: it[field] in values


def _two_classes(it: Now) -> bool:
    task: str = it["task"]
    return task == "binary" or (task == "multiclass" and bool(it["classes"] == 2))


def _held_out(it: Now) -> bool:
    return bool(it["test"] or it["val"])


def _deviation(it: Now) -> bool:
    mode = modes.REGISTRY.get(it["normalize"])
    if mode is None or mode.scales:
        return mode is not None and mode.deviates
    return bool(it["normalize_target"]) and it["task"] == "regression"  # which the default mode then does


def _hidden(it: Now) -> bool:
    family = families.REGISTRY.get(it["model"])
    return family is not None and family.hidden


def _layers(it: Now) -> bool:
    family = families.REGISTRY.get(it["model"])
    return family is not None and family.hidden and family.chain


def _taken(field: str) -> Callable[[Now], bool]:
    """Whether the update rule has a use for a field."""
    return lambda it: (rule := rules.REGISTRY.get(it["optimizer"])) is not None and rule.takes(field)


def _small_batches(it: Now) -> bool:
    if not _taken("batch_size")(it):
        return False
    size = it["batch_size"]
    return bool(size != "full" and size < it["rows"])


CLASSES = Needs(("task",), _is("task", "binary", "multiclass"), "a {task} target has no classes")
POSITIVE = Needs(("task",), _two_classes, "a {task} target has no positive class")
THRESHOLD = Needs(("task",), _two_classes, "a {task} target has no threshold")
NUMBER = Needs(("task",), _is("task", "regression"), "a {task} target is no number")
HELD_OUT = Needs(("val", "test"), _held_out, "no rows are held out", "held-out rows")
DRAWN = Needs(("split",), _is("split", "shuffled"), "nothing is drawn in an {split} split")
DEVIATION = Needs(("normalize", "normalize_target", "task"), _deviation, "{normalize} uses no standard deviation")
HIDDEN = Needs(("model",), _hidden, "model {model} has no hidden layers to choose")
LAYERS = Needs(("model",), _layers, "model {model} has no hidden layers to choose")
MOMENTUM = Needs(("optimizer",), _taken("momentum"), "{optimizer} has no momentum to choose")
WEIGHT_DECAY = Needs(("optimizer",), _taken("weight_decay"), "{optimizer} has no weight decay")
BATCHES = Needs(("optimizer",), _taken("batch_size"), "{optimizer} works on full batches", but=("full",))
CLIP = Needs(("optimizer",), _taken("clip"), "the line search of {optimizer} needs true gradients")
ROW_ORDER = Needs(("batch_size", "optimizer"), _small_batches, "full batches have no order", "small batches")
COMPILE = Needs(("backend",), _is("backend wish", "auto", "autograd"), "{backend} has no model for torch")
EPOCHS = Needs(("steps",), lambda it: it["steps wish"] is None, "the number of steps is given", "runs without --steps")
PATIENCE = Needs(("patience",), lambda it: it["patience"] is not None, "there is no patience", "--patience")
EVENT_FILE = Needs(("tensorboard",), lambda it: it["tensorboard"], "no event file is written", "the event file")
NUMBERED = Needs(
    ("checkpoint_every",),
    lambda it: it["checkpoint_every"] is not None,
    "checkpoints are made by time",
    "--checkpoint-every",
)
SCREEN = Needs((), lambda it: bool(it["screen"]), "nobody watches a run without a screen", "the app", but=("max",))
