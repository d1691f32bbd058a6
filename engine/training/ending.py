"""The end of a run that came to one: which weights it keeps, its threshold, its figures, and why it is over."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.base.rounding import SHARE, least
from engine.learn import crossfit, diagnosis
from engine.learn.stopping import flat_since
from engine.recipe import Recipe
from engine.runs.choices import definite
from engine.training import result as outcomes
from engine.training.loop import Loop
from engine.training.setup import Setup
from engine.training.snapshot import Ended, Ending
from engine.training.state import norm


class Closing:
    """Ends one run. The methods are called once each, in this order.

    Args:
        recipe: with the changes made during the run as its events.
    """

    def __init__(self, setup: Setup, recipe: Recipe) -> None:
        self._setup, self._recipe = setup, recipe
        self._last = setup.kernel.step  # updates taken
        self._kept = self._last  # updates of the weights that are kept

    def last_look(self, loop: Loop, reason: Ended) -> Ended:
        """Save and evaluate the last weights; why the run is over."""
        state = self._setup.state
        if state.bad_loss is not None:
            return "diverged"
        self._setup.saver.save_state()
        loop.evaluate(counts=False)
        return (state.halt or "limit") if reason == "limit" else reason

    def restore_best(self) -> None:
        """Go back to the weights of the best evaluation, where those are the ones to keep."""
        setup, state = self._setup, self._setup.state
        if state.best is not None and _restores_best(setup) and state.stopping.best_step < self._last:
            self._kept = state.stopping.best_step
            setup.kernel.restore(state.best)

    def choose_threshold(self, reason: Ended, activity: Callable[[str], None], cancelled: Callable[[], bool]) -> None:
        """Choose the threshold of two classes, where it is auto."""
        setup, state = self._setup, self._setup.state
        if self._recipe.model.threshold == "auto" and setup.decision is not None:
            events = sorted([*self._recipe.events, *state.drops], key=lambda event: event.step)
            state.tuned = crossfit.threshold(
                self._recipe,
                setup.plan,
                setup.prepared,
                setup.facts,
                reason,
                self._kept,
                events,
                activity,
                cancelled,
            )
            setup.saver.folder.update_recipe(setup.known(self._recipe))

    def explain(self, reason: Ended) -> Ending:
        """Say why the run is over, and what to try next."""
        setup, kernel, state = self._setup, self._setup.kernel, self._setup.state
        gradient = kernel.gradient()
        validation = kernel.evaluate("validation")
        history = setup.saver.folder.history
        size = least((history.first, setup.facts.baseline_loss))
        outcome = diagnosis.Outcome(
            step=self._last,
            train_loss=kernel.evaluate("train"),
            validation_loss=validation if np.isfinite(validation) else None,
            bad_loss=state.bad_loss,
            best_step=state.stopping.best_step,
            flat_since=flat_since(history, SHARE**2 * (size or 0.0)),
            gradient_norm=norm(gradient),
            initial_gradient_norm=state.first_norm,
            size=size,
        )
        said = diagnosis.verdict(reason, self._recipe, setup.plan, setup.prepared, setup.facts, outcome)
        return Ending(reason, said.sentence, said.remedy, said.remedy_text)

    def figures(self, reason: Ended, epochs: float) -> dict[str, Any]:
        """The object of `train --json`."""
        setup, state = self._setup, self._setup.state
        return outcomes.result(
            run=str(setup.saver.folder.path),
            ended=reason,
            plan=setup.plan,
            prepared=setup.prepared,
            facts=setup.facts,
            kernel=setup.kernel,
            steps=self._last,
            epochs=epochs,
            seconds=state.clock.seconds,
            lr=state.lr,
            decision=setup.decision,
        )

    def write(self, ending: Ending, result: dict[str, Any]) -> None:
        """Write the model and the ending, and close the folder. Raises OSError."""
        saver, recorder, folder = self._setup.saver, self._setup.recorder, self._setup.saver.folder
        saver.checkpoint(last=False)
        folder.record(
            state="interrupted" if ending.reason == "interrupted" else "ended",
            ended_at=time.time(),
            result={k: v for k, v in result.items() if k != "run"},
            ending=ending.sentence,
            kept_step=self._kept,
            **definite(self._setup.known(self._recipe)),
        )
        folder.log(ending.sentence)
        if ending.reason != "interrupted":  # else the run goes on, and TensorBoard believes the first ending it is told
            recorder.ending(self._kept, ending.sentence, result["metrics"], good=ending.reason != "diverged")
        if folder.room.refused is not None and not saver.make_good():
            assert folder.room.refused is not None
            raise folder.room.refused
        recorder.close()
        if self._setup.worktree is not None:
            self._setup.worktree.join()


def _restores_best(setup: Setup) -> bool:
    """Whether the weights of the best evaluation are restored at the end, not only kept in a checkpoint.

    They are with patience, and for models that can overfit while they train. A convex model keeps its last ones: they
    are the ones that descent has brought to the optimum.
    """
    watched = len(setup.prepared.validation.y) > 0 and not setup.plan.architecture.linear
    return setup.recipe.stopping.patience is not None or watched
