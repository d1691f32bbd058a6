"""Every screen in every state, at three sizes, against the picture that is kept of it.

`pytest tests/tui/test_snapshots.py --update-snapshots` draws the kept pictures anew; look at them before they are
committed. They show no times, no paths of a machine and no versions. Where a screen differs, both pictures stand side
by side on a page in `.pytest_cache/pictures/`.
"""

from __future__ import annotations

import difflib
import re
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.tui.pictures import page, plain
from tests.tui.scenes import SCENES, SIZES, Scene
from tests.tui.stage import make_alike, settled, told

KEPT = Path(__file__).parent / "snapshots"
PAGES = ROOT / ".pytest_cache" / "pictures"
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


def shown(path: Path, kept: str, now: str) -> str:
    """Where a picture differs from the one that is kept at a path, in words and as a page."""
    words = difference(kept, now, path.name) if kept else f"There is no {path}; --update-snapshots draws it."
    PAGES.mkdir(parents=True, exist_ok=True)
    file = PAGES / f"{path.stem}.html"
    file.write_text(page(path.stem, kept, now, words), encoding="utf-8")
    return f"{words}\nSide by side: {file.as_uri()}"


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
            differing.append(shown(path, "", await settled(driver, folder)))
        else:
            try:
                await driver.until(lambda kept=kept: told(driver, folder) == kept, path.name)
            except AssertionError:
                differing.append(shown(path, kept, told(driver, folder)))
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


def test_a_picture_that_differs_is_shown_beside_the_kept_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "PAGES", tmp_path / "pages")
    path = min(KEPT.glob("*.svg"))
    kept = path.read_text(encoding="utf-8")
    now = kept.replace("ravine", "<b>rapids</b>".replace("<", "&lt;"))
    told_of = shown(path, kept, now)
    written = (tmp_path / "pages" / f"{path.stem}.html").read_text(encoding="utf-8")
    assert (tmp_path / "pages" / f"{path.stem}.html").as_uri() in told_of
    pictures = [b64decode(data).decode() for data in re.findall(r"base64,([^\"]*)", written)]
    assert kept != now
    assert pictures == [kept, now]
    assert "<b>rapids" in told_of
    assert "<b>rapids" not in written

    assert "--update-snapshots" in shown(tmp_path / "new.svg", "", now)
    assert "There is none." in (tmp_path / "pages" / "new.html").read_text(encoding="utf-8")
