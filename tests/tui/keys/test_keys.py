"""The key table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tui.keys.keymap import KeyTable
from tui.keys.situation import Situation
from tui.keys.table import GROUPS, KEYS

FIXED = {
    "space": "run.toggle", "s": "run.step", "x": "run.stop", "left_square_bracket": "rate.down",
    "right_square_bracket": "rate.up", "less_than_sign": "pace.slower", "greater_than_sign": "pace.faster",
    "1": "go.panel1", "2": "go.panel2", "3": "go.panel3", "4": "go.panel4", "t": "go.train", "d": "go.data",
    "r": "go.runs", "p": "go.predict", "l": "chart.log_y", "L": "chart.log_x", "e": "chart.smooth", "plus": "chart.in",
    "minus": "chart.out", "0": "chart.reset", "c": "app.copy", "f": "run.remedy", "question_mark": "app.help",
    "f1": "app.help", "ctrl+p": "app.palette", "q": "app.quit", "ctrl+c": "app.interrupt", "ctrl+z": "app.suspend",
}  # fmt: skip


def test_the_fixed_keys_do_what_the_design_says() -> None:
    by_key = {name: key.id for key in reversed(KEYS) for name in key.keys.split(",")}
    assert {key: by_key.get(key) for key in FIXED} == FIXED


def test_ids_are_unique_and_each_is_in_one_group_of_the_help() -> None:
    assert len({key.id for key in KEYS}) == len(KEYS)
    for key in KEYS:
        assert sum(key.id.startswith(prefixes) for _, prefixes in GROUPS) == 1, key.id


def test_only_portable_keys_are_used() -> None:
    allowed = re.compile(
        r"[a-zA-Z0-9]|f\d0?|ctrl\+[abcdefgklnopqrstuvwxyz]|(shift\+)?tab|enter|escape|space|up|down|left|right|home|"
        r"end|pageup|pagedown|backspace|delete|plus|minus|equals_sign|question_mark|(left|right)_square_bracket|"
        r"less_than_sign|greater_than_sign|slash|comma|full_stop"
    )
    for key in KEYS:
        assert all(allowed.fullmatch(name) for name in key.keys.split(",")), key.keys


def test_nothing_is_bound_twice_and_a_keymap_that_does_so_is_told() -> None:
    assert KeyTable().conflicts() == []
    found = KeyTable({"run.step": "x", "no.such": "y"}).conflicts()
    assert any("run.step" in sentence and "run.stop" in sentence for sentence in found)
    assert "keys.toml: there is nothing called no.such; the README lists what there is." in found


def test_a_keymap_is_read_as_a_person_writes_it() -> None:
    table = KeyTable({"run.toggle": "F5, Ctrl+G", "run.stop": "]", "run.step": "Esc", "chart.log_y": ","})
    assert table.keymap == {
        "run.toggle": "f5,ctrl+g", "run.stop": "right_square_bracket", "run.step": "escape", "chart.log_y": "comma"
    }  # fmt: skip
    assert ("F5", "run") in table.footer(Situation())
    assert ("]", "stop") in table.footer(Situation(phase="training"))
    assert "keys.toml: ] is given to both run.stop and rate.up." in table.conflicts()


@pytest.mark.parametrize("key", ["ctrl+shift+q", "ctrl+i", "alt+x", "f13", "spacebar", "ctrl+1"])
def test_a_key_that_terminals_do_not_send_is_told_and_the_old_one_stays(key: str) -> None:
    table = KeyTable({"chart.log_y": key})
    assert table.conflicts() == [f"keys.toml: chart.log_y stays where it is, for terminals do not send {key}."]
    assert table.keymap == {}


def test_a_misspelt_id_is_told_with_what_was_meant() -> None:
    assert KeyTable({"run.togle": "g"}).conflicts() == [
        "keys.toml: there is nothing called run.togle, perhaps run.toggle."
    ]


@pytest.mark.parametrize(
    ("now", "shown", "hidden"),
    [
        (Situation(), {"run", "step", "help", "quit", "data"}, {"pause", "stop", "apply remedy", "log y", "train"}),
        (Situation(phase="training"), {"pause", "stop", "log y"}, {"run", "step", "go on"}),
        (Situation(phase="paused"), {"go on", "stop", "step"}, {"pause", "run"}),
        (Situation(phase="ended", remedy=True), {"run", "apply remedy"}, {"stop", "pause"}),
        (Situation(blocked="no target"), {"help", "quit"}, {"run", "step", "rate"}),
        (Situation(screen="runs"), {"train", "back"}, {"runs", "open", "copy command"}),
        (Situation(editing=True), {"take it"}, {"run", "quit"}),
    ],
)
def test_the_footer_shows_what_does_something_now(now: Situation, shown: set[str], hidden: set[str]) -> None:
    words = {word for _, word in KeyTable().footer(now)}
    assert shown <= words
    assert not hidden & words


def test_a_key_that_was_moved_is_shown_where_it_is() -> None:
    footer = KeyTable({"run.toggle": "g"}).footer(Situation())
    assert ("g", "run") in footer


async def test_what_is_wrong_with_a_keymap_is_told_at_the_start(drive: Any) -> None:
    async with drive(keymap={"run.togle": "g", "run.step": "x"}) as driver:
        told = [one.text for one in driver.app.journal.told]
        assert "keys.toml: there is nothing called run.togle, perhaps run.toggle." in told
        assert "keys.toml: x is given to both run.step and run.stop." in told


async def test_a_moved_key_acts_and_its_old_place_does_not(drive: Any) -> None:
    async with drive(keymap={"go.runs": "g"}) as driver:
        await driver.press("r")
        assert driver.app.current_mode == "train"
        await driver.press("g")
        await driver.until(lambda: driver.app.current_mode == "runs")


async def test_every_action_of_the_table_exists(drive: Any) -> None:
    from tui.watch.screen import WatchScreen
    from tui.widgets.panel import Panel

    async with drive() as driver:
        app = driver.app
        train = app.screen
        nodes = {
            "app": [app], "train": [train], "panel": [train.query(Panel).first()], "list": [train.query(Panel).first()],
            "chart": [train.chart],
        }  # fmt: skip
        nodes["watch"] = [WatchScreen]
        for mode in ("runs", "predict", "data", "evaluate", "code", "finder", "log", "race"):
            app.action_assess() if mode == "evaluate" else app.action_go(mode)
            await driver.until(lambda mode=mode: app.current_mode == mode and app.screen.is_mounted)
            nodes[mode] = [app.screen, app.focused]
        nodes["curves"] = [app.screen]
        for key in KEYS:
            name = key.action.rpartition(".")[2].partition("(")[0]
            owners = [app] if key.action.startswith("app.") else nodes[key.place]
            assert any(hasattr(owner, f"action_{name}") for owner in owners), key.id


def test_keys_come_from_a_file_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.base.errors import InputError
    from tui.app.launch import own_keys

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert own_keys() == {}
    (tmp_path / "ravine").mkdir()
    (tmp_path / "ravine" / "keys.toml").write_text('"run.toggle" = "g"\n')
    assert own_keys() == {"run.toggle": "g"}
    (tmp_path / "ravine" / "keys.toml").write_text('run.toggle = "g"\n')
    with pytest.raises(InputError, match="dots need quotes"):
        own_keys()
