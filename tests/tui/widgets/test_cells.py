"""Lines of cells, and what is sent of them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from tui.widgets.cells import NEAR, changes, clip, fit, left, right, wrap

RED, BLUE = Style(color="red"), Style(color="blue")
SPANS = st.lists(st.tuples(st.text("ab 价格é", max_size=9), st.sampled_from([RED, BLUE])), max_size=6)


@given(SPANS, st.integers(1, 40))
def test_a_line_has_exactly_its_width(spans: list[Any], width: int) -> None:
    assert sum(cell_len(text) for text, _ in fit(spans, width)) == width


ODD = st.text("ab \u200d👩🏽❤\ufe0f\t\n\x1b\u202eש\u05b8ก็価e\u0301🇩🇪", max_size=12)


@given(st.lists(st.tuples(ODD, st.sampled_from([RED, BLUE])), max_size=6), st.integers(1, 40))
def test_every_terminal_counts_the_cells_of_a_line_alike(spans: list[Any], width: int) -> None:
    line = "".join(text for text, _ in fit(spans, width))
    assert sum(cell_len(character) for character in line) == cell_len(line) == width
    assert not set(line) & set("\t\n\x1b\u200d\u202e")


@given(ODD, st.integers(1, 20))
def test_a_padded_text_keeps_its_width_in_a_line(text: str, width: int) -> None:
    assert sum(cell_len(character) for character in left(text, width)) == width
    assert sum(cell_len(character) for character in right(text, width)) == width


@given(SPANS, SPANS, st.integers(1, 40))
def test_outside_the_changes_two_lines_are_equal(one: list[Any], other: list[Any], width: int) -> None:
    old, new = fit(one, width), fit(other, width)
    found = list(changes(old, new))
    assert (not found) == (old == new)
    for (_, end), (start, _) in pairwise(found):
        assert start - end > NEAR
    covered = {x for start, end in found for x in range(start, end)}
    for x, (before, after) in enumerate(zip(_cells(old), _cells(new), strict=True)):
        assert x in covered or before == after
    assert all(0 <= start < end <= width for start, end in found)


def _cells(line: Any) -> list[Any]:
    return [(c, i, style) for text, style in line for c in text for i in range(cell_len(c))]


def test_one_changed_character_is_all_that_is_sent() -> None:
    old = fit([("loss 6.1027, step 12", RED)], 80)
    new = fit([("loss 6.1028, step 12", RED)], 80)
    assert list(changes(old, new)) == [(10, 11)]


@given(st.text("ab 价格", max_size=30), st.integers(1, 20))
def test_clipped_texts_fit(text: str, width: int) -> None:
    assert cell_len(clip(text, width)) <= width
    assert cell_len(left(text, width)) == cell_len(right(text, width)) == width
    assert all(cell_len(line) <= width for line in wrap(text, width, 3))


def test_a_wrapped_text_loses_no_word_while_there_is_room() -> None:
    text = "the quick brown fox jumps over the lazy dog"
    assert " ".join(wrap(text, 12, 9)) == text
    assert wrap(text, 12, 2)[-1].endswith("…")
