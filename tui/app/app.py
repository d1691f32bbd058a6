"""The app: it composes the screens, routes keys and messages, and holds no logic of its own."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from contextlib import nullcontext, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import SystemCommand
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen

from engine.base.errors import Untrusted
from tui.app import sentences
from tui.app.base_app import BaseApp
from tui.app.trusting import ConsentQueue
from tui.keys.keymap import named
from tui.keys.situation import Situation
from tui.keys.table import bindings
from tui.screens.base import RavineScreen
from tui.screens.train.screen import TrainScreen
from tui.terminal.early_signals import INTERRUPTED
from tui.terminal.frame_rate import FrameRate
from tui.widgets.bars import LOOKING
from tui.widgets.cells import Cells

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from textual.command import Provider

    from engine.recipe import Recipe
    from engine.runs.store import Lister
    from tui.model.run_actions import RunActions
    from tui.model.run_handle import Opener
    from tui.model.workspace import Workspace
    from tui.screens.host import OnScreen
    from tui.tasks.survey import (
        DevicesFound,
        LookupFailed,
        PresetsFound,
        RecentFound,
        SetsFound,
        Surveyed,
        Surveying,
        Surveys,
    )
    from tui.tasks.tensorboard import TensorBoard, TensorBoardAnswered

REST = (  # what the first run and its curves need, and the list of runs, so that no key waits for it
    "engine.training.session",
    "engine.analysis.evaluation",
    "tui.charts.loss_drawing",
    "tui.charts.views.weight_history",
    "tui.screens.runs.screen",
    "engine.runs.store",
    "tui.model.saved_run",
    "tui.charts.run_curves",
)
CLOSING = 5.0  # seconds that a run gets to close its folder


class Opened(Message):
    """The modules are loaded, and the choices to begin with are there."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace


def _fail(error: Exception) -> None:
    raise error


def _later(module: str, name: str) -> Callable[[], Screen[Any]]:
    """A screen whose module is imported when it is first gone to."""

    def make() -> Screen[Any]:
        screen: Screen[Any] = getattr(import_module(f"tui.screens.{module}"), name)()
        return screen

    return make


def _commands() -> type[Provider]:
    """What the palette asks; imported when it is opened first."""
    from tui.app.palette import Commands

    return Commands


class RavineApp(BaseApp):
    """The full-screen trainer.

    Args:
        recipe: makes what the panels begin with; called after the first paint.
        opener: makes a run; tests give their own.
        face: what `BaseApp` takes.
    """

    TITLE = "ravine"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_commands}
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("app")]
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {
        "train": TrainScreen,
        "data": _later("data.screen", "DataScreen"),
        "runs": _later("runs.screen", "RunsScreen"),
        "predict": _later("predict.screen", "PredictScreen"),
        "evaluate": _later("evaluate.screen", "EvaluateScreen"),
        "code": _later("code", "CodeScreen"),
        "finder": _later("finder", "FinderScreen"),
        "rewind": _later("checkpoints", "CheckpointsScreen"),
        "log": _later("log", "LogScreen"),
        "scratchpad": _later("scratchpad", "ScratchpadScreen"),
        "race": _later("race", "RaceScreen"),
        "help": _later("help", "HelpScreen"),
    }
    DEFAULT_MODE = "train"

    def __init__(
        self,
        recipe: Callable[[], Recipe] | None = None,
        *,
        opener: Opener | None = None,
        **face: Any,
    ) -> None:
        super().__init__(**face)
        self.workspace: Workspace | None = None
        self._actions: RunActions | None = None  # what keys do on the workspace
        self._recipe, self._opener = recipe, opener
        self.liking: dict[str, Any] = dict(self.memory.layout) if self.memory is not None else {}  # how charts are seen
        self._surveys: Surveys | None = None
        self._asked: Recipe | None = None
        self._was_live = False
        self._untrusted: Untrusted | None = None  # code that the present choices name, and that is not run
        self._asked_for: Any = None  # the run about whose code was asked
        self.trusting = ConsentQueue(self)
        self._raced: Recipe | None = None  # the choices of the last race
        self._timer: asyncio.TimerHandle | None = None
        self._tensorboard: TensorBoard | None = None
        self.lister: Lister | None = None
        self.farewell = ""  # what is said after the screen is gone
        link = self.link
        self._frame_rate = FrameRate() if link is None else FrameRate(lambda: link.behind, lambda: link.traffic.drain)

    # Opening.

    def on_mount(self) -> None:
        """Ask for the first paint, then load what it did not need."""
        self.call_after_refresh(self._load)

    def _load(self) -> None:
        from threading import Thread

        Thread(target=self._load_engine, name="loading", daemon=True).start()

    def _load_engine(self) -> None:
        """In a thread: the modules that the first paint did without."""
        import plotext  # noqa: F401 - so that the first curve finds it

        from tui.model.run_handle import open_session
        from tui.model.workspace import Workspace
        from tui.registry import views
        from tui.tasks.survey import LookupFailed

        try:
            recipe = self._recipe() if self._recipe is not None else _default_recipe()
        except Exception as error:  # noqa: BLE001 - an installation that is broken is told of, not frozen
            self.post_message(LookupFailed(f"{type(error).__name__}: {error}"))
            return
        workspace = Workspace(recipe, self._changed, self._say, self._opener or open_session)
        if self.link is not None:
            gc.freeze()  # all this stays as long as the process: garbage is looked for in what comes
        self.post_message(Opened(workspace))
        for name in (*REST, *views.modules()):
            import_module(name)
        self._list_runs(workspace.runs_folder)

    def _list_runs(self, folder: Path) -> None:
        """In the same thread: thousands of runs are there at once when somebody goes to them."""
        from engine.base.errors import InputError
        from engine.runs.store import Lister

        self.lister = Lister()
        with suppress(InputError):  # the screen of the runs tells of it
            self.lister.list(folder)

    def on_opened(self, message: Opened) -> None:
        """The choices are there: look up what can be chosen."""
        from tui.model.run_actions import RunActions
        from tui.tasks.survey import Surveys, find_devices, find_presets, find_recent, find_sets

        self.workspace, self._actions = message.workspace, RunActions(message.workspace)
        self._surveys = Surveys(self.post_message)
        find_sets(self.post_message)
        find_devices(self.post_message)
        find_recent(self.post_message)
        find_presets(self.post_message)
        if self.memory is not None and self.memory.told:
            self.notify(self.memory.told, timeout=8)
        for problem in self.key_table.conflicts():
            self._say(problem, True)
        self._looked_up()

    def on_sets_found(self, message: SetsFound) -> None:
        """The built-in sets can be chosen."""
        if self.workspace is not None:
            self.workspace.sets = message.sets
        self._looked_up()

    def on_devices_found(self, message: DevicesFound) -> None:
        """The devices can be chosen."""
        if self.workspace is not None:
            self.workspace.devices = message.devices
        self._looked_up()

    def on_recent_found(self, message: RecentFound) -> None:
        """Files used before can be chosen."""
        if self.workspace is not None:
            self.workspace.recent = message.paths
        self._looked_up()

    def on_presets_found(self, message: PresetsFound) -> None:
        """Recipes by name can be chosen."""
        if self.workspace is not None:
            self.workspace.presets = message.presets
        self._looked_up()

    def on_lookup_failed(self, message: LookupFailed) -> None:
        """Something could not be looked up."""
        self._say(message.problem, True)
        self._looked_up()

    def _looked_up(self) -> None:
        """There is more to choose from: the panels may have other lines."""
        self._changed()
        self._refit()

    # State.

    def _changed(self) -> None:
        """Something that shows has changed."""
        workspace = self.workspace
        if workspace is None:
            return
        if workspace.recipe != self._asked and self._surveys is not None:
            self._asked = workspace.recipe
            if not workspace.carried():
                self._surveys.ask(workspace.recipe)
                workspace.asked(LOOKING)
                return
        if workspace.live and not self._was_live and self.memory is not None:
            self.memory.keep_soon(layout=self.liking, recipe=workspace.recipe)
        if (self._was_live and not workspace.live) or workspace.phase == "failed":
            self._ask_for_run()
        self._was_live = workspace.live
        self._watch()
        screen = self._on_top
        if (
            isinstance(screen, RavineScreen) and screen.is_mounted
        ):  # one that is being made shows everything when it is there
            screen.show()

    @property
    def _on_top(self) -> Screen[Any] | None:
        """The screen that is shown; None while the app is being closed."""
        return self.screen if self.screen_stack else None

    def on_surveying(self, message: Surveying) -> None:
        """How far the survey is."""
        if self.workspace is not None and self.workspace.activity:
            self.workspace.asked(message.text)

    def on_surveyed(self, message: Surveyed) -> None:
        """The answer about the present choices."""
        if self.workspace is not None:
            problem = message.problem
            if message.untrusted is not None:
                from tui.screens.trust import refusal

                problem = refusal(message.untrusted, sentences.ASKS_AGAIN(key=named("run.toggle")))
            same = message.recipe == self.workspace.recipe
            self.workspace.surveyed(message.recipe, message.survey, message.table, problem)
            self._untrusted = message.untrusted if same else self._untrusted
            if message.untrusted is not None and same:
                self._ask_for_choices()
            self._refit()

    def _ask_for_choices(self) -> None:
        """Ask about the code that the present choices name, and look into them once it may run."""
        assert self._untrusted is not None
        self.trusting.ask(self._untrusted, self._look_again)

    def _look_again(self) -> None:
        self._untrusted = self._asked = None
        self._changed()

    def _ask_for_run(self) -> None:
        """A run could not begin because of code that nobody asked for: ask, and begin it again."""
        from tui.model.run_handle import Failable

        run = self.workspace.run if self.workspace is not None else None
        failure = run.failure if isinstance(run, Failable) else None
        if self.workspace is not None and isinstance(failure, Untrusted) and run is not self._asked_for:
            self._asked_for = run
            self.trusting.ask(failure, self.workspace.begin_again)

    def _refit(self) -> None:
        if isinstance(screen := self._on_top, TrainScreen):
            screen.refit()

    def _look(self) -> None:
        if self.workspace is not None:
            with self.direct_paint.together() if self.direct_paint is not None else nullcontext():
                drawn = self._frame_rate.look(self.workspace.poll)
            if drawn:
                self._frame_rate.drawn()
        self._timer = None
        self._watch()

    def _beat(self) -> None:
        """It is time for a look, as the event loop says; what fails in it is told like all that fails in the app."""
        try:
            self._look()
        except Exception as error:  # noqa: BLE001 (raised again where Textual sees it)
            self.call_later(_fail, error)

    def _watch(self) -> None:
        """Look at the run when it is time, as long as it is going on."""
        if self.workspace is not None and self.workspace.live and self._timer is None:
            # Not by a timer of Textual's: it wakes the loop three times, and a training loop of Python waits each time.
            self._timer = asyncio.get_running_loop().call_later(self._frame_rate.rest, self._beat)

    def _say(self, text: str, bad: bool) -> None:
        self.notify(text, severity="error" if bad else "information", timeout=6 if bad else 3)

    def situation(self, screen: OnScreen) -> Situation:
        """What decides which keys do something now."""
        from tui.widgets.text_field import TextField

        workspace, focused = self.workspace, self.focused if self._on_top is not None else None
        return Situation(
            screen=self.current_mode or "train",
            focus=focused.KIND if isinstance(focused, Cells) else "other",
            editing=isinstance(focused, TextField),
            phase=workspace.phase if workspace is not None else "none",  # type: ignore[arg-type]
            remedy=bool(workspace and workspace.remedy),
            waiting=bool(workspace and workspace.activity),
            blocked=workspace.problem if workspace is not None else "",
            rows=screen.has_rows,
            views=screen.views,
            shown=self._shown_run(screen.run_path) is not None,
            later=bool(workspace and workspace.later),
            racing=workspace is not None and workspace.live and _racing(workspace),
            columns=self.size.width,
        )

    # Keys.

    def action_act(self, what: str) -> None:
        """Hand a key to the workspace."""
        if what == "toggle" and self.current_mode == "race" and self.workspace is not None and not self.workspace.live:
            self.action_race()  # once more: a single run would not show here
        elif (
            what in ("toggle", "step")
            and self._untrusted is not None
            and self.workspace is not None
            and not self.workspace.live
        ):
            self._ask_for_choices()
        elif self._actions is not None:
            self._actions.act(what)

    def action_go(self, where: str) -> None:
        """To another screen."""
        if where in self.MODES and where != self.current_mode:
            self.trusting.forget()
            self.switch_mode(where)

    def action_race(self) -> None:
        """The present choices under every normalization, and to their screen; one that has ended is shown first."""
        from tui.model.race import begin, racing

        workspace = self.workspace
        if workspace is None:
            return
        if self.current_mode != "race" and racing(workspace) and not workspace.live and workspace.recipe == self._raced:
            self.action_go("race")
        elif begin(workspace):
            self._raced = workspace.recipe
            self.action_go("race")

    async def action_back(self) -> None:
        """Give up a survey that takes long; from another screen back to training."""
        if self.workspace is not None and self.workspace.activity and self._surveys is not None:
            self._surveys.cancel()
            self.workspace.given_up()
        else:
            self.action_go("train")

    def action_large(self, pane: str) -> None:
        """Show a pane of the train screen alone, or all again."""
        if isinstance(self.screen, TrainScreen):
            self.screen.action_large(pane)

    def predict_with(self, run: Path) -> None:
        """To the predict screen, with this run."""
        self._visit("predict", run)

    def _shown_run(self, path: Path | None) -> Path | None:
        """The run under the cursor of a list, else the one that the train screen shows."""
        now = self.workspace.snapshot if self.workspace is not None else None
        return path or (now.run if now is not None else None)

    def action_assess(self) -> None:
        """To the evaluation of the run under the cursor, or of the one that is shown."""
        path = self.screen.run_path if isinstance(self.screen, RavineScreen) else None
        now = self.workspace.snapshot if self.workspace is not None else None
        same = now is not None and now.run == path
        self._visit("evaluate", None if same else path)

    def action_rewind(self) -> None:
        """To the checkpoints of the run under the cursor, or of the one that is shown."""
        path = self._shown_run(self.screen.run_path if isinstance(self.screen, RavineScreen) else None)
        if path is not None:
            self._visit("rewind", path)

    def _visit(self, mode: str, path: Path | None) -> None:
        """To a screen that shows a run."""
        self.trusting.forget()

        async def go() -> None:
            await self.switch_mode(mode)
            if isinstance(self.screen, RavineScreen):
                self.screen.wish(path)

        self.run_worker(go())

    def action_why(self) -> None:
        """The whole of what is said at the end of a run."""
        from tui.screens.run_summary import RunSummaryScreen

        if self.workspace is not None and self.workspace.snapshot is not None:
            self.push_screen(
                RunSummaryScreen(self.workspace), lambda remedy: self.action_act("remedy") if remedy else None
            )

    def action_leave(self) -> None:
        """Quit; during a run ask first."""
        from tui.screens.confirm_quit import ConfirmQuitScreen

        if self.workspace is None or not self.workspace.live:
            self.exit()
        elif isinstance(self.screen, ConfirmQuitScreen):
            self.screen.dismiss(True)
        else:
            self.push_screen(ConfirmQuitScreen(), self._answered)

    def _answered(self, leave: bool | None) -> None:
        if leave:
            self._close(0)

    def _close(self, code: int) -> None:
        """Have the run close its folder, in a worker, then end."""

        async def close() -> None:
            if self.workspace is not None:
                await asyncio.to_thread(self.workspace.leave, CLOSING)
                self.farewell = self.workspace.farewell
            self.exit(return_code=code)

        self.run_worker(close(), exclusive=True, group="close")

    async def action_suspend_run(self) -> None:
        """Pause, give the terminal to the shell, and go on when it comes back."""
        workspace = self.workspace
        going = workspace is not None and workspace.phase == "training"
        if workspace is not None and self._actions is not None and going:
            self._actions.toggle()
            for _ in range(int(CLOSING * 50)):
                workspace.poll()
                if workspace.phase != "training" and await asyncio.to_thread(_at_rest, workspace):
                    break
                await asyncio.sleep(0.02)
        self.leave_to_shell(sentences.PAUSED_FOR_SHELL() if going else sentences.FG_BRINGS_BACK())
        if workspace is not None and self._actions is not None and going and workspace.phase == "paused":
            self._actions.toggle()

    def action_tensorboard(self) -> None:
        """Start TensorBoard on the runs folder, or say where it is."""
        from tui.tasks.tensorboard import TensorBoard

        if self.workspace is not None:
            if self._tensorboard is None:
                self._tensorboard = TensorBoard()
                self._say(sentences.STARTING_TENSORBOARD(), False)
            self._tensorboard.open(self.workspace.runs_folder, self.post_message)

    def on_tensor_board_answered(self, message: TensorBoardAnswered) -> None:
        """TensorBoard can be looked at, or not."""
        if message.problem:
            self._say(message.problem, True)
            return
        self.copy_to_clipboard(message.address)
        self.notify(
            sentences.ADDRESS_COPIED(address=message.address, tunnel=message.tunnel),
            title="TensorBoard",
            timeout=15,
            markup=False,
        )

    def on_unmount(self) -> None:
        """Take TensorBoard along."""
        if self._tensorboard is not None:
            self._tensorboard.close()

    def action_copy(self) -> None:
        """Copy the command line, or the script where one is shown."""
        if self.workspace is not None:
            script = self.screen.to_copy() if isinstance(self.screen, RavineScreen) else ""
            self.copy(
                script or self.workspace.command,
                sentences.SCRIPT_COPIED(lines=len(script.splitlines())) if script else "",
            )

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette offers; see `tui.app.palette`."""
        from tui.app.palette import commands
        from tui.tasks.survey import find_presets

        find_presets(self.post_message)  # for the next time: a person may have written one
        now = self.situation(screen) if isinstance(screen, RavineScreen) else Situation()
        yield from commands(self, screen, now)

    def keep_all(self) -> None:
        """Remember how things stand, for the next time."""
        if self.memory is not None and self.workspace is not None:
            self.memory.keep(theme=self.theme, layout=self.liking, recipe=self.workspace.recipe)

    def told_to_end(self) -> None:
        """A signal to end, or the line was cut: the run is saved first."""
        self._close(INTERRUPTED)


def _racing(workspace: Workspace) -> bool:
    from tui.model.race import racing

    return racing(workspace)


def _at_rest(workspace: Workspace) -> bool:
    """Whether a run that pauses has written its checkpoint. Reads its folder."""
    from engine.base.errors import InputError
    from engine.runs.facts import read_facts

    now = workspace.snapshot
    if now is None or now.run is None or not now.live:
        return True
    try:
        return read_facts(now.run).get("state") != "running"
    except InputError:
        return False


def _default_recipe() -> Recipe:
    from engine.recipe import Recipe

    return Recipe()
