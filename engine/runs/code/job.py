"""What the parts of a script are written from, and the choices among them that several parts share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engine.data.prepare import Prepared
from engine.learn.decision import Decision
from engine.learn.plan import Plan
from engine.recipe import Event, Recipe
from engine.registry.rules import REGISTRY, Rule

Style = Literal["plain", "torch"]
INDENT = "    "


@dataclass(frozen=True)
class Job:
    """One script to be written.

    Attributes:
        steps: updates the script takes, at most the plan's.
        data: the .npz that it loads; None where the table is small enough to stand in the script.
        decision: how two classes are decided; None where there are not two.
    """

    recipe: Recipe
    plan: Plan
    prepared: Prepared
    style: Style
    steps: int
    data: Path | None
    decision: Decision | None = None

    @property
    def events(self) -> tuple[Event, ...]:
        """The changes that fall within the steps, in their order; those of the pace and the like left out."""
        live = ("lr", "momentum", "optimizer", "batch_size")
        return tuple(e for e in self.recipe.events if e.field in live and e.step < self.steps)

    def changes(self, field: str) -> bool:
        """Whether an event changes a field."""
        return any(event.field == field for event in self.events)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The optimizers in use, without repetition."""
        later = (str(e.value) for e in self.events if e.field == "optimizer")
        return tuple(REGISTRY[name] for name in dict.fromkeys((self.plan.optimizer, *later)))

    @property
    def batched(self) -> bool:
        """Whether an update may see only some of the rows."""
        return self.plan.batch < self.plan.rows or self.changes("batch_size")

    @property
    def weighted(self) -> bool:
        """Whether rows have weights."""
        return self.prepared.train.weight is not None

    @property
    def validates(self) -> bool:
        """Whether there are validation rows."""
        return len(self.prepared.validation.y) > 0

    @property
    def evaluates(self) -> bool:
        """Whether losses of all rows are computed now and then."""
        return self.validates or self.plan.schedule == "plateau"

    @property
    def penalised(self) -> bool:
        """Whether an L1 or L2 penalty is added to the loss."""
        return self.plan.l1 > 0 or self.plan.l2 > 0

    @property
    def scheduled(self) -> bool:
        """Whether the learning rate follows a function of the step."""
        return self.plan.schedule in ("step", "cosine", "onecycle") or self.plan.warmup > 0

    @property
    def switches_mode(self) -> bool:
        """Whether the model computes something else in training than at prediction."""
        shape = self.plan.architecture
        return shape.own or shape.dropout > 0 or shape.batch_norm

    @property
    def single(self) -> bool:
        """Whether everything is computed in float32."""
        return self.plan.precision != "float64"

    @property
    def mixed(self) -> bool:
        """Whether the model computes in half precision."""
        return self.plan.precision in ("bf16", "fp16")

    @property
    def classes(self) -> int:
        """Columns of the model's output."""
        return self.plan.architecture.outputs

    @property
    def unit(self) -> bool:
        """Whether a loss has to be brought back to the target's own units."""
        return self.prepared.target_scale.scale != 1.0 and self.plan.objective.degree > 0

    @property
    def to_device(self) -> str:
        """What moves a tensor to the run's device."""
        return "" if self.plan.device == "cpu" else ".to(device)"

    def item(self, loss: str) -> str:
        """The number of a loss tensor, in the target's own units."""
        return f"{loss}.item()" + (" * unit" if self.unit else "")


def block(head: str, *lines: str) -> list[str]:
    """A line that opens a block, and the block."""
    return [head, *(INDENT + line if line else "" for line in lines)]


def number(value: Any) -> str:
    """A number as source text, every digit kept."""
    return repr(float(value))


def rate(value: Any) -> str:
    """A rate as a person would write it where that is the same number."""
    short = f"{float(value):g}"
    return short if float(short) == float(value) else repr(float(value))
