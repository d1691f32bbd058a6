"""The colours: every theme can be had, and curves can be told apart in each of them."""

from __future__ import annotations

from typing import Any

import pytest
from rich.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from tui.look.ascii import to_ascii
from tui.look.styles import RAVINE, bare_ink, ink
from tui.look.themes import CONTRAST, OKABE_ITO, OURS

THEMES = [*OURS, *BUILTIN_THEMES.values()]


def rgb(color: str) -> tuple[int, int, int]:
    """Red, green and blue."""
    found = Color.parse(color).get_truecolor()
    return found.red, found.green, found.blue


def contrast(first: str, second: str) -> float:
    """The contrast ratio of WCAG 2.2, 1 to 21."""

    def luminance(color: str) -> float:
        parts = [c / 255 for c in rgb(color)]
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_curves_stand_out_from_the_ground_and_from_each_other(theme: Theme) -> None:
    found = ink(theme)
    curves = [style.color.name for style in (found.train, found.validation, found.optimum) if style.color]
    assert len(set(curves)) == 3
    for color in curves:
        assert contrast(color, found.ground) >= 2.95, color
    for index, color in enumerate(curves):
        for other in curves[:index]:
            assert sum(abs(a - b) for a, b in zip(rgb(color), rgb(other), strict=True)) > 60, (color, other)
    assert len({style.color.name for style in found.kinds if style.color}) == 10


def test_the_safe_theme_has_the_colours_of_okabe_and_ito() -> None:
    found = ink(OKABE_ITO)
    names = {style.color.name.lower() for style in found.kinds if style.color}
    assert {"#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7"} <= names


def test_the_theme_of_high_contrast_has_it() -> None:
    found = ink(CONTRAST)
    for style in (found.text, found.strong, found.dim, found.accent, found.bad, found.good, *found.kinds):
        assert style.color is not None
        assert contrast(style.color.name, found.ground) >= 7, style


def test_without_colours_there_are_none() -> None:
    found = bare_ink()
    for style in (found.text, found.strong, found.dim, found.faint, found.accent, found.bad, found.good, found.train,
                  found.band, found.validation, found.optimum, found.mark, *found.kinds):  # fmt: skip
        assert style.color is None
        assert style.bgcolor is None
    assert found.on_cursor(found.text).reverse
    assert found.bad != found.text != found.strong
    assert found.band != found.train


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
async def test_every_theme_can_be_had(drive: Any, theme: str) -> None:
    async with drive(theme=theme, size=(100, 30), ready=False) as driver:
        assert driver.app.current_theme.name == theme
        await driver.see("1 Dataset")


async def test_the_colours_are_chosen_by_a_key_and_everything_follows(drive: Any) -> None:
    async with drive() as driver:
        await driver.press("space")
        await driver.done()
        await driver.press("T")
        await driver.until(lambda: len(driver.app.screen_stack) > 1, "the themes")
        await driver.type("high")
        await driver.until(lambda: "high-contrast" in str(driver.app.screen.query("CommandList").first()
                                                          .get_option_at_index(0).prompt), "the theme")  # fmt: skip
        await driver.press("enter")
        await driver.until(lambda: driver.app.current_theme.name == "high-contrast")

        def drawn() -> set[str]:
            chart = driver.app.screen.chart
            segments = [one for y in range(chart.size.height) for one in chart.render_line(y)]
            return {one.style.color.name for one in segments if one.style and one.style.color}

        await driver.until(lambda: "#00d7ff" in drawn(), "the curve in its new colour")
        assert ink(RAVINE).train.color.name not in drawn()


async def test_the_palette_finds_the_colours_as_theme(drive: Any) -> None:
    async with drive() as driver:
        await driver.press("ctrl+p")
        await driver.until(lambda: len(driver.app.screen_stack) > 1)
        await driver.type("theme")

        def offered() -> bool:
            found = driver.app.screen.query("CommandList").first()
            return any("colours" in str(option.prompt) for option in found.options)

        await driver.until(offered, "the colours in the palette")
        await driver.press("escape")


def test_every_sign_that_the_app_draws_has_one_in_ascii() -> None:
    import re
    from pathlib import Path

    from rich.cells import cell_len

    root = Path(__file__).parents[3]
    for path in [*root.glob("tui/**/*.py"), *root.glob("engine/**/*.py"), *root.glob("tui/*.tcss")]:
        for sign in set(re.findall("[^\x00-\x7f]", path.read_text(encoding="utf-8"))):
            found = to_ascii(sign)
            assert "?" not in found, (path.name, sign)
            assert len(found) == cell_len(sign), (path.name, sign)


@pytest.mark.parametrize(
    "text", ["é", "ﬁn", "汉字", "e\u0301", "🙂 ok", "👨\u200d👩\u200d👧", "שלום", "½", "ก็", "a\u200bb"]
)
def test_ascii_takes_as_many_cells(text: str) -> None:
    from rich.cells import cell_len

    found = to_ascii(text)
    assert found.isascii()
    assert len(found) == cell_len(text)
