"""The app under test: driven by keys, watched through what is on its screen."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from textual.pilot import Pilot

from engine.recipe import Recipe
from tui.app.app import RavineApp
from tui.widgets.cells import Cells

DEADLINE = 120.0  # seconds that anything may take on a slow and busy machine


class Driver:
    """An app with its keyboard."""

    def __init__(self, app: RavineApp, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Type a text."""
        names = {
            ".": "full_stop", "/": "slash", "_": "underscore", "-": "minus", ",": "comma", " ": "space",
            "(": "left_parenthesis", ")": "right_parenthesis", "+": "plus", "^": "circumflex_accent", "*": "asterisk",
        }  # fmt: skip
        await self.press(*(names.get(character, character) for character in text))

    async def until(self, condition: Callable[[], Any], what: str = "") -> None:
        """Wait for a condition. AssertionError with the screen when it does not come about."""
        end = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < end, f"{what or condition} did not come about; the screen:\n{self.text()}"
            await self.pilot.pause(0.01)
        await self.pilot.pause()

    def text(self, pane: str = "") -> str:
        """What is on the screen, or in one pane of it; lines separated by newlines."""
        screen = self.app.screen
        panes = [pane_ for pane_ in screen.query(Cells) if pane_.display and (not pane or pane_.id == pane)]
        lines = []
        for one in panes:
            lines += [str(one.border_title or ""), str(one.border_subtitle or "")]
            lines += [one.render_line(y).text.rstrip() for y in range(one.size.height)]
        return "\n".join(lines)

    async def see(self, *texts: str, pane: str = "") -> None:
        """Wait until all of these are on the screen."""
        await self.until(lambda: all(text in self.text(pane) for text in texts), f"{texts} in {pane or 'the screen'}")

    async def ready(self) -> None:
        """Wait until the choices have been looked into."""
        await self.until(
            lambda: (
                self.app.workspace is not None
                and bool(self.app.workspace.sets)
                and (self.app.workspace.known is not None or self.app.workspace.problem)
            ),
            "the survey",
        )

    async def palette(self, typed: str, wanted: str) -> None:
        """Open the palette, type, and take what is offered under a name."""
        await self.press("ctrl+p")
        await self.until(lambda: len(self.app.screen_stack) > 1, "the palette")
        await self.type(typed)

        def offered() -> bool:
            found = self.app.screen.query("CommandList").first()
            options = [found.get_option_at_index(index) for index in range(found.option_count)]
            texts = [str(option.hit.text or option.hit.match_display) for option in options if hasattr(option, "hit")]
            return bool(texts) and wanted in texts[found.highlighted or 0]

        await self.until(offered, f"{wanted} in the palette")
        await self.press("enter")
        await self.until(lambda: len(self.app.screen_stack) == 1, "what was chosen")

    async def done(self) -> None:
        """Wait for the end of the run."""
        await self.until(
            lambda: self.app.workspace is not None and self.app.workspace.phase in ("ended", "failed"), "the end"
        )


Drive: TypeAlias = Callable[..., Any]


@pytest.fixture
def drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drive:
    """Opens the app in an empty folder: `async with drive(size=(160, 45), …) as driver`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    @asynccontextmanager
    async def opened(
        size: tuple[int, int] = (160, 45), *, ready: bool = True, values: dict[str, Any] | None = None, **options: Any
    ) -> AsyncIterator[Driver]:
        app = RavineApp((lambda: Recipe().replace(values)) if values else None, **options)
        async with app.run_test(size=size) as pilot:
            driver = Driver(app, pilot)
            if ready:
                await driver.ready()
            yield driver
            if app.workspace is not None:
                assert app.workspace.leave(DEADLINE)

    return opened
