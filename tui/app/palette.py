"""What the palette offers: every key's action, the views, the scratchpad, and recipes by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

from textual.app import SystemCommand
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.screen import Screen

from tui.app import sentences
from tui.keys.situation import Situation
from tui.keys.table import KEYS
from tui.screens.train.screen import TrainScreen
from tui.widgets.cells import tame

if TYPE_CHECKING:
    from engine.presets import Preset
    from tui.model.workspace import Workspace

EXAMPLE = "log((3x + 4y)^2) at x = y = 1 gives 0.8571 and 1.1429"


class Acting(Protocol):
    """The part of the app that what is offered here does something with."""

    @property
    def workspace(self) -> Workspace | None: ...
    def action_go(self, where: str) -> None: ...
    async def run_action(self, action: str) -> bool: ...


def commands(app: Acting, screen: Screen[Any], now: Situation) -> Iterable[SystemCommand]:
    """Everything that can be done from where the person is."""
    for key in KEYS:
        if key.footer and key.place in ("app", "train") and key.when(now):
            title = (key.text(now) or key.footer) + (f" ({key.also})" if key.also else "")
            yield SystemCommand(title, key.help, _runner(app, key.action))
    yield SystemCommand(
        sentences.GRADIENT(),
        sentences.SCRATCHPAD(example=EXAMPLE),
        lambda: app.action_go("scratchpad"),
    )
    if isinstance(screen, TrainScreen):
        for view in screen.fit.views:
            yield SystemCommand(
                sentences.VIEW(name=view.record.label), view.record.help, _shower(screen, view.record.name)
            )
    for preset in app.workspace.presets if app.workspace is not None else ():
        yield SystemCommand(_title(preset), _about(preset), _taker(app, preset))


def _title(preset: Preset) -> str:
    said = sentences.OWN_RECIPE if preset.own else sentences.PRESET
    return said(title=preset.title)


def _about(preset: Preset) -> str:
    return preset.problem or preset.description or sentences.PRESET_FLAG(name=preset.name)


def _runner(app: Acting, action: str) -> Callable[[], Any]:
    async def run() -> None:
        await app.run_action(action.replace("train.", "screen."))

    return run


def _shower(screen: TrainScreen, name: str) -> Callable[[], None]:
    return lambda: screen.choose_view(name)


def _taker(app: Acting, preset: Preset) -> Callable[[], None]:
    def take() -> None:
        if app.workspace is not None:
            app.workspace.take_preset(preset)
            app.action_go("train")

    return take


class Commands(Provider):
    """Offers them; names and help are shown as they are, for a recipe of somebody's may have brackets in them."""

    async def discover(self) -> Hits:
        """All, in alphabetical order."""
        for name, help, act, shown in sorted(self._all(), key=lambda one: one[0]):
            if shown:
                yield DiscoveryHit(Content(name), act, text=name, help=Content(help))  # type: ignore[arg-type]

    async def search(self, query: str) -> Hits:
        """Those that match what is typed."""
        matcher = self.matcher(query)
        for name, help, act, _ in self._all():
            score, places = matcher.fuzzy_search.match(query, name)
            if score > 0:
                marked = Content(name)
                for place in (place for place in places if not name[place].isspace()):
                    marked = marked.stylize(matcher.match_style, place, place + 1)
                yield Hit(score, marked, act, text=name, help=Content(help))  # type: ignore[arg-type]

    def _all(self) -> list[SystemCommand]:
        return [
            SystemCommand(tame(name), tame(help), act, shown)
            for name, help, act, shown in self.app.get_system_commands(self.screen)
        ]
