"""Names in any script: columns stay where they are, whatever the widths of the letters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

NAMES = ("面积", "房龄", "e\u030atagé", "🏠类型", "שכונה", "价格", '"tab\tname"', "a\u202ertl", "❤\ufe0fok")
FLAT, HOUSE = "公寓", "别墅👨\u200d👩\u200d👧"
TOWNS = ("מרכז", "צפון", "ก็ดี")


def table(folder: Path) -> Path:
    """A table whose names are Chinese, Hebrew and Thai, with combining marks, joined emoji, a tab and a turned text."""
    lines = [",".join(NAMES)]
    for n in range(40):
        kind, town = (FLAT, HOUSE)[n % 2], TOWNS[n % 3]
        lines.append(
            f"{60 + n * 7 % 41}.{n},{n * 5 % 17},{n % 7},{kind},{town},{100 + n * 11 % 97},{n % 5},{n % 4},{n % 9}"
        )
    path = folder / "表.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def crooked(app: Any) -> list[str]:
    """The lines between the bars whose frame does not stand at both edges, as a terminal shows them."""
    screen = app.screen
    found = []
    for y in range(1, screen.lines - 5):
        first, last = screen.buffer[y][0].data, screen.buffer[y][screen.columns - 1].data
        if first not in "╭│╰" or last not in "╮│╯":
            found.append(app.lines[y])
    return found


@pytest.mark.parametrize(("columns", "rows"), [(160, 45), (120, 36)])
def test_frames_and_columns_stand_straight_on_every_screen(
    terminal: Any, tmp_path: Path, columns: int, rows: int
) -> None:
    table(tmp_path)
    app = terminal("表.csv", "--target", "价格", "--epochs", "50", "--pace", "max", columns=columns, rows=rows)
    app.see("Ready", "4 Device")
    app.send(" ")
    app.see("done", "50 steps", "weights")
    app.wait(lambda: not crooked(app), "straight frames on the train screen")
    for key, seen in (("d", "column report"), ("p", "from raw values"), ("r", " in runs")):
        app.send(key)
        app.see(seen, "表")
        app.wait(lambda: not crooked(app), f"straight frames after {key}")
    app.send("d")
    app.see("column report", "שכונה", "tab name")
    app.wait(lambda: len(types(app)) >= 9, "the types of the columns")
    assert len(set(types(app))) == 1, "the types do not stand in one column"
    app.send("q")
    assert app.ended() == 0


def types(app: Any) -> list[int]:
    """The cells in which the types of the columns begin, line by line; the report stands in the right half."""
    screen, found = app.screen, []
    for y in range(screen.lines):
        row = [screen.buffer[y][x].data for x in range(screen.columns)]
        for kind in ("numeric ", "categorical "):
            if row[0] == "│":
                found += [x for x in range(len(row) // 2) if row[x : x + len(kind)] == list(kind)][:1]
    return found
