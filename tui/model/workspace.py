"""The workspace: what the person has chosen, and the run that is going on. It knows no screen.

The app hands it keys as words ("toggle", "rate_up"), polls it while a run is live, and is told through `changed` when
something is worth showing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.base.errors import InputError
from engine.modules import trust
from engine.recipe import Choice, Known, Recipe, choices, find
from engine.training.pacing import seconds_of
from tui.keys.keymap import named
from tui.look.numbers import figures, short
from tui.model import sentences
from tui.model.command_line import command_line
from tui.model.run_handle import Opener, RunHandle, open_session

if TYPE_CHECKING:
    from engine.analysis.survey import Survey
    from engine.data.prepare import Prepared
    from engine.data.table import Table
    from engine.devices import DeviceInfo
    from engine.presets import Preset
    from engine.registry.datasets import Dataset
    from engine.runs.origin import Origin
    from engine.runs.resuming import Resumption
    from engine.training.snapshot import Snapshot
    from tui.model.saved_run import SavedRun

CARRIED = frozenset({"lr", "threshold", "pace", "runs", "name", "log_every", "tensorboard", "checkpoint_every"})
OF_THE_TARGET = frozenset({"dataset", "target", "task"})  # with another of these a positive class is none any more


class Workspace:
    """The choices, what was found out about them, and the run.

    Args:
        recipe: what the panels begin with.
        changed: called after anything that shows has changed.
        say: tells the person something in passing: (text, whether it is a problem).
        opener: makes a run; tests give their own.
    """

    def __init__(
        self,
        recipe: Recipe,
        changed: Callable[[], None],
        say: Callable[[str, bool], None],
        opener: Opener = open_session,
    ) -> None:
        self.recipe = recipe
        self.survey: Survey | None = None
        self.problem = ""  # why the present choices cannot be run, in a sentence
        self.table: Table | None = None  # the chosen table, also where it cannot be trained on as it is
        self.activity = ""  # what is being found out about the choices
        self.sets: tuple[Dataset, ...] = ()
        self.devices: tuple[DeviceInfo, ...] = ()
        self.presets: tuple[Preset, ...] = ()
        self.recent: tuple[Path, ...] = ()  # files used before, the newest first
        self.run: RunHandle | None = None
        self.snapshot: Snapshot | None = None
        self.trained_on: Prepared | None = None  # the rows of the run, where they are known
        self.pending = ""  # what was asked of the run and has not shown yet
        self.ticking = False  # whether all that has changed is how far the run is
        self._next: Callable[[], None] | None = None  # what begins when the run that is going on has ended
        self._kept: Recipe | None = None  # the choices of the kept run that is shown
        self._said: Snapshot | None = None  # what the run said last, which knows its folder by its first name
        self._names: dict[Path, Path] = {}  # where folders of the run that is shown lie now, by their first names
        self.changed, self.say, self._open = changed, say, opener
        self._again: Callable[[], None] | None = None  # begins the run that is shown once more
        self._made: tuple[Recipe, Survey | None, Known] | None = None  # what is known of a recipe by a survey

    # Choices.

    def find(self, field: str) -> Choice:
        """A field of the recipe."""
        return find(field)

    def choices(self, section: str) -> list[Choice]:
        """The fields of a section of the recipe."""
        return [choice for choice in choices() if choice.section == section]

    def check(self, field: str, text: str) -> str:
        """Why a field cannot take a text, in a sentence; empty where it can."""
        try:
            self.recipe.replace({field: text})
        except InputError as error:
            return str(error)
        return ""

    def set(self, values: Mapping[str, Any]) -> bool:
        """Take new values for fields, live ones into the run too; False, and it is said, where one is refused.

        A positive class goes with the target that it was chosen for.
        """
        try:
            recipe = self.recipe.replace(values)
            moved = any(recipe.get(name) != self.recipe.get(name) for name in OF_THE_TARGET)
            if moved and "positive" not in values and recipe.data.positive is not None:
                recipe = recipe.replace({"positive": None})
        except InputError as error:
            self.say(str(error), True)
            return False
        if recipe == self.recipe:
            return True
        changed = [name for name in values if recipe.get(name) != self.recipe.get(name)]
        if "dataset" in changed:  # a module that a person names here may run
            trust.ask_table(recipe.data.dataset)
        if "model" in changed:
            trust.ask(recipe.model.model)
        self.recipe = recipe
        if self.live and self.run is not None:
            self._steer(changed)
        self.changed()
        return True

    def _steer(self, changed: list[str]) -> None:
        assert self.run is not None
        for name in changed:
            choice, value = find(name), self.recipe.get(name)
            if choice.steers(value):
                try:
                    self.run.change(name, value)
                except InputError as error:
                    self.say(str(error), True)
                    continue
                self.pending = f"{choice.label} {choice.show(value)}"
            elif name == "pace":
                self.run.pace(self.pace_seconds)

    def reset(self, field: str) -> None:
        """Set a field back to its default."""
        choice = find(field)
        self.set({field: choice.default})

    def adopt(self, recipe: Recipe) -> None:
        """Put another recipe into the panels, without its events."""
        self.recipe = replace(recipe, events=())
        self.changed()

    def take_preset(self, preset: Preset) -> None:
        """A recipe by name into the panels. Where runs are kept, and their pace, stay as they are."""
        if preset.problem:
            self.say(preset.problem, True)
            return
        now = self.recipe.recording
        recording = replace(preset.recipe.recording, runs=now.runs, pace=now.pace, name=None)
        self.adopt(replace(preset.recipe, recording=recording))
        if self.live:
            self.say(sentences.PRESET_TAKEN_LIVE(preset=preset.title, key=named("run.anew")), False)
        else:
            self.say(sentences.PRESET_TAKEN(preset=preset.title, key=named("run.toggle")), False)

    def branch(self, recipe: Recipe, origin: Origin) -> bool:
        """Begin a new run, paused, at a checkpoint of an earlier one; what is going on is ended first."""

        def begin() -> None:
            self._again = begin
            self._adopt_here(recipe)
            survey = self.survey_of(recipe)
            self.trained_on = survey.prepared if survey is not None else None
            table = survey.table if survey is not None else None
            command = sentences.BRANCHED_FROM(run=origin.run.name)
            run = self._take(self._open(recipe, table=table, paced=True, command=command, origin=origin))
            run.pause()
            run.start()
            self.snapshot = run.snapshot()

        self.after_this(begin)
        return True

    def _take(self, run: RunHandle) -> RunHandle:
        """Another run in the place of the one before."""
        self.run, self._names = run, {}
        return run

    def after_this(self, begin: Callable[[], None]) -> None:
        """Do it once no run is going on; one that is, is ended."""
        if self.live and self.run is not None:
            self._next = begin
            self.run.stop()
            self.pending = "stopping"
        else:
            begin()
        self.changed()

    def resume(self, found: Resumption) -> None:
        """Go on with a kept run where its checkpoint stood, in its own folder."""
        if self.live:
            self.say(sentences.STOP_FIRST(), True)
            return
        self._again = lambda: self.resume(found)
        self._adopt_here(found.recipe)
        self.trained_on = None
        run = self._take(self._open(found.recipe, paced=True, command=found.command, origin=found.origin))
        run.start()
        self.snapshot = run.snapshot()
        self.changed()

    def show_kept(self, kept: SavedRun) -> None:
        """A kept run: its choices into the panels, and its curve, unless a run is going on."""
        if self.live:
            self.say(sentences.CURVE_STAYS(), False)
        else:
            self.run, self.snapshot, self.trained_on = None, kept.snapshot, None
            self._kept = kept.recipe
        if kept.changed:
            self.say(sentences.MODULES_CHANGED(files=kept.changed, count=len(kept.changed)), False)
        self._adopt_here(kept.recipe)

    def _adopt_here(self, recipe: Recipe) -> None:
        """The recipe of a kept run into the panels; the next run is kept where this program keeps its runs."""
        recording = replace(recipe.recording, runs=self.recipe.recording.runs, name=None)
        self.adopt(replace(recipe, recording=recording))

    # What was found out.

    def surveyed(self, recipe: Recipe, survey: Survey | None, table: Table | None, problem: str) -> None:
        """Take what the survey of a recipe found; of an older one it is thrown away."""
        if recipe != self.recipe:
            return
        self.activity = ""
        self.problem = problem
        self.table = table
        self.survey = survey
        run = self.run.recipe if self.run is not None else None
        if run is not None and survey is not None and self.trained_on is None:
            same = run.data == recipe.data and run.normalization == recipe.normalization
            self.trained_on = survey.prepared if same else None
        self.changed()

    def carried(self) -> bool:
        """Carry the survey over to the present choices where they differ only in what it does not depend on."""
        old = self.survey
        if old is None or self.problem:
            return False
        changed = {c.name for c in choices() if self.recipe.get(c.name) != old.recipe.get(c.name)}
        if not changed <= CARRIED or (changed & {"lr"} and self.recipe.optimizer.lr == "auto"):
            return False
        plan = old.plan
        if "lr" in changed:
            plan = replace(plan, lr=float(self.recipe.optimizer.lr), lr_reason=sentences.AS_GIVEN())
        self.survey = replace(old, recipe=self.recipe, plan=plan)
        return True

    def given_up(self) -> None:
        """The person had enough of waiting for the survey."""
        self.activity = ""
        self.problem = sentences.READING_STOPPED()
        self.changed()

    def asked(self, activity: str) -> None:
        """A survey of the present choices is under way: what it is doing."""
        self.activity = activity
        if self.survey is None or self.survey.recipe.data != self.recipe.data:
            self.problem = ""
        self.changed()

    @property
    def known(self) -> Survey | None:
        """The survey, where it is of the table that is chosen now."""
        return self.survey if self.survey is not None and self.survey.recipe.data == self.recipe.data else None

    def resolved(self, field: str) -> str:
        """What `auto` stands for in a field, as far as it is known; empty where the field has a value of its own, and
        where it does not apply.
        """
        survey, made = self.known, self.made
        if survey is None or self.recipe.get(field) not in ("auto", None) or made.why_not(field):
            return ""
        try:
            value = made[field]
        except LookupError:
            return ""
        if field == "batch_size":
            return "full" if value >= made["rows"] else short(value)
        if field == "epochs":
            return short(round(value))
        if field == "eval_every":
            return short(value) if value else "never"
        if isinstance(value, float):
            return figures(value, 3)
        return str(value) if isinstance(value, str | int) else ""

    @property
    def made(self) -> Known:
        """What is known of the choices of the panels: each made definite, or that it does not apply."""
        survey = self.known
        if self._made is None or self._made[0] is not self.recipe or self._made[1] is not survey:
            made = Known(self.recipe, {"screen": True}) if survey is None else survey.known.of(self.recipe)
            self._made = self.recipe, survey, made
        return self._made[2]

    @property
    def shown_recipe(self) -> Recipe:
        """The choices of the run that is shown, with what was changed on the way; without one, those of the panels."""
        return self.run.recipe if self.run is not None else self._kept or self.recipe

    @property
    def batch(self) -> int:
        """Rows of a batch of the run that is shown, as changed on the way; 0 before there is a plan."""
        plan = self.snapshot.plan if self.snapshot is not None else None
        if plan is None:
            return 0
        taken = [event.value for event in self.shown_recipe.events if event.field == "batch_size"]
        return plan.batch if not taken else plan.rows if taken[-1] == "full" else min(int(taken[-1]), plan.rows)

    def survey_of(self, recipe: Recipe) -> Survey | None:
        """The survey, where it is of the same rows under the same normalization."""
        known = self.survey
        same = known is not None and (known.recipe.data, known.recipe.normalization) == (
            recipe.data,
            recipe.normalization,
        )
        return known if same else None

    @property
    def rate_limit(self) -> float | None:
        """The learning rate below which descent is stable with the present choices."""
        return self.known.plan.lr_limit if self.known is not None else None

    # The run.

    @property
    def live(self) -> bool:
        """Whether a run is going on, paused or not."""
        return self.snapshot is not None and self.snapshot.live

    @property
    def phase(self) -> str:
        """Where the run stands: Phase's word, or "none"."""
        return str(self.snapshot.phase.value) if self.snapshot is not None else "none"

    @property
    def command(self) -> str:
        """The command line that does without a screen what the panels say."""
        return command_line(self.recipe, self.made)

    @property
    def runs_folder(self) -> Path:
        """Where the runs are kept."""
        return Path(self.recipe.recording.runs).expanduser()

    @property
    def pace_seconds(self) -> float | None:
        """The seconds that a run is to be spread over; None is full speed."""
        return seconds_of(self.recipe.recording.pace)

    def moved(self, old: Path, new: Path) -> None:
        """A run's folder was given another name, or the one before again."""
        first = next((first for first, now in self._names.items() if now == old), old)
        self._names[first] = new
        if self.snapshot is not None and self.snapshot.run == old:
            self.snapshot = replace(self.snapshot, run=new)

    def place(self, run: Path) -> Path:
        """Where a run lies now that said once that it lies there."""
        return self._names.get(run, run)

    def poll(self) -> None:
        """Look at the run."""
        if self.run is None:
            return
        new, old = self.run.snapshot(), self.snapshot
        if new is not old and new is not self._said:
            known = len(old.refused) if old is not None else 0
            self.snapshot = self._said = new
            self.pending = ""
            if new.full and new.stalls > (old.stalls if old is not None else 0):
                self.say(sentences.TRY_AGAIN(why=new.full, key=named("run.toggle").capitalize()), True)
            for field, why in new.refused[known:]:
                self._take_back(field, why)
            self.ticking = old is not None and (new.phase, len(new.refused)) == (old.phase, known)
            self.changed()
            self.ticking = False
        if self._next is not None and not self.live:
            begin, self._next = self._next, None
            begin()
            self.changed()

    def _take_back(self, field: str, why: str) -> None:
        """A change that the run could not take: the panel goes back to what the run has."""
        assert self.run is not None
        recipe = self.run.recipe
        values = [event.value for event in recipe.events if event.field == field]
        self.recipe = self.recipe.replace({field: values[-1] if values else recipe.get(field)})
        self.say(why, True)

    def race(self, opener: Opener) -> None:
        """Begin a run that `opener` makes of the present choices, such as a race, unless one is going on."""
        if self.live:
            self.say(sentences.STOP_WITH(key=named("run.stop")), True)
        else:
            self.begin(opener=opener)
            self.changed()

    def begin(self, *, one_step: bool = False, opener: Opener | None = None) -> None:
        """A new run with the present choices, unless they cannot be run: that is said."""
        if self.problem:
            self.say(self.problem, True)
            return
        if aside := self.made.set_aside():
            self.say(" ".join(aside), False)
        self._again = lambda: self.begin(one_step=one_step, opener=opener)
        known = self.known
        table = known.table if known is not None else None
        same = known is not None and known.recipe.normalization == self.recipe.normalization
        self.trained_on = known.prepared if known is not None and same else None
        run = self._take((opener or self._open)(self.recipe, table=table, paced=True, command=self.command))
        if one_step:
            run.step()
        else:
            run.start()
        self.snapshot = run.snapshot()

    def begin_again(self) -> None:
        """The run that is shown once more, where it could not begin."""
        if self._again is not None and not self.live:
            self._again()
            self.changed()

    @property
    def remedy(self) -> dict[str, str]:
        """What is offered to be changed after a run that diverged."""
        ending = self.snapshot.ending if self.snapshot is not None else None
        return dict(ending.remedy) if ending is not None else {}

    @property
    def later(self) -> tuple[str, ...]:
        """The choices of the panels, in words, that the run that is going on cannot take."""
        if not self.live or self.run is None:
            return ()
        run = self.run.recipe
        other = self.recipe.data.dataset != run.data.dataset
        return tuple(
            f"{choice.label} {choice.show(self.recipe.get(choice.name)) or 'none'}"
            for choice in choices()
            if choice.section != "recording"
            and self.recipe.get(choice.name) != run.get(choice.name)
            and not choice.steers(self.recipe.get(choice.name))
            # Of another table the columns that nobody has named say nothing.
            and not (other and choice.section == "data" and self.recipe.get(choice.name) == choice.default)
        )

    @property
    def farewell(self) -> str:
        """What is said in the shell after leaving during a run."""
        now = self.run.snapshot() if self.run is not None else None
        if now is None or now.run is None:
            return ""
        if now.live:
            return sentences.STILL_CLOSING(run=now.run)
        return sentences.SAVED(step=now.step, run=now.run)

    def leave(self, timeout: float) -> bool:
        """Save the run that is going on and end it; whether its folder is closed. Takes up to `timeout` seconds."""
        if self.run is None or not self.live:
            return True
        self.run.stop("interrupted")
        return self.run.join(timeout)
