"""Every screen in every state, at three sizes, against the picture that is kept of it.

`pytest tests/tui/test_snapshots.py --update-snapshots` draws the kept pictures anew; look at them before they are
committed. They show no times, no paths of a machine and no versions.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import pytest

from tests.tui.pictures import plain
from tests.tui.scenes import SCENES, SIZES, Scene
from tests.tui.stage import make_alike, settled, told

KEPT = Path(__file__).parent / "snapshots"
WATCHED = ("watch",)  # of another app, see test_watch_screen.py


@pytest.fixture(autouse=True)
def alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """See `make_alike`."""
    make_alike(monkeypatch)


def difference(kept: str, now: str, name: str) -> str:
    """Where two pictures differ, in words; in SVG where the words are the same."""
    old, new = plain(kept).splitlines(), plain(now).splitlines()
    if old == new:
        old, new = kept.splitlines(), now.splitlines()
    lines = difflib.unified_diff(old, new, f"{name}, as kept", f"{name}, as it is", lineterm="", n=1)
    return "\n".join(list(lines)[:80])


async def compared(driver: Any, name: str, folder: Path, *, update: bool) -> list[str]:
    """Where the screen differs from what was kept of it at each size, in words."""
    differing = []
    for width, height in SIZES:
        await driver.pilot.resize_terminal(width, height)
        await driver.until(lambda size=(width, height): tuple(driver.app.screen.size) == size, "the size")
        path = KEPT / f"{name}-{width}x{height}.svg"
        kept = path.read_text(encoding="utf-8") if path.exists() and not update else ""
        if update:
            KEPT.mkdir(exist_ok=True)
            path.write_text(await settled(driver, folder), encoding="utf-8")
        elif not kept:
            differing.append(f"There is no {path}; --update-snapshots draws it.")
        else:
            try:
                await driver.until(lambda kept=kept: told(driver, folder) == kept, path.name)
            except AssertionError:
                differing.append(difference(kept, told(driver, folder), path.name))
    return differing


@pytest.mark.parametrize("name", SCENES)
async def test_the_screen_looks_as_it_was_kept(
    drive: Any, tmp_path: Path, name: str, request: pytest.FixtureRequest
) -> None:
    scene: Scene = SCENES[name]
    scene.write(tmp_path)
    async with drive(size=SIZES[0], values=scene.values, opener=scene.opener) as driver:
        await scene.play(driver)
        update = request.config.getoption("--update-snapshots")
        differing = await compared(driver, name, tmp_path, update=update)
    assert not differing, "\n\n".join(differing)


def test_no_picture_is_kept_of_a_screen_that_is_not_shown() -> None:
    wanted = {f"{name}-{width}x{height}.svg" for name in (*SCENES, *WATCHED) for width, height in SIZES}
    assert {path.name for path in KEPT.glob("*.svg")} == wanted
