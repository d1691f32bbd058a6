"""Where the panes of the train screen lie. Sizes in cells; nothing here knows a widget."""

from __future__ import annotations

from dataclasses import dataclass

from textual.geometry import Region

from tui.look.sizes import MESSAGES

PANELS = ("panel1", "panel2", "panel3", "panel4")
SIDE = (*PANELS, "weights", "fit")  # what shares the left column of a small screen


@dataclass(frozen=True)
class Layout:
    """A place for each visible pane, and the panes of which only the title shows."""

    places: dict[str, Region]
    folded: frozenset[str] = frozenset()


def roomy(width: int, height: int) -> bool:
    """Whether all panes fit side by side."""
    return width >= 100 and height >= 30


def arrange(width: int, height: int, wanted: dict[str, int], open_pane: str = "panel1", large: str = "") -> Layout:
    """Place the panes.

    Args:
        wanted: lines that each panel would fill, without its border.
        open_pane: the one of SIDE that is unfolded on a small screen.
        large: a pane that takes the place of all others.
    """
    body = Region(0, 1, width, height - 1 - MESSAGES - 2)
    places = {
        "top": Region(0, 0, width, 1),
        "messages": Region(0, body.bottom, width, MESSAGES),
        "keys": Region(0, body.bottom + MESSAGES, width, 2),
    }
    if large:
        return Layout({**places, large: body})
    if roomy(width, height):
        return Layout({**places, **_wide(body, wanted)})
    side = 26 if width < 100 else 34
    chart = Region(side, body.y, width - side, body.height)
    column = Region(0, body.y, side, body.height)
    stack, folded = _accordion(column, open_pane if open_pane in SIDE else "panel1")
    return Layout({**places, "chart": chart, **stack}, folded)


def _wide(body: Region, wanted: dict[str, int]) -> dict[str, Region]:
    side = 42 if body.width >= 116 else 36
    places: dict[str, Region] = {}
    heights = shares(body.height, [wanted.get(name, 1) + 2 for name in PANELS], least=[7, 9, 7, 5])
    y = body.y
    for name, tall in zip(PANELS, heights, strict=True):
        places[name] = Region(0, y, side, tall)
        y += tall
    rest = Region(side, body.y, body.width - side, body.height)
    low = max(9, rest.height * 2 // 5)
    places["chart"] = Region(rest.x, rest.y, rest.width, rest.height - low)
    half = rest.width // 2
    places["weights"] = Region(rest.x, rest.bottom - low, half, low)
    places["fit"] = Region(rest.x + half, rest.bottom - low, rest.width - half, low)
    return places


def shares(total: int, wanted: list[int], least: list[int]) -> list[int]:
    """Lines for panes that stand on each other: their least first, then what they want, the rest to the last."""
    given = [min(want, few) for want, few in zip(wanted, least, strict=True)]
    while sum(given) > total:
        given[given.index(max(given))] -= 1
    while sum(given) < total:
        hungry = [index for index, want in enumerate(wanted) if given[index] < want]
        if not hungry:
            given[-1] += total - sum(given)
            break
        given[min(hungry, key=lambda index: given[index] / wanted[index])] += 1
    return given


def _accordion(column: Region, open_pane: str) -> tuple[dict[str, Region], frozenset[str]]:
    places: dict[str, Region] = {}
    tall = column.height - (len(SIDE) - 1)
    y = column.y
    for name in SIDE:
        size = tall if name == open_pane else 1
        places[name] = Region(column.x, y, column.width, size)
        y += size
    return places, frozenset(SIDE) - {open_pane}
