"""Steps by compiled loops on the processor: linear, logistic and softmax regression, and networks.

A run of steps is one call into machine code that numba has made of `loops`, with the interpreter's lock released: the
screen and the event file cost it nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from engine.data.prepare import Prepared
from engine.learn import sentences
from engine.learn.kernels import measure
from engine.learn.kernels.contract import Floats, Parameters, Split, State
from engine.learn.kernels.steering import Unserved
from engine.learn.kernels.threads import limited
from engine.learn.models import init_parameters
from engine.learn.objective import unit
from engine.learn.plan import Plan
from engine.learn.schedules import factors
from engine.registry import rules as update_rules
from engine.registry.activations import REGISTRY

CHUNK = 1 << 16  # steps in one call


def refusal(plan: Plan) -> str | None:
    """Why this kernel cannot follow a plan, a clause after "compiled"; None where it can."""
    shape = plan.architecture
    if shape.own:
        return sentences.NO_LOOPS_FOR(model=plan.model)
    if not shape.chain:
        return sentences.NO_LOOP_FOR_MODEL(model=plan.model)
    if shape.dropout or shape.batch_norm:
        return sentences.NO_LOOP_FOR_LAYERS()
    if shape.hidden and not REGISTRY[shape.activation].compiles:
        return sentences.NO_LOOP_FOR_ACTIVATION(activation=shape.activation)
    if not plan.objective.loop:
        return sentences.NO_LOOP_FOR_LOSS(loss=plan.loss)
    if plan.rule.stepper:
        usual = update_rules.ADAM.name
        return sentences.FIRST_ORDER_ONLY(optimizer=plan.optimizer, usual=usual)
    if not plan.rule.compiles:
        return sentences.NO_LOOP_FOR_RULE(optimizer=plan.optimizer)
    if plan.precision not in ("float32", "float64"):
        return sentences.FLOATS_ONLY(precision=plan.precision)
    if plan.device != "cpu":
        return sentences.CPU_ONLY(device=plan.device)
    return None


class Compiled:
    """A model in training.

    Args:
        plan: one that `refusal` has nothing against.
        prepared: the table; its train rows are copied into the layout and precision of the loop.
        limit: a loss above it, in the target's own units, counts as diverged.
        activity: told when something takes a while.
    """

    def __init__(
        self, plan: Plan, prepared: Prepared, limit: float, activity: Callable[[str], None] | None = None
    ) -> None:
        if activity is not None:
            activity(sentences.LOADING_LOOPS())
        # numba takes 0.2 s to import, and is not wanted where this kernel is not.
        from engine.learn.kernels import compiled_tables as tables
        from engine.learn.kernels.loops import jit, rules, source
        from engine.learn.kernels.loops.tiles import BACK, COUNT, EPOCH, PLACES, ROW

        self._places, self._regime = (EPOCH, ROW, COUNT, BACK), rules.Regime
        self._layout = source.rules.layout()
        self._plan, self._prepared = plan, prepared
        self._limit = min(limit, float(np.finfo(np.float64).max))
        self._unit = unit(plan.loss, prepared.target_scale.scale)
        dtype: Any = np.float64 if plan.precision == "float64" else np.float32
        start = init_parameters(plan.architecture, plan.init, plan.seed)
        flat = np.concatenate([array.reshape(-1) for array in start.values()]).astype(dtype)
        decays = [np.full(array.size, array.ndim >= 2) for array in start.values()]
        self._vectors = rules.Trained(
            flat,
            np.zeros_like(flat),
            np.zeros((self._layout.height, len(flat)), dtype),
            flat.copy(),
            np.concatenate(decays).astype(dtype),
        )
        one = plan.architecture.linear and plan.architecture.outputs == 1
        self._loop = (tables.SingleLoop if one else tables.LayersLoop)(plan, prepared.train, dtype)
        self._layered = not one  # whether the loop calls BLAS
        self._at = np.zeros(PLACES, np.int64)
        self._step = 0
        self._rule, self._batch = plan.optimizer, plan.batch
        self._lr, self._factor, self._momentum = plan.lr, 1.0, plan.momentum
        with limited(1), jit.announced(self._loop.function, plan.precision, activity):
            self._run(np.empty(0), np.empty(0))

    @property
    def step(self) -> int:
        """Updates taken so far."""
        return self._step

    def _run(self, rates: Floats, losses: Floats) -> int:
        plan = self._plan
        regime = self._regime(
            self._layout.codes[self._rule],
            float(self._momentum),
            float(plan.weight_decay),
            float(plan.l1),
            float(plan.l2),
            float(plan.clip or 0.0),
        )
        return self._loop.run(rates, losses, self._limit, self._unit, self._at, self._batch, self._vectors, regime)

    def advance(self, steps: int) -> Floats:
        """See `Kernel.advance`."""
        losses, taken = np.empty(steps), 0
        plan, back = self._plan, self._places[3]
        with limited(plan.threads, inf if self._layered else 0):
            while taken < steps:
                count = min(steps - taken, CHUNK)
                if not plan.scheduled:
                    rates = np.full(count, self._lr * self._factor)
                else:
                    share = factors(plan.schedule, plan.warmup, plan.steps, self._step, count)
                    rates = self._lr * self._factor * share
                done = self._run(rates, losses[taken : taken + count])
                self._step += done
                taken += done
                if self._at[back]:
                    self._at[back] = 0
                    return losses[: taken + 1].copy()
        return losses

    def change(self, field: str, value: Any) -> None:
        """See `Kernel.change`; takes lr, momentum, optimizer, batch_size, and lr_factor from a plateau."""
        if field == "lr":
            self._lr = float(value)
        elif field == "lr_factor":
            self._factor = float(value)
        elif field == "momentum":
            self._momentum = float(value)
        elif field == "optimizer" and value in self._layout.codes:
            self._rule = value
            self._vectors.state[:] = 0
            self._at[self._places[2]] = 0
        elif field == "batch_size":
            self._batch = self._plan.rows if value == "full" else min(int(value), self._plan.rows)
        else:
            raise Unserved(sentences.NOT_CHANGED_BY_COMPILED(field=field, value=value))

    def gradient(self) -> Parameters:
        """See `Kernel.gradient`."""
        with limited(self._plan.threads, self._work("train")):
            return measure.gradient(self._plan, self._prepared, self.parameters())

    def _work(self, split: Split) -> float:
        """Multiplications of the model on all rows of a split, at least those of its largest product."""
        return len(measure.rows_of(self._prepared, split).y) * len(self._vectors.p)

    def evaluate(self, split: Split) -> float:
        """See `Kernel.evaluate`."""
        with limited(self._plan.threads, self._work(split)):
            return measure.evaluate(self._plan, self._prepared, self.parameters(), split)

    def outputs(self, split: Split) -> Floats:
        """See `Kernel.outputs`."""
        with limited(self._plan.threads, self._work(split)):
            return measure.outputs(self._plan, self.parameters(), measure.rows_of(self._prepared, split).x)

    def parameters(self) -> Parameters:
        """See `Kernel.parameters`."""
        arrays, at = {}, 0
        for name, shape in self._plan.architecture.layout():
            size = int(np.prod(shape))
            arrays[name] = self._vectors.p[at : at + size].astype(np.float64).reshape(shape)
            at += size
        return Parameters(arrays)

    def state(self) -> State:
        """See `Kernel.state`."""
        arrays = {"parameters": self._vectors.p.copy(), "previous": self._vectors.previous.copy()}
        for i, row in enumerate(self._layout.rows[self._rule]):
            arrays[f"memory{i}"] = self._vectors.state[row].copy()
        epoch, row, count, _ = (int(self._at[place]) for place in self._places)
        return State(
            arrays,
            {
                "step": self._step,
                "epoch": epoch,
                "row": row,
                "batch": self._batch,
                "lr": self._lr,
                "factor": self._factor,
                "momentum": self._momentum,
                "optimizer": self._rule,
                "count": count,
            },
        )

    def restore(self, state: State) -> None:
        """See `Kernel.restore`."""
        arrays, facts, to = state.arrays, state.facts, self._vectors
        self._rule = facts["optimizer"]  # type: ignore[assignment]
        to.p[:] = arrays["parameters"]
        to.previous[:] = arrays.get("previous", arrays["parameters"])
        to.state[:] = 0
        for i, row in enumerate(self._layout.rows[self._rule]):
            to.state[row] = arrays[f"memory{i}"]
        for place, name in zip(self._places, ("epoch", "row", "count"), strict=False):
            self._at[place] = int(facts[name])
        self._step, self._batch = int(facts["step"]), int(facts["batch"])
        self._lr, self._factor, self._momentum = (float(facts[name]) for name in ("lr", "factor", "momentum"))
