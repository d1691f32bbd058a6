"""A file in, a file out, on the predict screen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.runs import predictor
from tests.conftest import recipe, train
from tui.tasks import predict_file

SIZES = [(160, 45), (120, 36), (80, 24)]
LIKELY = {"dataset": "titanic", "epochs": 20, "pace": "max", "threshold": "0.3"}


async def trained(driver: Any) -> None:
    """Train, and go to the predict screen."""
    await driver.press("space")
    await driver.done()
    await driver.press("p")
    await driver.see("x1", "x2", pane="form")


@pytest.mark.parametrize("size", SIZES)
async def test_what_features_add_is_said_of_the_class_that_they_add_to(drive: Any, size: tuple[int, int]) -> None:
    async with drive(size=size, values=LIKELY) as driver:
        await driver.press("space")
        await driver.done()
        await driver.press("p")
        await driver.see("pclass", "embarked", pane="form")
        form, way = driver.app.screen.form, driver.app.screen.way
        unlikely, likely = (
            {**form.values, "sex": "male", "pclass": "3"},
            {**form.values, "sex": "female", "pclass": "1"},
        )
        for values, decided in ((unlikely, "0"), (likely, "1")):
            driver.app.screen.explain(values)
            found = way.explanation
            assert found.decided == decided
            total = found.bias + found.contributions.sum()
            assert found.probabilities["1"] == pytest.approx(1 / (1 + np.exp(-total)))
            await driver.see("adds to 1", pane="way")
        # The less likely class may be decided.
        ages = ({**unlikely, "sex": "female", "age": str(age)} for age in range(81))
        between = next(values for values in ages if 0.3 < _chance(way, values) < 0.5)
        driver.app.screen.explain(between)
        assert way.explanation.decided == "1"
        await driver.see("1 is decided from 30 % on", pane="way")


def _chance(way: Any, values: dict[str, str]) -> float:
    return float(way.predictor.explain(values).probabilities["1"])


@pytest.mark.parametrize("size", SIZES)
async def test_a_file_is_predicted_into_a_file(drive: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    from engine import load

    (tmp_path / "rows.csv").write_text("x1,x2,note\n1,1000,a\n3,2500,b\n2,99999,c\n")
    async with drive(size=size, values={"dataset": "scales", "pace": "max"}) as driver:
        await trained(driver)
        await driver.press("i")
        await driver.see("rows.csv", pane="entries")
        await driver.type("rows")
        await driver.press("enter")
        await driver.see("3 rows of rows.csv predicted", "outside", pane="way")
        lines = (tmp_path / "rows_predictions.csv").read_text().splitlines()
        assert lines[0] == "prediction"
        expected = load(driver.app.workspace.snapshot.run).predict([{"x1": 1, "x2": 1000}, {"x1": 3, "x2": 2500}])
        assert [float(line) for line in lines[1:3]] == pytest.approx(list(expected))
        await driver.press("i")
        await driver.type("rows.csv")
        await driver.press("enter")
        await driver.until((tmp_path / "rows_predictions_2.csv").exists)


async def test_lines_that_were_skipped_are_told_of(drive: Any, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("x1,x2\n1,1000\n,\n3,2500\n")
    async with drive(values={"dataset": "scales", "pace": "max"}) as driver:
        await trained(driver)
        await driver.press("i")
        await driver.type("rows.csv")
        await driver.press("enter")
        await driver.see("2 rows of rows.csv predicted", "1 empty line of rows.csv was skipped.", pane="way")


async def test_a_file_that_does_not_fit_says_why(drive: Any, tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text("x1,other\n1,2\n3,4\n")
    async with drive(values={"dataset": "scales", "pace": "max"}) as driver:
        await trained(driver)
        await driver.press("i")
        await driver.type("odd.csv")
        await driver.press("enter")
        await driver.see("no column", "x2", pane="way")
        assert not (tmp_path / "odd_predictions.csv").exists()


async def test_escape_stops_it_and_leaves_no_file(drive: Any, tmp_path: Path, monkeypatch: Any) -> None:
    import threading

    from engine.base.errors import Cancelled
    from engine.data import rows

    ended = threading.Event()

    def slow(asked: str, encoder: Any, *, progress: Any, cancelled: Any) -> Any:
        progress("reading rows.csv", 0.42)
        while not cancelled():
            pass
        ended.set()
        raise Cancelled

    (tmp_path / "rows.csv").write_text("x1,x2\n1,1000\n")
    async with drive(values={"dataset": "scales", "pace": "max"}) as driver:
        await trained(driver)
        monkeypatch.setattr(rows, "load", slow)
        await driver.press("i")
        await driver.type("rows.csv")
        await driver.press("enter")
        await driver.see("reading rows.csv, 42 %", pane="way")
        await driver.press("escape")
        await driver.see("Stopped", pane="way")
        await driver.until(ended.is_set)
        assert not (tmp_path / "rows_predictions.csv").exists()
        await driver.press("escape")
        await driver.until(lambda: driver.app.current_mode == "train")


async def test_a_run_is_picked_without_leaving_the_screen(drive: Any) -> None:
    async with drive(values={"dataset": "scales", "pace": "max", "name": "first"}) as driver:
        await trained(driver)
        await driver.press("t")
        driver.app.workspace.set({"dataset": "houses", "target": None, "name": "second"})
        await driver.ready()
        await driver.until(lambda: driver.app.workspace.known is not None, "the houses")
        await driver.press("space")
        await driver.until(lambda: driver.app.workspace.snapshot.run.name == "second", "the second run")
        await driver.done()
        await driver.press("p")
        await driver.until(lambda: driver.app.current_mode == "predict")
        await driver.see("pick run", pane="keys")
        await driver.until(lambda: len(driver.app.screen.runs) == 2, "the new list")
        await driver.press("m")
        await driver.see("first", "second", "scales · zscore · linear · loss", pane="menu")
        await driver.see("(•) second", pane="menu")
        await driver.press("down", "enter")
        await driver.see("values for first", "x1", "x2", pane="form")
        await driver.press("m", "escape", "t", "p")
        await driver.see("values for first", "x1", pane="form")


async def test_on_a_small_screen_the_features_scroll_under_the_prediction(drive: Any) -> None:
    async with drive(size=(80, 24), values={"dataset": "iris", "epochs": 5, "pace": "max"}) as driver:
        await driver.press("space")
        await driver.done()
        await driver.press("p")
        await driver.see("petal", pane="form")
        await driver.press("enter")
        await driver.type("99")
        await driver.press("enter")
        await driver.see("outside 4.3 to 7.9", "rows.", "sepal length", "↓ 2 features", "%", pane="way")
        await driver.press("tab")
        for _ in range(4):
            await driver.press("down")
        await driver.see("petal width", pane="way")
        assert "sepal length (cm)  " not in driver.text("way")


async def test_on_a_small_screen_every_warning_can_be_read(drive: Any) -> None:
    async with drive(size=(80, 24), values={"dataset": "titanic", "epochs": 5, "pace": "max"}) as driver:
        await driver.press("space")
        await driver.done()
        await driver.press("p")
        await driver.see("embarked", pane="form")
        screen = driver.app.screen
        screen.explain({**screen.form.values, "age": "200"})
        await driver.see("age", "outside", "survived", "%", pane="way")
        screen.explain({**screen.form.values, "age": "200", "fare": "-1000", "sibsp": "77", "parch": "55", "sex": "x"})
        await driver.see("survived", "warnings", pane="way")
        await driver.press("tab", "end")
        await driver.see("fare: 1 value lies outside", "survived", pane="way")
        await driver.press("up", "up")
        await driver.see("sex: x", "survived", pane="way")


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    assert predict_file.free_name(tmp_path / "a.csv.gz").name == "a_predictions.csv"
    (tmp_path / "a_predictions.csv").touch()
    assert predict_file.free_name(tmp_path / "a.csv.gz").name == "a_predictions_2.csv"


@pytest.mark.parametrize("size", SIZES)
async def test_dates_and_truths_are_typed_as_the_table_writes_them(
    drive: Any, tmp_path: Path, size: tuple[int, int]
) -> None:
    lines = [f"{1 + i % 28:02}/{1 + i % 12:02}/2026,{('Yes', 'No')[i % 2]},{i % 28 + i % 2}" for i in range(60)]
    (tmp_path / "visits.csv").write_text("day,member,y\n" + "\n".join(lines) + "\n")
    values = {"dataset": str(tmp_path / "visits.csv"), "target": "y", "steps": 50, "pace": "max"}
    async with drive(size=size, values=values) as driver:
        await driver.press("space")
        await driver.done()
        await driver.press("p")
        await driver.see("day", "member", "/2026", pane="form")
        form, way = driver.app.screen.form, driver.app.screen.way
        assert way.problem == ""
        assert form.values["member"] in ("Yes", "No")
        await driver.press("enter")
        await driver.type("03/04/2026")
        await driver.press("enter")
        await driver.until(lambda: form.values["day"] == "03/04/2026", "the date that was typed")
        await driver.see("03/04/2026", pane="way")
        assert way.problem == ""
        assert way.explanation.raw[0] == 20546  # the third of April
        assert form.check("day", "soon").startswith("day: “soon” is not a date; give a date like ")


class Reading:
    """The reading of models, which goes on when it is told to."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self._goes_on = threading.Event()
        self._goes_on.set()
        load = predictor.load

        def waiting(run: Path) -> predictor.Predictor:
            self.asked.append(run.name)
            self._goes_on.wait(60)
            return load(run)

        patch.setattr(predictor, "load", waiting)

    def stop(self) -> None:
        """Whatever is asked for from now on waits."""
        self._goes_on.clear()

    def go_on(self) -> None:
        """Read."""
        self._goes_on.set()


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reading]:
    """Stops at the next model until the test lets it go on."""
    found = Reading(monkeypatch)
    yield found
    found.go_on()


@pytest.fixture
def other_columns(tmp_path: Path) -> None:
    """Two runs whose tables share one column, age; that of houses is the newer one."""
    for name, dataset in (("older", "diabetes"), ("newer", "houses")):
        train(recipe(tmp_path, dataset=dataset, steps=20, name=name))


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
@pytest.mark.parametrize("meanwhile", ["nothing", "elsewhere", "small"])
async def test_the_screen_may_be_opened_and_left_while_a_model_is_being_read(
    drive: Any, reading: Reading, other_columns: None, size: tuple[int, int], meanwhile: str
) -> None:
    async with drive(size) as driver:
        reading.stop()
        await driver.press("p")
        await driver.until(lambda: "newer" in reading.asked, "the question for the model")
        await _do(driver, meanwhile)
        reading.go_on()
        await _come_back(driver, meanwhile, size, "size")
        await driver.see("size", pane="form")
        await driver.see("values for newer", pane="form")
        await driver.see("price", pane="way")


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
@pytest.mark.parametrize("meanwhile", ["nothing", "elsewhere", "small", "typing"])
async def test_a_model_with_other_columns_may_come_while_its_form_cannot_be_drawn(
    drive: Any, reading: Reading, other_columns: None, size: tuple[int, int], meanwhile: str
) -> None:
    async with drive(size) as driver:
        await driver.press("p")
        await driver.see("size", pane="form")
        await driver.see("values for newer", pane="form")
        reading.stop()
        await driver.press("n")
        await driver.until(lambda: reading.asked[-1] == "older", "the question for the other model")
        await _do(driver, meanwhile)
        reading.go_on()
        await _come_back(driver, meanwhile, size, "age")
        await driver.see("age", "bmi", pane="form")
        assert "size" not in driver.app.screen.form.values
        await driver.see("progression", pane="way")
        await driver.press("down", "1", "enter")  # its fields take values


async def _do(driver: Any, meanwhile: str) -> None:
    """Something during which the form is not drawn."""
    if meanwhile == "elsewhere":
        await driver.press("question_mark")
        await driver.until(lambda: driver.app.current_mode == "help")
    elif meanwhile == "small":
        await driver.pilot.resize_terminal(50, 10)
        await driver.until(lambda: driver.app.screen.too_small.display, "the word that it is too small")
        await driver.until(lambda: not driver.app.screen.form.size.height, "the form hidden")
    elif meanwhile == "typing":
        await driver.press("enter")
        await driver.type("7")


async def _come_back(driver: Any, meanwhile: str, size: tuple[int, int], *wanted: str) -> None:
    if meanwhile == "elsewhere":
        await driver.press("p")
    elif meanwhile == "small":
        await driver.until(lambda: any(name in driver.app.screen.form.values for name in wanted), "the model")
        await driver.pilot.resize_terminal(*size)
