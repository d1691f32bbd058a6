"""What a run writes down while it goes: losses, evaluations, rates, to the folder and to TensorBoard at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from engine.base.loss_history import Series
from engine.data.prepare import Prepared
from engine.learn.plan import Plan
from engine.recipe import Known, Recording, choices
from engine.runs import graph, summaries, tags
from engine.runs.folder import RunFolder, read_evaluation_lines, read_pairs
from engine.runs.markup import code, line, row, toml
from engine.runs.tensorboard import EventFile, histogram_steps, logged

Floats = NDArray[np.float64]
BLOCK = 1 << 18  # losses that are copied at once


class Recorder:
    """Writes for one run. Called by its thread alone; `tracks` may be read by any.

    Args:
        folder: where to.
        config: the recipe's section.
        steps: updates planned; the last one always gets a TensorBoard point.
        start: the step at which this part of the run begins; TensorBoard drops what an earlier part wrote beyond it.
    """

    def __init__(self, folder: RunFolder, config: Recording, steps: int, start: int = 0) -> None:
        self._folder, self._config, self._steps, self._start = folder, config, steps, start
        self._events = EventFile(folder.path, time.time(), start, folder.room) if config.tensorboard else None
        self._histogram_steps = 0  # none before `begin`
        self._histograms_at = -1
        self._rated = -1  # the step of the newest point of the learning rate
        self.tracks: dict[str, Series] = {}  # evaluated curves by tag

    @property
    def fresh(self) -> bool:
        """Whether TensorBoard knows nothing yet of an earlier part of the run."""
        return self._events is not None and self._events.first

    def begin(self, known: Known, plan: Plan, prepared: Prepared, parameters: Mapping[str, Floats]) -> None:
        """Tell TensorBoard what is trained: hyperparameters, graph, recipe.

        A folder whose first event file begins in the middle of a run (a branch, or a run that went on without
        --no-tensorboard) also gets the curves up to there.
        """
        self._histogram_steps = histogram_steps(plan.steps, plan.eval_every)
        if self._events is None:
            return
        if self._events.first or not self._start:  # beginning anew makes TensorBoard forget what was said of step 0
            wall = time.time()
            self._events.event(summaries.session_start(wall, self._folder.path.name, hyperparameters(known)))
            shapes = {name: array.shape for name, array in parameters.items()}
            self._events.event(summaries.graph(wall, graph.nodes(plan, prepared, shapes)))
            self._events.event(summaries.text("recipe", wall, 0, recipe_text(known)))
            self._past_losses()
        # TensorBoard has been told to forget what was said of the step at which this part begins.
        first = 0 if self._events.first else self._start
        for step, wall, values in read_evaluation_lines(self._folder.path):
            if first <= step <= self._start:
                self._events.point(wall, step, values)

    def _past_losses(self) -> None:
        """Write the losses that the folder holds up to the start."""
        assert self._events is not None
        ends, times = read_pairs(self._folder.path / "stamps.f64")
        for first in range(0, self._start, BLOCK):
            steps = logged(first, min(first + BLOCK, self._start), self._config.log_every)
            if not len(steps):
                continue
            losses = self._folder.history.values(int(steps[0]), int(steps[-1]) + 1)[steps - steps[0]]
            walls = np.interp(steps + 1, ends, times) if len(ends) else np.zeros(len(steps))
            self._events.scalars(tags.TRAIN, walls, steps, losses)

    def losses(self, start: int, losses: Floats, rates: Callable[[NDArray[np.int64]], Floats] | None) -> None:
        """The losses before the updates from `start` on [n].

        Args:
            rates: gives the learning rates of steps [m], where these move.

        Raises OSError when the disk refuses.
        """
        wall, end = time.time(), start + len(losses)
        self._folder.append(losses, end, wall)
        if self._events is None:
            return
        steps = logged(start, end, self._config.log_every)
        if start < end and end >= self._steps and (not len(steps) or steps[-1] != end - 1):
            steps = np.append(steps, end - 1)
        if len(steps):
            walls = np.full(len(steps), wall)
            self._events.scalars(tags.TRAIN, walls, steps, losses[steps - start])
            if rates is not None:
                new = steps > self._rated  # a change has its point already
                self._events.scalars("learning_rate", walls[new], steps[new], rates(steps[new]))

    def rate(self, step: int, lr: float) -> None:
        """A learning rate that holds from a step on."""
        self._rated = step
        if self._events is not None:
            self._events.scalar("learning_rate", time.time(), step, lr)

    def telemetry(self, step: int, values: Mapping[str, float]) -> None:
        """How busy the machine is, for TensorBoard alone: it goes by the clock, and no step depends on it."""
        if self._events is not None:
            for tag, value in values.items():
                self._events.scalar(tag, time.time(), step, value)

    def evaluation(self, step: int, values: Mapping[str, float]) -> None:
        """The values of several curves at a step, by TensorBoard tag. NaN is kept as such."""
        wall = time.time()
        for tag, value in values.items():
            self.tracks.setdefault(tag, Series()).append(step, value)
        if self._events is not None:
            self._events.point(wall, step, values)
        self._folder.evaluation(step, wall, values)
        if tags.VALIDATION in values:
            self._folder.validation(step, values[tags.VALIDATION])

    def wants_histograms(self, step: int) -> bool:
        """Whether an evaluation at this step shall come with histograms: some 50 times a run, decided by the step."""
        due = self._histogram_steps > 0 and (step % self._histogram_steps == 0 or step >= self._steps)
        return self._events is not None and due and step != self._histograms_at

    def histograms(self, step: int, weights: Mapping[str, Floats], gradients: Mapping[str, Floats]) -> None:
        """How the weights and their gradients, by name and of any shape, are spread at a step."""
        self._histograms_at = step
        if self._events is None:
            return
        wall = time.time()
        for kind, arrays in (("weights", weights), ("gradients", gradients)):
            for name, array in arrays.items():
                self._events.event(summaries.histogram(f"{kind}/{name}", wall, step, array))

    def pr_curve(self, step: int, split: str, y: NDArray[np.int64], probability: Floats) -> None:
        """Precision against recall of the positive class: y [n] 1 for it, else 0; its probability [n]."""
        if self._events is not None and len(y):
            self._events.event(summaries.pr_curve(f"precision_recall/{split}", time.time(), step, y, probability))

    def ending(self, step: int, sentence: str, figures: Mapping[str, Mapping[str, float]], *, good: bool) -> None:
        """Tell TensorBoard how the run ended.

        Args:
            step: that of the kept weights.
            figures: metrics of the kept weights by split and name. Validation metrics have a curve of their own.
            good: whether it went as planned.
        """
        if self._events is None:
            return
        wall = time.time()
        for split in ("train", "test"):
            found = figures.get(split, {}).items()
            self._events.point(wall, step, {f"metrics/{name}/{split}": value for name, value in found})
        self._events.event(summaries.text("ending", wall, step, line(sentence)))
        self._events.event(summaries.session_end(wall, summaries.SUCCESS if good else summaries.FAILURE))

    def recall(self, step: int) -> None:
        """Take in the evaluations of an earlier part of the run, up to a step."""
        for at, values in self._folder.evaluations(step):
            for tag, value in values.items():
                self.tracks.setdefault(tag, Series()).append(at, value)

    def close(self) -> None:
        """Give the files back."""
        if self._events is not None:
            self._events.close()
        self._folder.close()


def hyperparameters(known: Known) -> dict[str, float | bool | str]:
    """Every choice that applies but those of recording, by the recipe's names, as the plan made it definite."""
    found: dict[str, float | bool | str] = {}
    table = known.to_table()
    for choice in choices():
        value = table[choice.name]
        if choice.section == "recording":
            continue
        if isinstance(value, bool | int | float):
            found[choice.name] = value
        elif value is not None:
            text = choice.show(value)
            if text:
                found[choice.name] = text
    return found


def recipe_text(known: Known) -> str:
    """The recipe as Markdown: what was chosen and applies, then everything."""
    idle = known.idle
    given = {name: value for name, value in known.recipe.changed().items() if name not in idle}
    changed = "".join(
        f"{row((choice.label, code(choice.show(given[choice.name]))))}\n"
        for choice in choices()
        if choice.name in given and choice.section != "recording"
    )
    chosen = f"| choice | value |\n|---|---|\n{changed}\n" if changed else ""
    return f"{chosen}{toml(known.to_toml())}"
