"""What keys do to the choices and to the run that goes on, a method for each word of theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.recipe import Recipe
from tui.keys.keymap import named
from tui.model import sentences
from tui.model.workspace import Workspace

PACES: tuple[float | None, ...] = (None, 1.0, 3.0, 10.0, 30.0, 60.0, 300.0)  # seconds for a run; None is full speed
TENTH = 10**0.1  # what a key changes the learning rate by: ten times is ten


class RunActions:
    """Acts on a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
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
        workspace = self._workspace
        if workspace.phase == "training" and workspace.run is not None:
            workspace.run.pause()
            workspace.pending = "pausing"
        elif workspace.phase == "paused" and workspace.run is not None:
            workspace.run.resume()
            workspace.pending = sentences.GOING_ON()
        elif workspace.phase != "preparing":
            workspace.begin()
        workspace.changed()

    def step(self) -> None:
        """One step of a paused run, or of a new one."""
        workspace = self._workspace
        if workspace.phase == "paused" and workspace.run is not None:
            workspace.run.step()
        elif not workspace.live:
            workspace.begin(one_step=True)
        workspace.changed()

    def stop(self) -> None:
        """End the run."""
        workspace = self._workspace
        if workspace.live and workspace.run is not None:
            workspace.run.stop()
            workspace.pending = "stopping"
            workspace.changed()

    def remedy(self) -> None:
        """Take what is offered after a run that diverged, and begin again."""
        workspace = self._workspace
        if not workspace.live and workspace.remedy and workspace.set(workspace.remedy):
            workspace.problem = ""
            workspace.begin()
            workspace.changed()

    def anew(self) -> None:
        """End the run, and begin another with the choices that it cannot take."""
        workspace = self._workspace
        if workspace.problem:
            workspace.say(workspace.problem, True)
        elif workspace.later:
            workspace.after_this(workspace.begin)

    # The choices.

    def defaults(self) -> None:
        """All choices back to their defaults, but where runs are kept; once more brings them back."""
        workspace = self._workspace
        here = {name: workspace.recipe.get(name) for name in ("runs", "name")}
        plain = Recipe().replace({name: value for name, value in here.items() if value is not None})
        before, self._before = self._before, workspace.recipe
        if workspace.recipe != plain:
            workspace.adopt(plain)
            workspace.say(sentences.ALL_DEFAULTS(key=named("run.defaults")), False)
        elif before is not None:
            workspace.adopt(before)
            workspace.say(sentences.AS_THEY_WERE(), False)

    def rate_up(self) -> None:
        """A higher learning rate."""
        self._rate(TENTH)

    def rate_down(self) -> None:
        """A lower one."""
        self._rate(1 / TENTH)

    @property
    def _base_rate(self) -> float | None:
        """The learning rate that a schedule starts from, as it is wished for or holds; None while it is unknown."""
        workspace = self._workspace
        lr: float | str = workspace.recipe.optimizer.lr
        plan = workspace.known.plan if workspace.known is not None else None
        if workspace.live and workspace.run is not None and lr in ("auto", workspace.run.recipe.optimizer.lr):
            taken = [event.value for event in workspace.run.recipe.events if event.field == "lr"]
            lr = taken[-1] if taken else workspace.run.recipe.optimizer.lr
            plan = workspace.snapshot.plan if workspace.snapshot is not None else None
        if lr == "auto":
            return plan.lr if plan is not None else None
        return float(lr)

    def _rate(self, factor: float) -> None:
        base = self._base_rate
        if base is not None:
            self._workspace.set({"lr": float(f"{base * factor:.4g}")})

    def slower(self) -> None:
        """The next longer pace."""
        now = self._workspace.pace_seconds or 0.0
        self._pace(next((p for p in PACES[1:] if p is not None and p > now), PACES[-1]))

    def faster(self) -> None:
        """The next shorter one, and at last full speed."""
        now = self._workspace.pace_seconds or 0.0
        self._pace(next((p for p in reversed(PACES[1:]) if p is not None and p < now), None))

    def _pace(self, seconds: float | None) -> None:
        self._workspace.set({"pace": "max" if seconds is None else f"{seconds:g}"})
        told = sentences.FULL_SPEED() if seconds is None else sentences.SPREAD(seconds=seconds)
        self._workspace.say(sentences.PACE(pace=told), False)
