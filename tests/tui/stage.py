"""A machine that is the same everywhere, and the screen once it has come to rest."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tui.conftest import Driver
from tests.tui.pictures import exported, plain
from tests.tui.scenes import DEVICES

SAME = 12  # looks at a screen that must not differ before it has come to rest
BUSY = ("looking…", "preparing", "reading", "loading…", "looking for devices")


def make_alike(patch: pytest.MonkeyPatch) -> None:
    """Give every machine the same devices, and all colours."""
    import engine.devices

    patch.setattr(engine.devices, "probe", lambda: DEVICES)
    patch.delenv("NO_COLOR", raising=False)


def told(driver: Driver, folder: Path, *, drawn: bool = False) -> str:
    """A picture of the screen without what differs from machine to machine."""
    driver.app.clear_notifications()
    picture = re.sub(r"\d{8}-\d{6}", "20260102-030405", exported(driver.app, drawn=drawn))
    picture = re.sub(r"\d{4}-\d\d-\d\d(&#160;| )\d\d:\d\d:\d\d", r"2026-01-02\g<1>03:04:05", picture)
    return re.sub(r"ravine \d+\.\d+\.\d+", "ravine 0.0.0", picture).replace(str(folder), "/home/ada")


async def settled(driver: Driver, folder: Path) -> str:
    """The picture once the screen has come to rest."""
    before, same = "", 0
    while same < SAME:
        await driver.pilot.pause(0.05)
        now = told(driver, folder)
        busy = any(word in plain(now) for word in BUSY)
        same = same + 1 if now == before and not busy else 0
        before = now
    return before
