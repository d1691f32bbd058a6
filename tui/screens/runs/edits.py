"""What is done to the run under the cursor of the runs screen: note, tags, name, trash, export; and what is typed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine.base.printable import printable
from engine.base.shell import quoted
from tui.screens.base import RavineScreen
from tui.screens.runs.actions import Acted, Keeper
from tui.tasks.export import Exported, Exporter, offered
from tui.widgets.prompt import Ask, Prompt

if TYPE_CHECKING:
    from engine.runs.store import RunInfo

TOLD = 8.0  # seconds that a problem stays


class RunEdits(RavineScreen):
    """The part of the runs screen that changes and writes runs. Everything is done in threads."""

    def begin_edits(self) -> None:
        """Before anything else."""
        self.prompt = Prompt(self.asked)
        self.keeper, self.exporter = Keeper(self.post_message), Exporter(self.post_message)
        self._again: Callable[[], None] = lambda: None  # starts the last export once more
        self._exporting: tuple[Path, str, str] | None = None  # run, format and path that are being written

    @property
    def current(self) -> RunInfo | None:
        """The run under the cursor."""
        raise NotImplementedError

    @property
    def run_path(self) -> Path | None:
        """Its folder; None of a folder that is no run."""
        raise NotImplementedError

    def moved(self, old: Path, new: Path | None) -> None:
        """A run has another path, or is gone."""
        raise NotImplementedError

    def settle(self) -> None:
        """The line is open, or closed again."""
        raise NotImplementedError

    def on_unmount(self) -> None:
        """A file that is being written is given up."""
        self.exporter.cancel()

    def action_copy_path(self) -> None:
        """Copy where it lies."""
        from tui.terminal.terminal import keep_copy

        if self.run_path is not None:
            text = str(self.run_path.absolute())
            text = text if printable(text) == text else quoted(text)
            self.app.copy_to_clipboard(text)
            file = keep_copy(text)
            self.app.notify(f"{text}\n\nAlso in {file}" if file else text, title="Copied", timeout=6)

    def action_note(self) -> None:
        """Write a note."""
        run = self.current
        if run is not None and self.run_path is not None:
            taken = partial(self.keeper.note, run.path)
            text = " ".join(run.note.split())
            self.open_line(Ask(f"note on {run.name}", text, "What you want to remember; empty takes it away.", taken))

    def action_tags(self) -> None:
        """Tag the run."""
        run = self.current
        if run is not None and self.run_path is not None:
            path = run.path
            hint = "Tags separated by commas, such as good, paper; tag=good in the filter finds them."
            text = ", ".join(run.tags)
            self.open_line(Ask(f"tags of {run.name}", text, hint, lambda text: self.keeper.tags(path, text.split(","))))

    def action_rename(self) -> None:
        """Another name."""
        run = self.current
        if run is not None and self.run_path is not None:
            hint = "Letters, digits, spaces and . + = _ -"
            taken = partial(self.keeper.rename, run.path)
            self.open_line(Ask(f"name of {run.name}", run.name, hint, taken, check=_no_name))

    def action_delete(self) -> None:
        """Into the trash."""
        if self.run_path is not None:
            self.keeper.delete(self.run_path)

    def action_undo(self) -> None:
        """Take the last of these back."""
        if self.keeper.can_undo:
            self.keeper.undo()
        else:
            self.app.notify("There is nothing to undo.", timeout=3)

    def on_acted(self, message: Acted) -> None:
        """It has been done, or could not be."""
        if message.problem:
            self.app.notify(message.problem, severity="error", timeout=TOLD)
            return
        self.app.notify(message.words, timeout=4)
        self.moved(message.run, message.now)

    # Export.

    def action_export(self) -> None:
        """Choose a format, then where to."""
        from engine.runs.formats import FORMATS
        from tui.widgets.menu import MenuScreen, Offer

        path = self.run_path
        if path is None:
            return
        endings = {one.name: one.ending for one in FORMATS}

        def chosen(format: str | None) -> None:
            if format is not None:
                self._ask_where(path, format, offered(path, endings[format]))

        self.app.push_screen(MenuScreen("export", [Offer(one.name, one.name, one.about) for one in FORMATS]), chosen)

    def _ask_where(self, run: Path, format: str, text: str, there: str = "") -> None:
        """Where it is written to; `there` tells of a file that is there already, which Enter now writes over."""

        def taken(typed: str) -> None:
            self._exporting = run, format, typed
            self._again = lambda: self.exporter.start(run, format, typed, overwrite=bool(there) and typed == text)
            self._again()

        hint = f"A path; without folders it is in {Path.cwd()}."
        if there:
            hint = f"{there} Enter writes over it; type another name to keep it."
        keys = "Enter writes it · Esc leaves it"
        self.open_line(Ask(f"export {run.name} as {format} to", text, hint, taken, check=_no_path, keys=keys))

    def on_exported(self, message: Exported) -> None:
        """How it goes."""
        if message.there and self._exporting is not None:
            self._ask_where(*self._exporting, message.there)
        elif message.untrusted is not None:
            self.ravine.trusting.ask(message.untrusted, self._again)
        elif message.problem:
            self.app.notify(message.problem, severity="error", timeout=TOLD)
        else:
            self.app.notify(message.words, timeout=8 if message.done else 2)

    # The line to type on.

    def open_line(self, ask: Ask) -> None:
        """Ask for something."""
        self.prompt.open(ask)
        self.settle()

    def asked(self) -> None:
        """Nothing is asked any more."""
        self.settle()


def _no_name(text: str) -> str:
    from engine.recipe.names import problem

    if not text:
        return "A run needs a name."
    why = problem(text)
    return f"This name cannot be used: {why}." if why else ""


def _no_path(text: str) -> str:
    return "" if text.strip() else "Say where to."
