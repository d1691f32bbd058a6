"""The predict screen: raw values in, and every step of the way to the prediction; or a file in, a file out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Region

from engine.modules import trust
from tui.keys.keymap import untrained
from tui.keys.table import bindings
from tui.look.numbers import error
from tui.screens import sentences
from tui.screens.base import RavineScreen
from tui.screens.predict.form import Form
from tui.screens.predict.steps import PredictionSteps
from tui.screens.trust import refusal
from tui.tasks.predict_file import FileDone, FileJob, FileProgress
from tui.widgets.cells import clip
from tui.widgets.panel import Panel

if TYPE_CHECKING:
    from engine.runs.store import RunInfo
    from tui.model.saved_run import PredictorRead, RunsListed


class PredictScreen(RavineScreen):
    """One run's model. The last run is taken first."""

    NAME = "predict"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("predict")]

    def panes(self) -> ComposeResult:
        """The form and the way."""
        self.form, self.way = Form(self.explain), PredictionSteps()
        self.runs: tuple[RunInfo, ...] = ()
        self._path: Path | None = None
        self._wish: Path | None = None
        self._newest: Path | None = None  # of the runs there were when they were looked at last
        self._phase = ""
        self._job: FileJob | None = None
        yield self.form
        yield self.way

    @property
    def has_rows(self) -> bool:
        """Whether there is a model."""
        return self.form.predictor is not None or len(self.runs) > 1

    def on_mount(self) -> None:
        """The cursor is in the form."""
        self.form.focus()

    def places(self, width: int, height: int) -> dict[str, Region]:
        """Beside each other, or below where it is narrow."""
        places, between = self.body(width, height)
        if width >= 100:
            side = 48
            form = Region(0, between.y, side, between.height)
            way = Region(side, between.y, width - side, between.height)
        else:
            tall = min(max(4, len(self.form.values) + 2), between.height // 2)
            form = Region(0, between.y, width, tall)
            way = Region(0, between.y + tall, width, between.height - tall)
        return {**places, "form": form, "way": way}

    def arrive(self) -> None:
        """Look at the folder again: there may be a newer run."""
        self._ask()

    def _ask(self) -> None:
        from tui.model.saved_run import ask_for_trained

        if self.ravine.workspace is not None:
            ask_for_trained(self.ravine.workspace.runs_folder, self.post_message)

    def wish(self, run: Path | None) -> None:
        """Predict with this run."""
        self._wish = run
        self._ask()  # the list may have come already

    def on_runs_listed(self, message: RunsListed) -> None:
        """Take the run that was asked for, else one that has come meanwhile, else the one that was there."""
        self.runs = message.runs
        if not self.runs:
            self.way.problem = message.problem
            self.way.invitation = untrained()
            self.show()
            return
        self.way.invitation = ""
        newest = self.runs[0].path
        kept = self._path if newest == self._newest and self._path in [run.path for run in self.runs] else newest
        self._newest = newest
        self._load(self._wish or kept)
        self._wish = None

    def _load(self, path: Path) -> None:
        from tui.model.saved_run import ask_for_predictor

        self._path = path
        ask_for_predictor(path, self.post_message)

    def on_predictor_read(self, message: PredictorRead) -> None:
        """The model has come."""
        if message.path != self._path:
            return
        self.way.problem = message.problem
        if message.untrusted is not None:
            self.way.problem = refusal(message.untrusted, sentences.COME_BACK())
            self.ravine.trusting.ask(message.untrusted, lambda: self._load(message.path), once=True)
        self.way.predictor = message.predictor
        self.way.explanation = None
        name = message.path.name
        index = next((i for i, run in enumerate(self.runs) if run.path == message.path), 0)
        self.form.border_title = clip(sentences.VALUES_FOR(run=name), 40)
        self.way.border_title = sentences.RAW_TO_PREDICTION(number=index + 1, runs=len(self.runs))
        self.form.take_predictor(message.predictor)
        if message.predictor is not None:
            self.explain(self.form.values)
        self.lay_out()
        self.show()

    def explain(self, values: dict[str, str]) -> None:
        """Predict, and show how."""
        from engine.base.errors import InputError

        if self.way.predictor is None:
            return
        try:
            self.way.explanation = self.way.predictor.explain(values)
            self.way.problem = ""
        except InputError as error:
            self.way.problem = str(error)
        self.way.redraw()

    def action_other_run(self, by: int) -> None:
        """Predict with another run."""
        paths = [run.path for run in self.runs]
        if self._path in paths:
            index = paths.index(self._path) + by
            if 0 <= index < len(paths):
                self._load(paths[index])

    def action_pick_run(self) -> None:
        """Pick one of the runs that have a model."""
        from tui.widgets.menu import MenuScreen, Offer

        def take(path: str | None) -> None:
            if path is not None:
                self._load(Path(path))

        if self.runs:
            offers = [Offer(str(run.path), run.name, _about(run)) for run in self.runs]
            self.app.push_screen(MenuScreen(sentences.PREDICT_WITH(), offers, str(self._path)), take)

    # A file in, a file out.

    def action_file(self) -> None:
        """Pick a table, and predict all its rows."""
        from tui.widgets.file_picker import FilePicker

        if self.way.predictor is not None and self._job is None:
            workspace = self.ravine.workspace
            self.app.push_screen(FilePicker("", workspace.recent if workspace is not None else ()), self._begin)

    def _begin(self, text: str | None) -> None:
        if text and self.way.predictor is not None:
            trust.ask_table(text)  # a module:function may give the rows
            self._job = FileJob(self.way.predictor, text, self.post_message)
            self._job.start()
            self._tell([(sentences.READING(file=Path(text).name), False)])

    def on_file_progress(self, message: FileProgress) -> None:
        """How far it is."""
        if message.job is self._job:
            self._tell([(sentences.ESC_STOPS(text=message.text), False)])

    def on_file_done(self, message: FileDone) -> None:
        """The file is written, or why it is not."""
        if message.job is not self._job:
            return
        self._job = None
        if message.problem:
            self._tell([(message.problem, True)])
            return
        first = ", ".join(message.first)
        told = [(sentences.PREDICTED(rows=message.rows, file=message.source.name, path=message.path), False)]
        told += [(sentences.FIRST(predictions=first), False)] * bool(first)
        self._tell(told + [(text, True) for text in message.warnings])

    def _tell(self, told: list[tuple[str, bool]]) -> None:
        self.way.said = told
        self.show()

    async def action_cancel(self) -> None:
        """Esc: stop predicting the file; with none, back to training."""
        if self._job is None:
            await self.ravine.action_back()
            return
        self._job.cancel()
        self._job = None
        self._tell([(sentences.STOPPED(), False)])

    @property
    def busy(self) -> bool:
        """Whether a file is being predicted."""
        return self._job is not None

    def on_unmount(self) -> None:
        """The app ends: leave no half of a file."""
        if self._job is not None:
            self._job.cancel()

    def on_panel_moved(self, message: Panel.Moved) -> None:
        """Another field is under the cursor."""
        self.show()

    def on_descendant_focus(self) -> None:
        """The other pane."""
        super().on_descendant_focus()
        self.form.redraw()

    def show(self) -> None:
        """The bars and both panes; the first run that ends brings a model."""
        phase = self.ravine.workspace.phase if self.ravine.workspace is not None else ""
        if phase != self._phase and phase == "ended" and self.form.predictor is None:
            self._ask()
        self._phase = phase
        self.messages.hint = self.form.help()
        super().show()
        self.form.redraw()
        self.way.redraw()


def _about(run: RunInfo) -> str:
    """A run in a few words."""
    loss = run.val_loss if run.val_loss is not None else run.train_loss
    words = [run.dataset.rpartition("/")[2], run.normalization, run.model]
    told = [] if loss is None else [sentences.LOSS(loss=error(loss, 4, run.figures.get("baseline_loss")))]
    return " · ".join([*(word for word in words if word), *told])
