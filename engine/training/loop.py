"""The updates of a run, with the changes, evaluations and checkpoints that lie on the way, each at its own step."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from engine.learn.kernels.contract import Parameters, Split
from engine.learn.metrics import probabilities
from engine.recipe import Event
from engine.runs import tags
from engine.training import result as outcomes
from engine.training.setup import Setup
from engine.training.snapshot import Mark
from engine.training.state import norm


class Loop:
    """Takes the updates of one run."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        step = setup.kernel.step
        events = sorted(setup.recipe.events, key=lambda event: event.step)
        self._pending = [event for event in events if event.step >= step]

    def begin(self) -> None:
        """Look at the run before the first update, or at where an earlier part of it has stopped."""
        setup, step = self._setup, self._setup.kernel.step
        if step == 0:
            setup.saver.folder.stamp(0, time.time())
            setup.recorder.rate(0, setup.rate)
            self.evaluate()
        elif setup.state.rated == step or setup.recorder.fresh:
            setup.recorder.rate(step, setup.rate)  # TensorBoard has been told to forget it, or never knew
        if setup.state.evaluated == step and setup.recorder.wants_histograms(step):
            self._spread(setup.kernel.gradient())

    def advance(self, most: int) -> bool:
        """Take `most` updates, or those that are left; False when the run is over.

        Events, evaluations and checkpoints on the way happen at their own steps, however the steps are asked for.
        """
        kernel, steps = self._setup.kernel, self._setup.plan.steps
        goal = min(kernel.step + most, steps)
        while kernel.step < goal:
            while self._pending and self._pending[0].step <= kernel.step:
                event = self._pending.pop(0)
                self.change(event.field, event.value)
            if not self._stretch(goal):
                return False
        return kernel.step < steps

    def _stretch(self, goal: int) -> bool:
        """Go on towards a step up to the next event, evaluation or checkpoint; False when the run is over."""
        setup, kernel, state, plan = self._setup, self._setup.kernel, self._setup.state, self._setup.plan
        start, every = kernel.step, setup.recipe.recording.checkpoint_every
        stops = [goal, *(event.step for event in self._pending[:1])]
        stops += [(start // p + 1) * p for p in (plan.eval_every, every) if p]
        losses = kernel.advance(min(stops) - start)
        setup.recorder.losses(start, losses, (lambda steps: state.rates(plan, steps)) if plan.scheduled else None)
        if kernel.step < min(stops):
            state.bad_loss = float(losses[-1])
            return False
        if kernel.step % plan.eval_every == 0:
            self.evaluate()
        if every and kernel.step % every == 0:
            setup.saver.checkpoint(keep=True)
        limit = setup.recipe.stopping.max_seconds
        if limit is not None and state.clock.seconds - state.before >= limit:
            state.halt = state.halt or "time"
        return state.halt is None

    def change(self, field: str, value: Any) -> None:
        """Change a live field of the recipe from the next update on. Raises InputError."""
        setup, state = self._setup, self._setup.state
        setup.kernel.change(field, value)
        if field == "lr":
            state.lr = float(value)
            setup.recorder.rate(setup.kernel.step, setup.rate)
            if setup.plan.schedule == "plateau":
                value = setup.rate  # its drops go on from there, and their marks are of the rate that holds
        state.mark(setup.kernel.step, field, value)

    def evaluate(self, *, counts: bool = True) -> None:
        """Look at the splits; once a step. `counts`: whether the rules for stopping hear of it."""
        setup, kernel, state = self._setup, self._setup.kernel, self._setup.state
        if state.evaluated == kernel.step:
            return
        values: dict[str, float] = {}
        train = validation = None
        if len(setup.prepared.validation.y):
            validation = values[tags.VALIDATION] = kernel.evaluate("validation")
            figures = outcomes.figures(setup.prepared, kernel.outputs("validation"), "validation", setup.decision)
            values |= {f"metrics/{name}/validation": value for name, value in figures.items()}
        if state.stopping.needs_train_loss:
            train = kernel.evaluate("train")
        gradient = kernel.gradient()
        values["gradient_norm"] = norm(gradient)
        setup.recorder.evaluation(kernel.step, values)
        if setup.recorder.wants_histograms(kernel.step):
            self._spread(gradient)
        if counts:
            self._judge(train, validation)

    def _judge(self, train: float | None, validation: float | None) -> None:
        """Let an evaluation decide on stopping, on the best weights, and on the rate of the plateau schedule."""
        setup, kernel, state = self._setup, self._setup.kernel, self._setup.state
        state.evaluated = kernel.step
        state.halt = state.halt or state.stopping.evaluated(kernel.step, train, validation)
        if state.stopping.improved:
            state.best = kernel.state()
        if setup.plan.schedule == "plateau" and kernel.step:
            loss = validation if validation is not None else train
            assert loss is not None
            if state.plateau.evaluated(loss):
                kernel.change("lr_factor", state.plateau.factor)
                state.drops.append(Event(kernel.step, "lr_factor", state.plateau.factor))
                state.marks.append(Mark.change(kernel.step, "lr", setup.rate))
                setup.recorder.rate(kernel.step, setup.rate)
                state.rated = kernel.step

    def _spread(self, gradient: Parameters) -> None:
        """Histograms of weights and gradients, and of two classes the precision against the recall."""
        setup, kernel, decision = self._setup, self._setup.kernel, self._setup.decision
        setup.recorder.histograms(kernel.step, kernel.parameters().arrays, gradient.arrays)
        if decision is not None:
            split: Split = "validation" if len(setup.prepared.validation.y) else "train"
            positive = probabilities(kernel.outputs(split))[:, decision.positive]
            y = (getattr(setup.prepared, split).y == decision.positive).astype(np.int64)
            setup.recorder.pr_curve(kernel.step, split, y, positive)
