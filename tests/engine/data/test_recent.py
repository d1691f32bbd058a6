"""Files used last."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.data.recent import recent, remember


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))


def test_newest_first_without_repeats_and_only_what_is_there(tmp_path: Path) -> None:
    assert recent() == ()
    paths = [tmp_path / f"{name}.csv" for name in "abc"]
    for path in paths:
        path.write_text("a\n1\n")
        remember(path)
    remember(paths[0])
    assert recent() == (paths[0], paths[2], paths[1])
    paths[2].unlink()
    assert recent() == (paths[0], paths[1])


def test_a_broken_memory_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    remember(path)
    found = next(tmp_path.rglob("recent.json"))
    for rubbish in ("{", "3", "[1, null]", ""):
        found.write_text(rubbish)
        assert recent() == ()
    remember(path)
    assert recent() == (path,)
