"""Numbers as a person would write them."""

from __future__ import annotations

import pytest

from tui.look.numbers import count, duration, figures, fixed, short, volume


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (950, "950"), (10_000, "10k"), (2_500_000, "2.5M"), (999_999_999, "1G"), (float("nan"), "NaN")],
)
def test_short(value: float, text: str) -> None:
    assert short(value) == text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (141217.4, 3, "141,217"), (4.5747, 3, "4.57"), (0.00123203, 3, "0.00123"), (1e-6, 4, "1e-6"),
        (6.102774177, 5, "6.1028"), (-22.979, 4, "-22.98"), (1.25e10, 3, "1.25e10"), (None, 3, "-"),
        (float("inf"), 3, "∞"), (0.5, 4, "0.5"),
    ],
)  # fmt: skip
def test_figures(value: float | None, digits: int, text: str) -> None:
    assert figures(value, digits) == text


def test_fixed_keeps_its_zeros() -> None:
    assert fixed(30.2, 5) == "30.200"
    assert fixed(-1.2e-7, 5) == "-1.20e-7"


def test_count_and_duration() -> None:
    assert (count(1309), count(250_000)) == ("1,309", "250k")
    assert [duration(s) for s in (3, 760, 11_100, 360_000)] == ["0:03", "12:40", "3:05:00", "4 d 04 h"]


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (2540, "2.5 kB"),
        (999_960, "1.0 MB"),
        (5e7, "50.0 MB"),
        (1.2e9, "1.2 GB"),
    ],
)
def test_an_amount_of_bytes(size: float, wanted: str) -> None:
    assert volume(size) == wanted
