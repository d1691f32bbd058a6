"""What a run shows of itself: one small frozen value, made by the worker thread and read by anyone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.base.loss_history import History, Series
from engine.base.rounding import least
from engine.learn.curvature import LossSurfaceFacts
from engine.learn.decision import Decision
from engine.learn.kernels.contract import Parameters
from engine.learn.plan import Plan
from engine.learn.rounded import Rounded
from engine.recipe import find
from engine.training import sentences

if TYPE_CHECKING:
    from engine.telemetry import Sample

Ended = Literal["limit", "tol", "patience", "target", "diverged", "stopped", "time", "interrupted", "failed"]


class Phase(StrEnum):
    """Where a run stands."""

    PREPARING = "preparing"  # reading the table, choosing the kernel; `activity` says which
    TRAINING = "training"
    PAUSED = "paused"
    ENDED = "ended"  # `ending` says why; the run folder is complete
    FAILED = "failed"  # `error` says what and where


@dataclass(frozen=True)
class Weights:
    """The parameters of a linear model at one step.

    Rows are features, columns outputs; `d` features and `k` outputs (1 for regression).
    """

    step: int
    features: tuple[str, ...]
    outputs: tuple[str, ...]  # the target's name, or the classes
    scaled: NDArray[np.float64]  # [d, k], on normalized features
    raw: NDArray[np.float64]  # [d, k], on the features' own units
    gradient: NDArray[np.float64]  # [d, k], of the loss with respect to `scaled`, all train rows
    bias_scaled: NDArray[np.float64]  # [k]
    bias_raw: NDArray[np.float64]  # [k]
    bias_gradient: NDArray[np.float64]  # [k]
    reach: NDArray[np.float64] | None = None  # [d] root mean square of each normalized feature; None where unknown
    raw_reach: NDArray[np.float64] | None = None  # [d] at least that of each feature in its own unit

    def shown(self) -> tuple[Rounded, Rounded]:
        """Which of (`scaled`, `bias_scaled`) and which of (`raw`, `bias_raw`) are rounding; see `Rounded`."""
        return (
            Rounded.of(self.scaled, self.bias_scaled, self.reach),
            Rounded.of(self.raw, self.bias_raw, self.raw_reach),
        )


@dataclass(frozen=True)
class Mark:
    """Something that happened at a step, to be drawn on the chart."""

    step: int
    kind: Literal["change", "checkpoint"]
    text: str  # such as "lr 0.4"
    rate: float | None = None  # the learning rate from here on, where that is what changed

    @classmethod
    def change(cls, step: int, field: str, value: Any) -> Mark:
        """A field of the recipe got another value."""
        if field == "lr":
            return cls(step, "change", sentences.MARK(label="lr", value=f"{float(value):.4g}"), float(value))
        return cls(step, "change", sentences.MARK(label=find(field).label, value=find(field).show(value)))

    @classmethod
    def checkpoint(cls, step: int) -> Mark:
        """A checkpoint was written that stays."""
        return cls(step, "checkpoint", "checkpoint")


@dataclass(frozen=True)
class Ending:
    """Why a run is over."""

    reason: Ended
    sentence: str  # one or two plain sentences: why, how far from the optimum, what to try next
    remedy: dict[str, str] = field(default_factory=dict)  # recipe fields to change, offered with one key
    remedy_text: str = ""  # the remedy in words: "learning rate 0.35"


@dataclass(frozen=True)
class Snapshot:
    """A run as of its last chunk of steps. Cheap: arrays in it are shared and never written again."""

    phase: Phase
    activity: str = ""  # what is being done in PREPARING, such as "reading sales.csv"
    step: int = 0  # updates taken
    steps: int = 0  # updates planned; 0 while unknown
    epoch: float = 0.0
    epochs: float = 0.0
    loss: float | None = None  # the newest row of the history
    validation_loss: float | None = None  # the newest evaluation
    lr: float | None = None
    seconds: float = 0.0  # of training, pauses left out
    steps_per_second: float = 0.0  # of the last second or so
    eta: float | None = None  # seconds to the planned end at the present speed
    history: History | None = None  # the loss of every step
    validation: Series | None = None  # validation losses
    tracks: Mapping[str, Series] = field(default_factory=dict)  # every evaluated curve, by TensorBoard tag
    weights: Weights | None = None
    parameters: Parameters | None = None  # of the same step as `weights`, of any model
    facts: LossSurfaceFacts | None = None  # curvature, optimum, baseline
    plan: Plan | None = None  # every `auto` resolved
    machine: Sample | None = None  # how busy, full and hot the machine is; None in the first second
    decision: Decision | None = None  # how two classes are decided
    marks: tuple[Mark, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()  # changes that it could not take: (recipe field, why)
    full: str = ""  # why it has paused by itself: a disk without room, what is safe, what to do
    stalls: int = 0  # how often it has paused for that, attempts to go on counted
    notes: tuple[str, ...] = ()  # what preparation left out or repaired
    run: Path | None = None
    ending: Ending | None = None
    stands: str = ""  # of a kept run that is not over for good how it stands: "running on gpu7", "interrupted"
    error: str = ""

    @property
    def loss_size(self) -> float | None:
        """What a loss is measured against: the initial one, or the best constant's if less (`engine.base.rounding`)."""
        first = self.history.first if self.history is not None else None
        return least((first, self.facts.baseline_loss if self.facts is not None else None))

    @property
    def gradient_size(self) -> float | None:
        """What a gradient is measured against: its norm before the first update."""
        norms = self.tracks.get("gradient_norm")
        return norms.first if norms is not None else None

    @property
    def live(self) -> bool:
        """Whether the worker thread still has something to do."""
        return self.phase in (Phase.PREPARING, Phase.TRAINING, Phase.PAUSED)
