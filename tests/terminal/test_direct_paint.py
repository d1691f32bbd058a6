"""Cells that go out past Textual: the screen is the one that Textual would have made."""

from __future__ import annotations

import re
from typing import Any

from tests.terminal.emulator import Terminal


def cells(app: Terminal) -> list[list[tuple[str, str, str, bool]]]:
    """Every cell of the screen with its colours."""
    screen = app.screen
    return [
        [(c.data, c.fg, c.bg, c.bold) for c in (screen.buffer[y][x] for x in range(screen.columns))]
        for y in range(screen.lines)
    ]


def test_the_screen_is_the_one_that_a_repaint_makes(terminal: Any) -> None:
    app = terminal("linear3", "--epochs", "20", "--pace", "2", "--normalize", "zscore", columns=160, rows=45)
    app.see("Ready")
    app.wait(lambda: "looking for devices" not in app.text, "the devices")
    app.send("3jjjk")
    app.see("▸momentum")
    app.send(" ")
    app.see("training", "steps/s")
    app.see("done", "optimum")
    app.wait(lambda: not app.read(0.5), "rest")
    before = cells(app)
    app.send("?")
    app.see("Esc")
    app.wait(lambda: cells(app) != before, "the help")
    app.send("\x1b")
    app.wait(lambda: cells(app) == before, "the same screen as before")


def told(app: Terminal) -> list[str]:
    """The notification that lies over the panes."""
    return [line.partition("▌")[2][:40] for line in app.lines if "▌" in line]


def test_what_lies_over_a_pane_stays_there(terminal: Any) -> None:
    app = terminal("--pace", "600", columns=100, rows=30)
    app.see("Ready")
    app.send(" ")
    app.see("training", "step ")
    app.send("c")
    app.see("Copied", "ravine train", "Also in")

    def step() -> int:
        return int(re.findall(r"step (\d+) of", app.text)[0])

    first = step()
    app.wait(lambda: step() > first)  # the notification has been drawn as a whole
    before, seen = told(app), step()
    assert len(before) >= 5
    for _ in range(4):  # the run goes on under it
        app.wait(lambda seen=seen: step() > seen)  # type: ignore[misc]
        seen = step()
        assert told(app) == before


def test_a_notification_survives_a_change_of_the_layout(terminal: Any) -> None:
    app = terminal(columns=100, rows=30)
    app.see("Ready")
    app.send("c")
    app.see("Copied", "ravine train")
    app.send("2")  # another panel unfolds
    app.see("▸(•) z-score")
    assert "ravine train" in "".join(told(app))
