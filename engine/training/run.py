"""One run, from recipe to finished folder. No threads and no clock decide anything here: `Session` drives it.

Its parts are rooms of their own: `opening` (up to the first step), `loop` (the updates), `saving` (checkpoints, and a
disk without room), `ending` and `failure`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import numpy as np

from engine.data.prepare import Prepared
from engine.data.table import Table
from engine.learn import passes
from engine.learn.curvature import LossSurfaceFacts
from engine.learn.decision import Decision
from engine.learn.kernels.contract import Kernel
from engine.learn.plan import Plan
from engine.recipe import Event, Known, Recipe, find, steered
from engine.runs.choices import definite
from engine.runs.folder import RunFolder
from engine.runs.origin import Origin
from engine.runs.recorder import Recorder
from engine.training import sentences
from engine.training.ending import Closing
from engine.training.failure import keep_failed
from engine.training.loop import Loop
from engine.training.opening import Activity, Cancelled, SetupBuilder
from engine.training.setup import Setup
from engine.training.snapshot import Ended, Ending, Mark, Weights
from engine.training.stopwatch import Stopwatch
from engine.training.weights import WeightView


class Run:
    """The state of one training run and its folder.

    Args:
        recipe: what to do.
        table: the data, where it has been loaded already.
        command: the command line that started it, for the record.
        origin: the checkpoint to begin from, if not from the initial parameters.
        given: the names of the fields that were given on the command line; one that does not apply is refused.
        screen: whether the run is begun in the app.
        locks: whether the folder is locked against other processes, until `let_go`.
    """

    def __init__(
        self,
        recipe: Recipe,
        table: Table | None = None,
        command: str = "",
        origin: Origin | None = None,
        *,
        given: Collection[str] = (),
        screen: bool = False,
        locks: bool = False,
    ) -> None:
        self.recipe = recipe  # with the changes made during the run as its events
        self.table = table
        self.ending: Ending | None = None
        self.result: dict[str, Any] = {}
        self._clock = Stopwatch()
        self._opening = SetupBuilder(recipe, command, origin, self._clock, given=given, screen=screen, locks=locks)
        self._setup: Setup
        self._loop: Loop
        self._view: WeightView
        self._taken: int | None = None  # updates taken by a finished run

    def prepare(self, activity: Activity, cancelled: Cancelled) -> None:
        """Load and prepare the data, make the plan, and open the folder. Raises InputError and Cancelled.

        The folder of a run that goes on is locked before anything else, and `let_go` gives it back.
        """
        with self._opening.begin():
            self._setup = self._opening.open(self.table, activity, cancelled)
            self.table = self._setup.table
            self._loop, self._view = Loop(self._setup), WeightView(self._setup)
            self._loop.begin()

    def advance(self, most: int) -> bool:
        """Take `most` updates, or those that are left; False when the run is over."""
        return self._loop.advance(most)

    def change(self, field: str, value: Any) -> None:
        """Change a live field from the next update on, and write it to the recipe's events. Raises InputError."""
        taken = steered(field, value)
        self._loop.change(field, taken)
        events = [*self.recipe.events, Event(step=self.step, field=field, value=taken)]
        events.sort(key=lambda event: event.step)  # a replayed run has events that are still to come
        self.recipe = replace(self.recipe, events=tuple(events))
        if self.folder is not None:
            known = self.known
            self.folder.update_recipe(known)
            self.folder.record(**definite(known))
            told = find(field)
            self.folder.log(sentences.CHANGED_FROM(step=self.step, label=told.label, value=told.show(taken)))

    def checkpoint(self) -> None:
        """Write the state, as the last one, and the model as they are now."""
        self._setup.saver.checkpoint()

    def finish(
        self,
        reason: Ended,
        activity: Callable[[str], None] = lambda _text: None,
        cancelled: Cancelled = lambda: False,
    ) -> Ending:
        """Evaluate, write the model, the result and the ending, and close the folder.

        Args:
            activity: told what takes a while.
            cancelled: whether to leave out what takes a while, which is the choice of a threshold.
        """
        self.clock(False)
        closing = Closing(self._setup, self.recipe)
        reason = closing.last_look(self._loop, reason)
        self._taken = self.step
        closing.restore_best()
        closing.choose_threshold(reason, activity, cancelled)
        self.ending = closing.explain(reason)
        self.result = closing.figures(reason, self.epochs(self.step))
        closing.write(self.ending, self.result)
        return self.ending

    def fail(self, error: BaseException) -> str:
        """Keep the folder valid after something unexpected; the sentence that says what and where."""
        self.clock(False)
        opening = self._opening
        words, ending = keep_failed(error, opening.folder, opening.saver, opening.recorder)
        self.ending = ending or self.ending
        return words

    def let_go(self) -> None:
        """Give the lock of the folder back, however the run ended. Once is enough."""
        self._opening.let_go()

    # What the run works with: the folder from its opening on, the rest once `prepare` is done.

    @property
    def folder(self) -> RunFolder | None:
        """The folder; None before it is there."""
        return self._opening.folder

    @property
    def warnings(self) -> tuple[str, ...]:
        """What its data leave open, and its appetite for disk and memory; () while that is unknown."""
        return self._opening.warnings

    @property
    def prepared(self) -> Prepared:
        """The rows, normalized and split."""
        return self._setup.prepared

    @property
    def facts(self) -> LossSurfaceFacts:
        """Facts of the loss surface."""
        return self._setup.facts

    @property
    def plan(self) -> Plan:
        """Every `auto` resolved."""
        return self._setup.plan

    @property
    def kernel(self) -> Kernel:
        """What takes the updates."""
        return self._setup.kernel

    @property
    def recorder(self) -> Recorder:
        """What writes curves down."""
        return self._setup.recorder

    @property
    def known(self) -> Known:
        """The choices as of now, each made definite as far as that has been settled."""
        return self._setup.known(self.recipe)

    # Where it stands.

    @property
    def step(self) -> int:
        """Updates taken, also where the best weights, of an earlier step, are the ones that are kept."""
        return self.kernel.step if self._taken is None else self._taken

    def epochs(self, steps: int) -> float:
        """Passes over the train rows after so many updates, as far as the changes of the batch size are known."""
        return float(passes.of_plan(self.plan, self.recipe.events).after(np.array([float(steps)]))[0])

    @property
    def seconds(self) -> float:
        """Seconds of training so far, pauses left out."""
        return self._clock.seconds

    def clock(self, running: bool) -> None:
        """Start or stop the clock of `seconds`."""
        self._clock.run(running)

    @property
    def lr(self) -> float:
        """The learning rate as planned or changed, which the schedule multiplies."""
        return self._setup.state.lr

    @property
    def rate(self) -> float:
        """The learning rate of the next update."""
        return self._setup.state.rate(self.plan, self.step)

    @property
    def marks(self) -> list[Mark]:
        """What happened, to be drawn on the chart."""
        return self._setup.state.marks

    @property
    def decision(self) -> Decision | None:
        """How two classes are decided as of now; None where there are not two."""
        return self._setup.decision

    @property
    def checkpoint_age(self) -> float:
        """Seconds since the last checkpoint."""
        return self._setup.saver.age

    def weights(self) -> Weights | None:
        """The parameters now, in scaled and raw units, with their gradient; None for a model that is not linear."""
        return self._view.now()

    # A disk without room.

    @property
    def full(self) -> str:
        """Which file a full disk has refused, what is safe, and what to do; "" while everything is written."""
        return "" if self._opening.saver is None else self._opening.saver.full

    def make_good(self) -> bool:
        """Write what a full disk has refused; whether all of it is written now. Raises OSError for other trouble."""
        return self._setup.saver.make_good()
