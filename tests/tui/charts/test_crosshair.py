"""Looking closely at a loss chart: exact values under the crosshair, and zoom and pan with the mouse."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from engine.base.loss_history import History, Series
from engine.training.snapshot import Mark, Phase, Snapshot
from tui.charts.curve import DrawnCurve
from tui.charts.loss_chart import LossChart
from tui.look.styles import RAVINE


class Pane(App[None]):
    """A chart and nothing else."""

    CSS = "LossChart { width: 100%; height: 100%; border: round white; }"

    def compose(self) -> ComposeResult:
        """The chart."""
        self.register_theme(RAVINE)
        self.theme = RAVINE.name
        self.chart = LossChart(id="chart")
        yield self.chart


def ended(values: np.ndarray, **more: Any) -> Snapshot:
    history = History()
    history.append(np.asarray(values, np.float64))
    return Snapshot(Phase.ENDED, step=len(values), steps=len(values), history=history, **more)


@asynccontextmanager
async def opened(now: Snapshot, size: tuple[int, int] = (100, 30)) -> Any:
    app = Pane()
    async with app.run_test(size=size) as pilot:
        app.chart.show(now)
        await pilot.pause()
        yield app.chart, pilot


def text(chart: LossChart) -> str:
    lines = [chart.render_line(y).text for y in range(chart.size.height)]
    return "\n".join([str(chart.border_title), *lines, str(chart.border_subtitle)])


def rows(chart: LossChart) -> list[str]:
    return [chart.render_line(y).text for y in range(chart.size.height)]


async def wheel(chart: LossChart, pilot: Pilot[None], x: int, y: int, up: bool) -> None:
    kind = events.MouseScrollUp if up else events.MouseScrollDown
    place = chart.content_region.offset
    chart.post_message(kind(chart, x + 1, y + 1, 0, 0, 0, False, False, False, place.x + x, place.y + y))
    await pilot.pause()


async def test_the_crosshair_tells_the_exact_value_of_every_curve() -> None:
    validation = Series()
    for step in (0, 40, 80):
        validation.append(step, 50.0 + step)
    now = ended(np.geomspace(1234.5678, 1.0, 100), validation=validation)
    async with opened(now) as (chart, _):
        assert "step 99" not in text(chart)
        chart.action_chart("before")
        assert "step 99" in text(chart)
        assert "train 1 " in text(chart)
        assert "validation 130 at 80" in text(chart)
        for _ in range(200):
            chart.action_chart("before")
        assert "step 0" in text(chart)
        assert "train 1,234.5678" in text(chart)
        assert "validation 50 " in text(chart)
        chart.action_chart("after")
        assert "step 1 " in text(chart)
        chart.action_chart("reset")
        assert "step 1 " not in text(chart)
        assert "│" in rows(chart)[5]


@pytest.mark.parametrize("spike", [0, 1, 1_234_567, 5_000_001, 9_999_999])
async def test_a_spike_of_one_step_in_ten_million_shows_and_can_be_read(spike: int) -> None:
    values = np.ones(10_000_000)
    values[spike] = 1000.0
    async with opened(ended(values)) as (chart, pilot):
        wide = chart.size.width - 7
        x = 7 + round(spike / len(values) * (wide - 1))
        top = [line[max(7, x - 1) : x + 2] for line in rows(chart)[1:6]]
        assert any(0x2800 < ord(c) <= 0x28FF for line in top for c in line), "\n".join(rows(chart))
        seen = []
        for near in range(-1, 2):
            await pilot.hover(chart, offset=(min(max(x + near, 7), chart.size.width - 1) + 1, 6))
            seen.append(text(chart))
        assert any("1 to 1,000 in steps" in one for one in seen), seen[1]


async def test_the_wheel_zooms_at_the_pointer_and_a_drag_pans() -> None:
    async with opened(ended(np.linspace(100.0, 1.0, 1000))) as (chart, pilot):
        place = chart.content_region.offset
        x = chart.size.width // 2
        await pilot.hover(chart, offset=(x + 1, 10))
        before = text(chart)
        step = before.split("step ")[1].split()[0]
        for _ in range(3):
            await wheel(chart, pilot, x, 10, True)
        assert "zoomed" in text(chart)
        await pilot.hover(chart, offset=(x + 1, 11))
        after = text(chart).split("step ")[1].split()[0]
        assert abs(int(after) - int(step)) <= 6, "what is under the pointer stays there"
        assert place.x == 1
        still = text(chart)
        await pilot.mouse_down(chart, offset=(x + 1, 10))
        await pilot.hover(chart, offset=(x + 21, 10))
        await pilot.mouse_up(chart, offset=(x + 21, 10))
        await pilot.hover(chart, offset=(x + 21, 10))
        dragged = text(chart).split("step ")[1].split()[0]
        assert abs(int(dragged) - int(after)) <= 6, "the step goes with the pointer"
        assert text(chart) != still
        await pilot.click(chart, offset=(x + 1, 10), times=2)
        assert "zoomed" not in text(chart)


async def test_the_wheel_over_the_loss_axis_zooms_that_one() -> None:
    async with opened(ended(np.linspace(100.0, 1.0, 1000))) as (chart, pilot):
        before = [line[:6] for line in rows(chart)]
        await wheel(chart, pilot, 2, 10, True)
        assert [line[:6] for line in rows(chart)] != before
        assert chart.sight.window is None


async def test_keys_zoom_in_on_the_crosshair() -> None:
    async with opened(ended(np.linspace(100.0, 1.0, 1000))) as (chart, _):
        for _ in range(60):
            chart.action_chart("before")
        step = int(text(chart).split("step ")[1].split()[0])
        for _ in range(4):
            chart.action_chart("in")
        assert f"step {step}" in text(chart)
        chart.action_chart("before")
        assert int(text(chart).split("step ")[1].split()[0]) == step - 1


async def test_checkpoints_are_marked_on_the_axis_and_in_the_legend() -> None:
    marks = (Mark(250, "checkpoint", "checkpoint"), Mark(500, "change", "lr 0.4"))
    async with opened(ended(np.linspace(100.0, 1.0, 1000), marks=marks)) as (chart, _):
        axis = rows(chart)[-2]
        assert axis.count("◆") == 1
        assert "checkpoint" in text(chart)
        assert "lr 0.4" in text(chart)


async def test_several_curves_have_signs_and_colours_of_their_own() -> None:
    async with opened(ended(np.linspace(100.0, 1.0, 1000))) as (chart, _):
        ink = chart.ink
        for index, marker in enumerate("×+"):
            history = History()
            history.append(np.full(800, 10.0 * (index + 2)))
            chart.others.append(DrawnCurve(f"run {index}", ink.kinds[index + 1], history=history, marker=marker))
        chart.redraw()
        shown = text(chart)
        assert shown.count("×") > 3
        assert shown.count("+") > 3
        assert "run 0" in shown
        chart.action_chart("before")
        assert "×  run 0" not in text(chart).split("\n")[1], "the run has no step 999"
        styles = {style.color.name for line in chart.draw(98, 28) for text_, style in line if "×" in text_}
        assert len(styles) == 1


async def test_not_finite_losses_are_told_as_such() -> None:
    values = np.linspace(5.0, 1.0, 300_000)
    values[100_000:200_000] = np.nan
    async with opened(ended(values)) as (chart, pilot):
        assert "░" in text(chart)
        await pilot.hover(chart, offset=(chart.size.width // 2, 6))
        assert "train NaN" in text(chart)


async def test_leaving_takes_the_pointers_crosshair_away() -> None:
    async with opened(ended(np.linspace(100.0, 1.0, 1000))) as (chart, pilot):
        await pilot.hover(chart, offset=(50, 10))
        assert "step " in "\n".join(rows(chart)[:4])
        chart.post_message(events.Leave(chart))
        await pilot.pause()
        assert "step " not in "\n".join(rows(chart)[:4])
