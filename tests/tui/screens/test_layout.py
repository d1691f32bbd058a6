"""Where the panes lie."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.look.sizes import SMALLEST, too_small
from tui.screens.train.layout import PANELS, SIDE, arrange, roomy, shares

WANTED = st.fixed_dictionaries({name: st.integers(1, 60) for name in PANELS})


@given(st.integers(SMALLEST[0], 300), st.integers(SMALLEST[1], 120), WANTED, st.sampled_from(SIDE))
def test_panes_fill_the_screen_without_overlap(width: int, height: int, wanted: dict[str, int], pane: str) -> None:
    layout = arrange(width, height, wanted, pane)
    taken = [[""] * width for _ in range(height)]
    for name, place in layout.places.items():
        assert place.x >= 0
        assert place.y >= 0
        assert place.right <= width
        assert place.bottom <= height
        assert place.height >= (1 if name in layout.folded or name in ("top", "messages", "keys") else 3), name
        for y in range(place.y, place.bottom):
            for x in range(place.x, place.right):
                assert not taken[y][x], f"{name} lies over {taken[y][x]}"
                taken[y][x] = name
    assert all(all(row) for row in taken)
    assert {*PANELS, "chart", "weights", "fit", "top", "messages", "keys"} == set(layout.places)


@given(WANTED, st.sampled_from(SIDE))
def test_at_80x24_the_chart_has_half_of_the_screen_and_every_pane_its_line(wanted: dict[str, int], pane: str) -> None:
    layout = arrange(80, 24, wanted, pane)
    assert layout.places["chart"].area * 2 >= 80 * 24
    assert layout.folded == set(SIDE) - {pane}
    assert not too_small(80, 24)
    assert not roomy(80, 24)


def test_a_large_pane_has_everything_between_the_bars() -> None:
    layout = arrange(160, 45, {}, large="chart")
    assert layout.places["chart"].size == (160, 39)
    assert set(layout.places) == {"top", "messages", "keys", "chart"}


@given(st.integers(20, 90), st.lists(st.integers(3, 60), min_size=4, max_size=4))
def test_shares_add_up(total: int, wanted: list[int]) -> None:
    given_ = shares(total, wanted, [7, 9, 7, 5])
    assert sum(given_) == total
    assert min(given_) >= 1
