"""What is done to the run under the cursor of the runs screen: note, tags, name, trash, export; and what is typed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.message import Message

from engine.base.printable import printable
from engine.base.shell import quoted
from tui.screens import sentences
from tui.screens.runs.actions import Acted, Keeper
from tui.tasks.export import Exported, Exporter, offered
from tui.widgets.prompt import Ask

if TYPE_CHECKING:
    from engine.base.errors import Untrusted
    from engine.runs.store import RunInfo

TOLD = 8.0  # seconds that a problem stays


class RunEdits:
    """Changes and writes the run under the cursor. Everything is done in threads.

    Args:
        app: on which things are told and chosen.
        current: the run under the cursor; None where there is none.
        ask: opens the line on which something is typed.
        trust: asks about code, and calls what is given once it may run.
        post: takes `Acted` and `Exported`, from any thread.
    """

    def __init__(
        self,
        app: App[Any],
        current: Callable[[], RunInfo | None],
        ask: Callable[[Ask], object],
        trust: Callable[[Untrusted, Callable[[], object]], object],
        post: Callable[[Message], Any],
    ) -> None:
        self._app, self._current, self._ask, self._trust = app, current, ask, trust
        self._keeper, self._exporter = Keeper(post), Exporter(post)
        self._again: Callable[[], None] = lambda: None  # starts the last export once more
        self._exporting: tuple[Path, str, str] | None = None  # run, format and path that are being written

    def close(self) -> None:
        """Give up a file that is being written."""
        self._exporter.cancel()

    def copy_path(self) -> None:
        """Copy where it lies."""
        from tui.terminal.terminal import keep_copy

        run = self._current()
        if run is not None:
            text = str(run.path.absolute())
            text = text if printable(text) == text else quoted(text)
            self._app.copy_to_clipboard(text)
            file = keep_copy(text)
            self._app.notify(sentences.COPIED(text=text, path=file) if file else text, title="Copied", timeout=6)

    def note(self) -> None:
        """Write a note."""
        run = self._current()
        if run is not None:
            taken = partial(self._keeper.note, run.path)
            text = " ".join(run.note.split())
            self._ask(Ask(sentences.NOTE_ON(run=run.name), text, sentences.REMEMBER(), taken))

    def tags(self) -> None:
        """Tag the run."""
        run = self._current()
        if run is not None:
            path = run.path
            hint = sentences.TAGS_HINT()
            text = ", ".join(run.tags)
            self._ask(
                Ask(sentences.TAGS_OF(run=run.name), text, hint, lambda text: self._keeper.tags(path, text.split(",")))
            )

    def rename(self) -> None:
        """Another name."""
        run = self._current()
        if run is not None:
            hint = sentences.NAME_HINT()
            taken = partial(self._keeper.rename, run.path)
            self._ask(Ask(sentences.NAME_OF(run=run.name), run.name, hint, taken, check=_no_name))

    def delete(self) -> None:
        """Into the trash."""
        run = self._current()
        if run is not None:
            self._keeper.delete(run.path)

    def undo(self) -> None:
        """Take the last of these back."""
        if self._keeper.can_undo:
            self._keeper.undo()
        else:
            self._app.notify(sentences.NOTHING_TO_UNDO(), timeout=3)

    def acted(self, message: Acted) -> bool:
        """Tell that it has been done, or why not; whether it has."""
        if message.problem:
            self._app.notify(message.problem, severity="error", timeout=TOLD)
            return False
        self._app.notify(message.words, timeout=4)
        return True

    # Export.

    def export(self) -> None:
        """Choose a format, then where to."""
        from engine.runs.formats import REGISTRY
        from tui.widgets.menu import MenuScreen, Offer

        run = self._current()
        if run is None:
            return
        path = run.path

        def chosen(format: str | None) -> None:
            if format is not None:
                self._ask_where(path, format, offered(path, REGISTRY[format].ending))

        self._app.push_screen(MenuScreen("export", [Offer(one.name, one.name, one.help) for one in REGISTRY]), chosen)

    def _ask_where(self, run: Path, format: str, text: str, there: str = "") -> None:
        """Where it is written to; `there` tells of a file that is there already, which Enter now writes over."""

        def taken(typed: str) -> None:
            self._exporting = run, format, typed
            self._again = lambda: self._exporter.start(run, format, typed, overwrite=bool(there) and typed == text)
            self._again()

        hint = sentences.PATH_HINT(folder=Path.cwd())
        if there:
            hint = sentences.WRITES_OVER(there=there)
        keys = sentences.KEYS_OF_EXPORT()
        self._ask(Ask(sentences.EXPORT_TO(run=run.name, format=format), text, hint, taken, check=_no_path, keys=keys))

    def exported(self, message: Exported) -> None:
        """Tell how it goes."""
        if message.there and self._exporting is not None:
            self._ask_where(*self._exporting, message.there)
        elif message.untrusted is not None:
            self._trust(message.untrusted, self._again)
        elif message.problem:
            self._app.notify(message.problem, severity="error", timeout=TOLD)
        else:
            self._app.notify(message.words, timeout=8 if message.done else 2)


def _no_name(text: str) -> str:
    from engine.recipe.names import problem

    if not text:
        return sentences.NEEDS_NAME()
    why = problem(text)
    return sentences.BAD_NAME(why=why) if why else ""


def _no_path(text: str) -> str:
    return "" if text.strip() else sentences.NO_PATH()
