"""What keys do to the choices and to the run that goes on, a method for each word of theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.recipe import Recipe
from tui.keys.keymap import named
from tui.model import sentences
from tui.model.workspace import Desk

PACES: tuple[float | None, ...] = (None, 1.0, 3.0, 10.0, 30.0, 60.0, 300.0)  # seconds for a run; None is full speed
TENTH = 10**0.1  # what a key changes the learning rate by: ten times is ten


class RunActions:
    """Acts on a desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._before: Recipe | None = None  # the choices that were set back to the defaults

        self._by_word: Mapping[str, Callable[[], None]] = {
            "toggle": self.toggle,
            "step": self.step,
            "stop": self.stop,
            "remedy": self.remedy,
            "anew": self.anew,
            "defaults": self.defaults,
            "rate_up": self.rate_up,
            "rate_down": self.rate_down,
            "slower": self.slower,
            "faster": self.faster,
        }

    def act(self, word: str) -> None:
        """Do what a key says by a word of the key table. Raises KeyError for others."""
        self._by_word[word]()

    # The run.

    def toggle(self) -> None:
        """Begin a run, pause it, or go on with it."""
        desk = self._desk
        if desk.phase == "training" and desk.run is not None:
            desk.run.pause()
            desk.pending = "pausing"
        elif desk.phase == "paused" and desk.run is not None:
            desk.run.resume()
            desk.pending = sentences.GOING_ON()
        elif desk.phase != "preparing":
            desk.begin()
        desk.changed()

    def step(self) -> None:
        """One step of a paused run, or of a new one."""
        desk = self._desk
        if desk.phase == "paused" and desk.run is not None:
            desk.run.step()
        elif not desk.live:
            desk.begin(one_step=True)
        desk.changed()

    def stop(self) -> None:
        """End the run."""
        desk = self._desk
        if desk.live and desk.run is not None:
            desk.run.stop()
            desk.pending = "stopping"
            desk.changed()

    def remedy(self) -> None:
        """Take what is offered after a run that diverged, and begin again."""
        desk = self._desk
        if not desk.live and desk.remedy and desk.set(desk.remedy):
            desk.problem = ""
            desk.begin()
            desk.changed()

    def anew(self) -> None:
        """End the run, and begin another with the choices that it cannot take."""
        desk = self._desk
        if desk.problem:
            desk.say(desk.problem, True)
        elif desk.later:
            desk.after_this(desk.begin)

    # The choices.

    def defaults(self) -> None:
        """All choices back to their defaults, but where runs are kept; once more brings them back."""
        desk = self._desk
        here = {name: desk.recipe.get(name) for name in ("runs", "name")}
        plain = Recipe().replace({name: value for name, value in here.items() if value is not None})
        before, self._before = self._before, desk.recipe
        if desk.recipe != plain:
            desk.adopt(plain)
            desk.say(sentences.ALL_DEFAULTS(key=named("run.defaults")), False)
        elif before is not None:
            desk.adopt(before)
            desk.say(sentences.AS_THEY_WERE(), False)

    def rate_up(self) -> None:
        """A higher learning rate."""
        self._rate(TENTH)

    def rate_down(self) -> None:
        """A lower one."""
        self._rate(1 / TENTH)

    @property
    def _base_rate(self) -> float | None:
        """The learning rate that a schedule starts from, as it is wished for or holds; None while it is unknown."""
        desk = self._desk
        lr: float | str = desk.recipe.optimizer.lr
        plan = desk.known.plan if desk.known is not None else None
        if desk.live and desk.run is not None and lr in ("auto", desk.run.recipe.optimizer.lr):
            taken = [event.value for event in desk.run.recipe.events if event.field == "lr"]
            lr = taken[-1] if taken else desk.run.recipe.optimizer.lr
            plan = desk.snapshot.plan if desk.snapshot is not None else None
        if lr == "auto":
            return plan.lr if plan is not None else None
        return float(lr)

    def _rate(self, factor: float) -> None:
        base = self._base_rate
        if base is not None:
            self._desk.set({"lr": float(f"{base * factor:.4g}")})

    def slower(self) -> None:
        """The next longer pace."""
        now = self._desk.pace_seconds or 0.0
        self._pace(next((p for p in PACES[1:] if p is not None and p > now), PACES[-1]))

    def faster(self) -> None:
        """The next shorter one, and at last full speed."""
        now = self._desk.pace_seconds or 0.0
        self._pace(next((p for p in reversed(PACES[1:]) if p is not None and p < now), None))

    def _pace(self, seconds: float | None) -> None:
        self._desk.set({"pace": "max" if seconds is None else f"{seconds:g}"})
        told = sentences.FULL_SPEED() if seconds is None else sentences.SPREAD(seconds=seconds)
        self._desk.say(sentences.PACE(pace=told), False)
