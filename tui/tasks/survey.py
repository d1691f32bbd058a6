"""Questions put to the engine in threads: what the choices mean, which devices there are, which sets.

Each answer is posted to the app as a message; nothing here touches a widget.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from textual.message import Message

from engine.base.errors import Cancelled, InputError, Untrusted
from tui.tasks.background import in_background, unexpected

if TYPE_CHECKING:
    from engine.analysis.survey import Survey, Surveyor
    from engine.data.prepare import Prepared
    from engine.data.summary import Summary
    from engine.data.table import Table
    from engine.devices import DeviceInfo
    from engine.presets import Preset
    from engine.recipe import Recipe
    from engine.registry.datasets import Dataset

PROGRESS = 0.25  # seconds between two words about how far a survey is
DEBOUNCE = 0.12  # seconds that choices must rest before they are looked into


@dataclass
class Surveyed(Message):
    """The survey of a recipe, or why there is none."""

    recipe: Recipe
    survey: Survey | None
    table: Table | None
    problem: str
    untrusted: Untrusted | None = None  # code that has to be asked about first


@dataclass
class Surveying(Message):
    """What a survey is doing, and how far it is."""

    text: str


@dataclass
class SetsFound(Message):
    """The built-in sets."""

    sets: tuple[Dataset, ...]


@dataclass
class DevicesFound(Message):
    """The devices of this machine, each with what was found when it was tried."""

    devices: tuple[DeviceInfo, ...]


@dataclass
class RecentFound(Message):
    """The files that were used before and are still there, the newest first."""

    paths: tuple[Path, ...]


@dataclass
class PresetsFound(Message):
    """The recipes by name, the person's own among them."""

    presets: tuple[Preset, ...]


@dataclass
class LookupFailed(Message):
    """Something could not be looked up: why, in a sentence."""

    problem: str


class Surveys:
    """Asks for one survey at a time: a new question cancels the one before.

    Args:
        post: takes the answers, from any thread.
    """

    def __init__(self, post: Callable[[Message], Any]) -> None:
        self._post = post
        self._current = threading.Event()  # set: given up
        self._surveyor: Surveyor | None = None

    def ask(self, recipe: Recipe) -> None:
        """Look into a recipe once it has rested for a moment. Answers with `Surveyed`."""
        self._current.set()
        given_up = self._current = threading.Event()
        in_background(lambda: self._work(recipe, given_up), "survey")

    def cancel(self) -> None:
        """Give up what is being asked."""
        self._current.set()

    def _work(self, recipe: Recipe, given_up: threading.Event) -> None:
        if given_up.wait(DEBOUNCE):
            return
        try:
            answer = self._survey(recipe, given_up)
        except Cancelled:
            return
        except BaseException as error:  # noqa: BLE001 - told to the person, and the app goes on
            traceback.print_exception(error)
            answer = Surveyed(recipe, None, None, unexpected(error))
        if not given_up.is_set():
            self._post(answer)

    def _survey(self, recipe: Recipe, given_up: threading.Event) -> Surveyed:
        from engine.analysis.survey import Surveyor

        if self._surveyor is None:
            self._surveyor = Surveyor()
        due = monotonic() + PROGRESS

        def progress(text: str, share: float | None) -> None:
            nonlocal due
            if monotonic() >= due and not given_up.is_set():
                due = monotonic() + PROGRESS
                self._post(Surveying(text if share is None else f"{text}, {100 * share:.0f} %"))

        try:
            found = self._surveyor.survey(recipe, progress=progress, cancelled=given_up.is_set)
        except InputError as error:
            table = self._surveyor.table(recipe.data)
            _remember(recipe, table)
            return Surveyed(recipe, None, table, str(error), error if isinstance(error, Untrusted) else None)
        _remember(recipe, found.table)
        return Surveyed(recipe, found, found.table, "")


def _remember(recipe: Recipe, table: Table | None) -> None:
    """A file that could be read is offered the next time."""
    from engine.data.recent import remember

    if table is not None and table.origin == "file":
        path = Path(recipe.data.dataset).expanduser()
        if path.is_file():
            remember(path)


def _failure(post: Callable[[Message], Any]) -> Callable[[str], object]:
    """What tells the app that something could not be looked up."""
    return lambda words: post(LookupFailed(words))


def find_devices(post: Callable[[Message], Any]) -> None:
    """Try every device, in a child process. Answers with `DevicesFound`."""

    def work() -> None:
        from engine.devices import probe

        post(DevicesFound(tuple(probe())))

    in_background(work, "devices", _failure(post))


def find_recent(post: Callable[[Message], Any]) -> None:
    """The files used before that are still there. Answers with `RecentFound`."""

    def work() -> None:
        from engine.data.recent import recent

        post(RecentFound(tuple(recent())))

    in_background(work, "recent", _failure(post))


def find_sets(post: Callable[[Message], Any]) -> None:
    """List the built-in sets. Answers with `SetsFound`."""

    def work() -> None:
        from engine.data.sources import builtin_sets

        post(SetsFound(tuple(builtin_sets())))

    in_background(work, "sets", _failure(post))


@dataclass
class Summarized(Message):
    """A table in numbers, or why there are none."""

    asked: tuple[Table, Prepared | None]
    summary: Summary | None
    problem: str = ""


def ask_for_summary(table: Table, prepared: Prepared | None, post: Callable[[Message], Any]) -> None:
    """Sum up a table in a thread. Answers with Summarized."""

    def work() -> None:
        from engine.data.summary import summarize

        post(Summarized((table, prepared), summarize(table, prepared)))

    in_background(work, "summary", lambda words: post(Summarized((table, prepared), None, words)))


def find_presets(post: Callable[[Message], Any]) -> None:
    """Read the recipes by name, the person's own among them. Answers with `PresetsFound`."""

    def work() -> None:
        from engine.presets import presets

        post(PresetsFound(tuple(presets())))

    in_background(work, "presets", _failure(post))
