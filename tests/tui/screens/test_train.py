"""The train screen: everything a person does there, by keyboard only, with a real engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from textual import events

from engine.telemetry.nvidia import GpuSample
from engine.telemetry.sampler import Sample
from tests.tui.still import Opener

SIZES = [(160, 45), (120, 36), (80, 24)]


@pytest.mark.parametrize("size", SIZES)
async def test_a_stranger_presses_space_and_sees_a_curve(drive: Any, size: tuple[int, int]) -> None:
    async with drive(size=size, values={"pace": "max"}) as driver:
        await driver.see("Press space to train.", pane="chart")
        await driver.see("Ready: 7 rows; size, age → price.", pane="messages")
        await driver.press("space")
        await driver.done()
        await driver.see("done", "1,000 steps", pane="top")
        await driver.see("optimum 6.1028", "log y", "train", pane="chart")
        assert any("⠀" < c <= "⣿" for c in driver.text("chart"))


async def test_the_panels_show_what_normalization_does(drive: Any) -> None:
    async with drive() as driver:
        await driver.see("κ 141,217 · lr < 0.00123", "4.57 · lr < 0.711", "(•) z-score", pane="panel2")
        await driver.see("0.355 < 0.711 auto", pane="panel3")
        await driver.press("2", "up", "up", "up", "enter")
        await driver.see("(•) none", pane="panel2")
        await driver.see("0.000616 < 0.00123 auto", pane="panel3")
        await driver.see("not normalized", pane="top")


async def test_weights_and_fit_come_from_the_run(drive: Any) -> None:
    async with drive(values={"pace": "max"}) as driver:
        await driver.see("appear with the first step", pane="weights")
        await driver.press("space")
        await driver.done()
        await driver.see("size", "30.221", "3.0610", "-22.979", "bias", pane="weights")
        await driver.see("price: predicted ↑ actual →", "•", pane="fit")


async def test_pause_step_and_stop(drive: Any) -> None:
    async with drive(values={"pace": "60"}) as driver:
        await driver.press("space")
        await driver.see("● training", pane="top")
        await driver.see("pause", "stop", pane="keys")
        await driver.press("space")
        await driver.see("paused", pane="top")
        await driver.see("go on", pane="keys")
        before = driver.app.workspace.snapshot.step
        await driver.press("s")
        await driver.until(lambda: driver.app.workspace.snapshot.step == before + 1)
        assert driver.app.workspace.phase == "paused"
        await driver.press("space")
        await driver.see("● training", pane="top")
        await driver.press("x")
        await driver.done()
        await driver.see("Stopped at step", pane="messages")


async def test_s_begins_a_run_with_one_step(drive: Any) -> None:
    async with drive() as driver:
        await driver.press("s")
        await driver.until(lambda: driver.app.workspace.phase == "paused" and driver.app.workspace.snapshot.step == 1)


async def test_the_learning_rate_moves_while_training_and_is_marked(drive: Any) -> None:
    async with drive(values={"pace": "60", "lr": 0.1}) as driver:
        await driver.press("space")
        await driver.see("● training", pane="top")
        await driver.press("right_square_bracket")
        await driver.see("lr 0.1259", pane="top")
        await driver.see("0.1259 < 0.711", pane="panel3")
        await driver.press("left_square_bracket", "left_square_bracket")
        await driver.until(lambda: len(driver.app.workspace.snapshot.marks) >= 2)
        await driver.see("┆", pane="chart")
        assert driver.app.workspace.recipe.optimizer.lr == pytest.approx(0.1 * 10**-0.1, rel=1e-3)


@pytest.mark.parametrize("lr", ["auto", 0.1])
async def test_the_learning_rate_moves_by_the_same_share_under_a_schedule(drive: Any, lr: Any) -> None:
    values = {"dataset": "linear3", "batch_size": 10, "steps": 1000, "schedule": "cosine", "lr": lr, "pace": "10"}
    async with drive(values=values) as driver:
        workspace = driver.app.workspace
        await driver.press("space")
        await driver.until(lambda: workspace.snapshot is not None and workspace.snapshot.step > 300)
        await driver.press("space")
        await driver.until(lambda: workspace.phase == "paused")
        before = workspace.snapshot
        for _ in range(2):
            await driver.press("right_square_bracket")
        await driver.press("s")
        await driver.until(lambda: workspace.snapshot.step == before.step + 1)
        assert workspace.snapshot.lr == pytest.approx(before.lr * 10**0.2, rel=0.01)


async def test_the_learning_rate_moves_before_a_run(drive: Any) -> None:
    async with drive() as driver:
        await driver.press("left_square_bracket")
        await driver.until(lambda: driver.app.workspace.recipe.optimizer.lr == pytest.approx(0.2823, rel=1e-3))


async def test_a_choice_that_is_not_live_is_for_the_next_run(drive: Any) -> None:
    async with drive(values={"pace": "60"}) as driver:
        await driver.press("space")
        await driver.see("● training", pane="top")
        await driver.press("2", "up", "enter")
        await driver.until(lambda: driver.app.workspace.recipe.normalization.normalize == "minmax")
        await driver.see("z-score", pane="top")
        assert driver.app.workspace.run.recipe.normalization.normalize == "zscore"
        await driver.see(
            "Next run: normalization minmax.", "n ends and keeps this one, and begins that.", pane="messages"
        )
        await driver.see("new run with it", pane="keys")
        first = driver.app.workspace.snapshot.run
        await driver.press("n")
        await driver.until(lambda: driver.app.workspace.snapshot.run not in (None, first), "the new run")
        await driver.see("min-max", pane="top")
        assert "Next run" not in driver.text("messages")
        assert (first / "model.safetensors").exists()


async def test_divergence_is_explained_and_f_takes_the_remedy(drive: Any) -> None:
    async with drive(values={"pace": "max", "normalize": "none", "lr": 0.5}) as driver:
        await driver.see("0.5 ≥ 0.00123", pane="panel3")
        await driver.press("space")
        await driver.done()
        await driver.see("diverged", pane="top")
        await driver.see("f  zscore normalization, and start again", pane="chart")
        await driver.see("apply remedy", pane="keys")
        await driver.press("f")
        await driver.until(lambda: "zscore" in str(driver.app.workspace.snapshot.run))
        await driver.done()
        assert driver.app.workspace.snapshot.ending.reason == "limit"


async def test_a_number_is_checked_while_it_is_typed(drive: Any) -> None:
    async with drive() as driver:
        await driver.press("3", "enter")
        await driver.press("minus", "1")
        await driver.see("Learning rate (--lr) is -1, but must be auto or a number above 0", pane="messages")
        editor = driver.app.focused
        assert editor.has_class("bad")
        await driver.press("enter")
        assert driver.app.focused is editor, "what cannot be taken must not be taken"
        await driver.press("escape")
        assert driver.app.workspace.recipe.optimizer.lr == "auto"
        await driver.press("enter", "0")
        await driver.type(".25")
        assert not driver.app.focused.has_class("bad")
        await driver.press("enter")
        await driver.until(lambda: driver.app.workspace.recipe.optimizer.lr == 0.25)
        await driver.press("backspace")
        await driver.until(lambda: driver.app.workspace.recipe.optimizer.lr == "auto")


@pytest.mark.parametrize("size", [(160, 45), (80, 24)])
async def test_keys_that_come_fast_are_all_obeyed(drive: Any, size: tuple[int, int]) -> None:
    async with drive(size=size) as driver:
        await driver.pilot.press("3", "enter", "0", "full_stop", "2", "enter")
        await driver.until(lambda: driver.app.workspace.recipe.optimizer.lr == 0.2)


async def test_another_table_for_the_next_run_is_told_without_the_columns_of_this_one(
    drive: Any, tmp_path: Any
) -> None:
    write_table(tmp_path / "sales.csv", 50)
    async with drive(values={"dataset": "sales.csv", "target": "price", "pace": "60"}) as driver:
        await driver.press("space")
        await driver.see("● training", pane="top")
        for _ in range(10):
            await driver.press("down")
            if "▸( ) scales" in driver.text("panel1"):
                break
        await driver.press("enter")
        await driver.see("Next run: dataset scales. n ends", pane="messages")


async def test_the_rate_and_its_limit_are_whole_on_a_small_screen(drive: Any) -> None:
    async with drive(size=(80, 24)) as driver:
        await driver.press("3")
        await driver.see("▸rate", "0.355 < 0.711", pane="panel3")


async def test_letters_go_into_a_field_while_it_is_edited(drive: Any) -> None:
    async with drive() as driver:
        await driver.press("3", "enter")
        await driver.type("q space x")
        assert driver.app.focused.value == "q space x"
        assert driver.app.workspace.phase == "none"
        await driver.see("take it", pane="keys")


async def test_letters_go_into_a_path_while_it_is_typed(drive: Any) -> None:
    async with drive() as driver:
        await driver.press("1", "up", "enter")
        await driver.type("q space x")
        assert driver.app.focused.value == "q space x"
        assert driver.app.workspace.phase == "none"


async def test_words_unfold_and_fold(drive: Any) -> None:
    async with drive() as driver:
        await driver.press("3", "down", "enter")
        await driver.see("( ) sgd", pane="panel3")
        await driver.press("escape")
        assert "( ) sgd" not in driver.text("panel3")
        await driver.press("enter", "down", "enter")
        await driver.until(lambda: driver.app.workspace.recipe.optimizer.optimizer != "auto")
        await driver.press("backspace")
        await driver.until(lambda: driver.app.workspace.recipe.optimizer.optimizer == "auto")


async def test_a_column_is_looked_for_while_it_is_typed(drive: Any) -> None:
    async with drive(values={"dataset": "houses"}) as driver:
        while not driver.text("messages").count("The columns to learn from"):
            await driver.press("down")
        await driver.press("enter")
        await driver.type("size,ag")
        await driver.see("There is no column ag in houses; age is the nearest name.", pane="messages")
        assert driver.app.focused.has_class("bad")
        await driver.type("e")
        await driver.until(lambda: not driver.app.focused.has_class("bad"), "the mark to go")
        await driver.press("enter")
        await driver.until(lambda: driver.app.workspace.recipe.data.features == ("size", "age"))


@pytest.mark.parametrize("size", SIZES)
async def test_every_field_is_explained_in_full_with_its_bounds_and_default(drive: Any, size: tuple[int, int]) -> None:
    from engine.recipe import choices

    fields = [c for c in choices() if c.section in ("optimizer", "stopping", "model", "recording")]
    async with drive(size=size) as driver:
        await driver.press("3")
        told = []
        for _ in fields:
            told.append(" ".join(driver.text("messages").split()))
            assert "default" in driver.text("keys"), "the key that sets a field back"
            await driver.press("down")
        for choice in fields:
            words = choice.help.rstrip(".")
            assert any(words in one and "Default: " in one for one in told), (choice.label, told)
        assert any("(seconds). Default: " in one for one in told)


async def test_a_label_is_not_covered_by_what_is_typed(drive: Any) -> None:
    async with drive(size=(80, 24)) as driver:
        await driver.press("3", "pagedown", "enter")
        await driver.type("0.25")
        await driver.see("take it", pane="keys")
        editor = driver.app.focused
        assert editor.label == "gradient clip"
        line = driver.app.screen.query_one("#panel3").render_line(int(editor.styles.offset.y.value)).text
        assert line[: int(editor.styles.offset.x.value)].rstrip().endswith("…"), line


@pytest.mark.parametrize("size", SIZES)
async def test_a_table_without_a_target_leads_to_its_columns(drive: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    write_table(tmp_path / "sales.csv", 60)
    async with drive(size=size, values={"dataset": "sales.csv", "pace": "max"}) as driver:
        await driver.see("Panel 1 lists the columns: ↑ ↓ move", pane="chart")
        await driver.see("▸  ( ) price", pane="panel1")
        await driver.press("space")
        assert driver.app.workspace.phase == "none"
        await driver.press("enter")
        await driver.see("→ price", pane="messages")
        await driver.press("space")
        await driver.done()


def write_table(path: Path, rows: int = 10_000) -> np.ndarray:
    random = np.random.default_rng(5)
    x = random.normal(size=(rows, 3)) * [1.0, 40.0, 0.2] + [3.0, 500.0, 1.0]
    y = x @ [2.0, -0.3, 7.0] + 11.0 + 0.1 * random.normal(size=rows)
    table = np.column_stack([x, y])
    lines = ["width,weight,depth,price", *(",".join(f"{v:.12g}" for v in row) for row in table)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return table


async def test_a_table_of_ones_own_from_cold_in_eight_keys(drive: Any, tmp_path: Path) -> None:
    write_table(tmp_path / "sales.csv")
    async with drive(values={"pace": "max", "batch_size": "full"}) as driver:
        await driver.press("up", "enter")
        await driver.type("sales.csv")
        await driver.press("enter")
        await driver.see("▸  ( ) price", pane="panel1")
        await driver.press("enter")
        await driver.see("Ready: 10,000 rows, 2,000 of them for validation; width, weight, depth → price")
        await driver.press("space")
        await driver.done()
        await driver.see("validation", pane="chart")
        run = driver.app.workspace.snapshot.run
    result = json.loads((run / "run.json").read_text())["result"]
    from engine.data.prepare import prepare
    from engine.data.sources import load

    recipe = driver.app.workspace.recipe
    prepared = prepare(recipe.data, recipe.normalization, load(recipe.data))
    table = np.loadtxt(tmp_path / "sales.csv", delimiter=",", skiprows=1)[prepared.train.index]
    best = np.linalg.lstsq(np.column_stack([table[:, :3], np.ones(len(table))]), table[:, 3], rcond=None)[0]
    found = [*np.ravel(result["weights_raw"]), *np.ravel(result["bias_raw"])]
    assert found == pytest.approx(best.tolist(), rel=1e-6)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no file table.csv"),
        ("", "empty"),
        ("a,b\n1,2\n3,5\n", "price"),
    ],
)
async def test_what_is_wrong_with_a_table_is_said_in_place(
    drive: Any, tmp_path: Path, content: str | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "table.csv").write_text(content)
    async with drive(values={"dataset": "table.csv", "target": "price"}) as driver:
        await driver.see(said, pane="messages")
        assert "run" not in driver.text("keys").split()
        await driver.press("space")
        assert driver.app.workspace.phase == "none"


async def test_the_chart_obeys_its_keys(drive: Any) -> None:
    async with drive(values={"pace": "max"}) as driver:
        await driver.press("space")
        await driver.done()
        await driver.press("l")
        await driver.see("linear y", pane="chart")
        await driver.press("L", "e")
        await driver.see("log x", "raw + smoothed", pane="chart")
        await driver.press("l", "L", "e", "plus")
        await driver.see("zoomed, 0 shows all", pane="chart")
        for _ in range(5):
            if driver.app.focused is driver.app.screen.chart:
                break
            await driver.press("tab")
        assert driver.app.focused is driver.app.screen.chart
        before = driver.text("chart")
        await driver.press("left")
        assert driver.text("chart") != before
        await driver.press("0")
        assert "zoomed" not in driver.text("chart")
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen.chart.size.width > 150)
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen.chart.size.width < 150)


async def test_nothing_changes_nothing_is_drawn(drive: Any) -> None:
    async with drive(values={"pace": "max"}) as driver:
        await driver.press("space")
        await driver.done()
        await driver.see("done", pane="top")
        drawn: list[str] = []
        for pane in driver.app.screen.children:
            original = pane.refresh

            def note(*regions: Any, _pane: Any = pane, _original: Any = original, **options: Any) -> Any:
                drawn.append(_pane.id)
                return _original(*regions, **options)

            pane.refresh = note
        for _ in range(10):  # what was still being looked up at the end of the run is drawn once
            drawn.clear()
            for _ in range(20):
                driver.app.screen.show()
                await driver.pilot.pause(0.01)
            if not drawn:
                break
        assert drawn == []


async def test_on_a_small_screen_tab_walks_through_every_pane(drive: Any) -> None:
    async with drive(size=(80, 24)) as driver:
        seen = []
        for _ in range(7):
            focused = driver.app.focused
            assert focused.size.height > 1, f"{focused.id} is folded and has the focus"
            seen.append(focused.id)
            await driver.press("tab")
        assert set(seen) == {"panel1", "panel2", "panel3", "panel4", "chart", "weights", "fit"}


async def test_a_tiny_terminal_says_so_and_recovers(drive: Any) -> None:
    async with drive(size=(160, 45)) as driver:
        await driver.pilot.resize_terminal(20, 5)
        await driver.see("too small", "has 20x5")
        await driver.pilot.resize_terminal(80, 24)
        await driver.see("Press space to train.", pane="chart")
        assert "too small" not in driver.text()


@pytest.mark.parametrize("size", [(160, 45), (80, 24)])
async def test_a_storm_through_a_tiny_terminal_keeps_the_focus_and_what_is_typed(drive: Any, size: Any) -> None:
    async with drive(size=size) as driver:
        await driver.press("3")
        for _ in range(2):
            await driver.pilot.resize_terminal(20, 5)
            await driver.see("too small")
            await driver.pilot.resize_terminal(*size)
            await driver.until(lambda: "too small" not in driver.text())
            assert driver.app.focused is not None, "no pane has the focus"
            assert driver.app.focused.id == "panel3"
        await driver.press("enter")
        await driver.type("0.2")
        for width, height in [(20, 5), (100, 30), (4, 2), size]:
            await driver.pilot.resize_terminal(width, height)
        await driver.until(lambda: "too small" not in driver.text())
        await driver.type("5")
        await driver.press("enter")
        await driver.see("lr 0.25", pane="top")


async def test_a_window_that_is_left_for_a_moment_keeps_what_is_typed(drive: Any) -> None:
    async with drive() as driver:
        await driver.press("3", "enter")
        await driver.type("0.2")
        driver.app.post_message(events.AppBlur())
        await driver.until(lambda: driver.app.focused is None)
        driver.app.post_message(events.AppFocus())
        await driver.until(lambda: driver.app.focused is not None, "the focus")
        await driver.type("5")
        await driver.press("enter")
        await driver.see("lr 0.25", pane="top")


@pytest.mark.parametrize(
    ("columns", "there", "gone"),
    [
        (240, ["cuda:0 97 % 70.2 GiB 61 °C 512 W · cpu 12 % · mem 1.5 GiB"], []),
        (120, ["cuda:0 97 %"], ["mem 1.5"]),
        (80, [], ["cuda:0", "cpu 12"]),
    ],
)
async def test_the_machine_does_not_take_the_place_of_what_is_trained(
    drive: Any, columns: int, there: list[str], gone: list[str]
) -> None:
    gpu = GpuSample("cuda:0", 97, int(70.2 * 2**30), None, 61, 512)
    opener = Opener(5, machine=Sample(0.0, 12, None, None, 3 * 2**29, (gpu,)))
    async with drive(size=(columns, 24), opener=opener) as driver:
        await driver.press("space")
        await driver.see("● training   1.2M steps/s   ETA 0:03", "houses · z-score · linear", *there, pane="top")
        assert not any(text in driver.text("top") for text in gone)


async def test_c_copies_the_command_line_and_shows_it(drive: Any) -> None:
    async with drive(values={"dataset": "scales", "lr": 0.5}) as driver:
        await driver.press("c")
        await driver.until(lambda: driver.app.clipboard == "ravine train --dataset scales --lr 0.5")


async def test_quitting_during_a_run_asks_once_and_keeps_it(drive: Any) -> None:
    async with drive(values={"pace": "60"}) as driver:
        await driver.press("space")
        await driver.see("● training", pane="top")
        await driver.press("q")
        await driver.see("save it and quit", "go on training")
        await driver.press("escape")
        await driver.until(lambda: len(driver.app.screen_stack) == 1)
        assert driver.app.workspace.live
        run = driver.app.workspace.snapshot.run
        await driver.press("ctrl+c", "enter")
        await driver.until(lambda: driver.app.return_code is not None)
        assert driver.app.return_code == 0
    facts = json.loads((run / "run.json").read_text())
    assert facts["state"] == "interrupted"
    assert (run / "model.safetensors").exists()


async def test_q_without_a_run_quits(drive: Any) -> None:
    async with drive() as driver:
        await driver.press("q")
        await driver.until(lambda: driver.app.return_code is not None)


async def test_a_file_that_was_used_is_offered_the_next_time(drive: Any, tmp_path: Path) -> None:
    write_table(tmp_path / "sales.csv", 50)
    async with drive(values={"dataset": "sales.csv", "target": "price"}) as driver:
        await driver.see("Ready: 50 rows")
    async with drive() as driver:
        await driver.see("sales.csv", "used before", pane="panel1")
        await driver.press("up", "enter")
        await driver.until(lambda: driver.app.workspace.recipe.data.dataset.endswith("sales.csv"))


async def test_another_file_is_a_few_keys_away_from_the_one_that_is_chosen(drive: Any, tmp_path: Path) -> None:
    for name in ("sales.csv", "north.csv", "south.csv"):
        write_table(tmp_path / name, 50)
    path = str(tmp_path / "sales.csv")
    async with drive(values={"dataset": path, "target": "price"}) as driver:
        chosen = driver.app.workspace.recipe.data
        await driver.press("1", "home", "enter")
        await driver.see("north.csv", "▸ sales.csv", "south.csv", pane="entries")
        await driver.press("enter")
        await driver.until(lambda: len(driver.app.screen_stack) == 1)
        assert driver.app.workspace.recipe.data == chosen, "nothing else was picked"
        await driver.press("enter", "down")
        await driver.see("▸ south.csv", pane="entries")
        await driver.press("up", "up", "enter")
        await driver.until(lambda: driver.app.workspace.recipe.data.dataset == str(tmp_path / "north.csv"))
        await driver.ready()
        await driver.press("1", "home", "enter")
        await driver.see("▸ north.csv", pane="entries")
        await driver.type("south.csv")  # in the place of what stood there
        await driver.press("enter")
        await driver.until(lambda: driver.app.workspace.recipe.data.dataset == "south.csv")


async def test_reading_a_table_can_be_given_up(drive: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.analysis import survey
    from engine.base.errors import Cancelled

    async with drive() as driver:

        def slow(self: Any, recipe: Any, *, progress: Any, cancelled: Any) -> Any:
            while not cancelled():
                progress("reading big.csv", 0.42)
            raise Cancelled

        monkeypatch.setattr(survey.Surveyor, "survey", slow)
        await driver.press("2", "up", "enter")
        await driver.see("reading big.csv, 42 %", pane="messages")
        await driver.see("stop reading", pane="keys")
        await driver.press("escape")
        await driver.see("Reading was stopped", pane="messages")
