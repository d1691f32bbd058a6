"""The log screen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tui.screens.log import said, tail
from tui.terminal.writer import Traffic


async def test_what_was_told_stays_to_be_read_with_its_time(drive: Any) -> None:
    async with drive() as driver:
        await driver.press(">")
        await driver.press("G")
        await driver.until(lambda: driver.app.current_mode == "log")
        await driver.see("Pace: a run is spread over", pane="told")
        assert re.search(r"\d\d:\d\d:\d\d  Pace", driver.text("told"))
        await driver.press("escape")
        await driver.until(lambda: driver.app.current_mode == "train")


async def test_the_log_of_the_run_is_there_and_scrolls(drive: Any) -> None:
    async with drive(size=(80, 24), values={"pace": "max"}) as driver:
        await driver.press("space")
        await driver.done()
        await driver.press("G")
        log = driver.app.workspace.snapshot.run / "log.txt"
        last = log.read_text().splitlines()[-1]
        await driver.until(lambda: last[:40] in driver.text("log-lines"), last)
        with log.open("a") as file:
            file.writelines(f"line {number}\n" for number in range(200))
        await driver.until(lambda: "line 199" in driver.text("log-lines"), "the newest line")
        await driver.press("pageup")
        await driver.until(lambda: "line 199" not in driver.text("log-lines"), "older lines")
        await driver.press("end")
        await driver.until(lambda: "line 199" in driver.text("log-lines"), "the newest line")


async def test_what_looks_like_markup_is_shown_as_it_is(drive: Any) -> None:
    async with drive() as driver:
        driver.app.notify("The column [red]price[/] and [/oops] is odd.")
        await driver.press("G")
        await driver.see("The column [red]price[/] and [/oops] is odd.", pane="told")


async def test_without_a_line_it_says_so(drive: Any) -> None:
    async with drive() as driver:
        await driver.press("G")
        await driver.until(lambda: driver.app.current_mode == "log")
        await driver.press("v")
        await driver.see("There is no line to a terminal here.", pane="told")


def test_what_a_line_carries_in_words() -> None:
    before = Traffic(1_000, 10, 0, 0, 0.004)
    now = Traffic(6_000, 30, 3, 2_000, 0.25)
    assert said(before, now, 2.0) == (
        "The line: 2.5 kB/s · 10.0 pictures/s · 6.0 kB sent in all · the terminal took the last picture in 250 ms · "
        "2.0 kB wait · 3 pictures left out while it took nothing."
    )


def test_only_the_end_of_a_long_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("".join(f"line {number}\n" for number in range(100_000)))
    found = tail(path).splitlines()
    assert found[-1] == "line 99999"
    assert found[0].startswith("line ")
    assert len(found) < 20_000
    assert tail(tmp_path / "none") == ""
