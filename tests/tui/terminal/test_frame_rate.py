"""How often a live run is looked at."""

from __future__ import annotations

import pytest

from tui.terminal.frame_rate import FrameRate


class World:
    """A clock, a terminal and a picture, all of them pretended."""

    def __init__(self, cost: float = 0.0, drain: float = 0.0, behind: bool = False) -> None:
        self.now, self.cost, self.drain, self.behind = 1.0, cost, drain, behind
        self.drawn: list[float] = []
        self.frame_rate = FrameRate(lambda: self.behind, lambda: self.drain, lambda: self.now)

    def draw(self) -> None:
        """Draw."""
        self.drawn.append(self.now)
        self.now += self.cost

    def live(self, seconds: float) -> int:
        """Ask again and again for so many seconds; pictures drawn."""
        before, end = len(self.drawn), self.now + seconds
        while self.now < end:
            if self.frame_rate.look(self.draw):
                self.frame_rate.drawn()
            self.now += self.frame_rate.rest
        return len(self.drawn) - before


def test_a_fast_terminal_gets_fifteen_pictures_a_second() -> None:
    assert World().live(10) in range(135, 153)


@pytest.mark.parametrize(("drain", "rate"), [(0.05, 6.7), (0.1, 3.3), (0.3, 1.1), (5.0, 1.0)])
def test_a_slow_one_gets_as_many_as_it_takes(drain: float, rate: float) -> None:
    assert World(drain=drain).live(60) / 60 == pytest.approx(rate, rel=0.15)  # the nearest beat


def test_one_that_takes_nothing_gets_none_until_it_does() -> None:
    world = World(behind=True)
    assert world.live(60) == 0
    world.behind = False
    assert world.live(1) > 10


def test_costly_drawing_is_rarer_but_never_below_ten() -> None:
    assert World(cost=0.002).live(10) in range(135, 153)
    assert World(cost=0.0035).live(10) in range(98, 120)
    assert World(cost=0.060).live(10) in range(95, 105)


def test_it_is_not_asked_again_before_the_next_picture_is_due() -> None:
    world = World(cost=0.060)
    assert world.frame_rate.look(world.draw)
    world.frame_rate.drawn()
    world.behind = True  # it is being sent
    assert world.frame_rate.rest == pytest.approx(0.1 - 0.060)
