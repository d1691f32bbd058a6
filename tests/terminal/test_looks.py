"""Terminals without colours, and without Unicode: what is sent, byte for byte."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

# Select Graphic Rendition (ECMA-48, 8.3.117): 30-37, 90-97 and 38 are colours of the text, 40-47, 100-107 and 48 those
# of the ground; 39 and 49 set them back.
SGR = re.compile(rb"\x1b\[([0-9;:]*)m")
ROOMS = (  # a key, and what is on the screen after it
    ("d", "columns of houses"), ("r", "houses_zscore"), ("p", "  predict   houses"), ("a", "metric"),
    ("G", "log of the run"), ("?", "Start a run with"), ("t", "4 Device"), ("L", "log x"),
    ("\x10", "Search for commands"),
)  # fmt: skip


def colours(raw: bytes) -> set[bytes]:
    """The colours in what was sent."""
    found = {part for match in SGR.finditer(raw) for part in re.split(b"[;:]", match.group(1))}
    return {part for part in found if re.fullmatch(rb"3[0-9]|4[0-9]|9[0-7]|10[0-7]|58|59", part)}


def visit(app: Any) -> None:
    """Train, and go through the screens."""
    app.see("Ready", "4 Device")
    app.send(" ")
    app.see("done", "1,000 steps")
    for keys, seen in ROOMS:
        app.send(keys)
        app.see(seen)
    app.send("\x1b")
    app.wait(lambda: "Search for commands" not in app.text, "the train screen")


def test_no_color_sends_no_colour_and_the_line_under_the_cursor_is_reversed(terminal: Any) -> None:
    app = terminal(NO_COLOR="1")
    visit(app)
    assert colours(bytes(app.raw)) == set()
    row = next(y for y, line in enumerate(app.lines) if "▸(•) houses" in line)
    column = app.lines[row].index("houses")
    assert app.screen.buffer[row][column].reverse
    assert not app.screen.buffer[row + 1][column].reverse
    assert any(cell.bold for cell in app.screen.buffer[0].values()), "nothing stands out in the top line"
    app.send("q")
    assert app.ended() == 0


def test_an_empty_no_color_means_nothing(terminal: Any) -> None:
    app = terminal(NO_COLOR="")
    app.see("Ready")
    assert app.screen.buffer[0][1].fg == "e8b04b", "the accent, not a grey"
    app.send("q")
    assert app.ended() == 0


def test_ascii_draws_nothing_else(terminal: Any) -> None:
    app = terminal("--ascii")
    visit(app)
    assert max(app.raw) < 128
    assert "+- 1 Dataset -" in app.text
    assert ">(o) houses" in app.text
    app.send("q")
    assert app.ended() == 0


@pytest.mark.parametrize(
    ("name", "value"), [("LC_ALL", "C"), ("LANG", "C"), ("LANG", "en_US.ISO-8859-1"), ("LC_ALL", "POSIX")]
)
def test_a_locale_without_utf_8_gets_ascii(terminal: Any, name: str, value: str) -> None:
    app = terminal(**{name: value})
    app.see("Ready", "+- 1 Dataset -")
    assert max(app.raw) < 128
    app.send("q")
    assert app.ended() == 0


@pytest.mark.parametrize("more", [{"LANG": ""}, {"LANG": "C", "LC_ALL": "de_CH.UTF-8"}, {"LC_CTYPE": "UTF-8"}])
def test_a_locale_with_utf_8_or_none_at_all_gets_unicode(terminal: Any, more: dict[str, str]) -> None:
    app = terminal(**more)
    app.see("Ready", "╭─ 1 Dataset")
    app.send("q")
    assert app.ended() == 0


def test_names_in_any_script_are_shown_as_far_as_ascii_goes(terminal: Any, tmp_path: Path) -> None:
    rows = "\n".join(f"{n},{n * n},Zürich" for n in range(1, 30))
    (tmp_path / "orte.csv").write_text(f"größe,价格,ort\n{rows}\n", encoding="utf-8")
    app = terminal("orte.csv", "--target", "价格", "--ascii")
    app.see("Ready", "grose")
    app.send("d")
    app.see("????", "Zurich")
    assert max(app.raw) < 128
    app.send("q")
    assert app.ended() == 0


def test_a_theme_is_chosen_by_name_and_an_unknown_one_is_one_sentence(terminal: Any) -> None:
    app = terminal("--theme", "high-contrast")
    app.see("Ready")
    assert app.screen.buffer[1][3].bg == "000000"
    app.send("q")
    assert app.ended() == 0
    app = terminal("--theme", "pink")
    assert app.ended() == 2
    words = " ".join(app.text.split())
    assert "There is no theme called pink. Themes: ravine, high-contrast, colour-blind-safe" in words


@pytest.mark.parametrize("flag", ["--plain", "--json"])
def test_what_needs_no_screen_is_told_of_its_command(terminal: Any, flag: str) -> None:
    app = terminal("houses", flag)
    assert app.ended() == 2
    assert f"{flag} is for training without a screen: ravine train" in " ".join(app.text.split())
