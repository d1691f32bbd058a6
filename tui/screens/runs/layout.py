"""Where the panes of the runs screen lie. Sizes in cells; nothing here knows a widget."""

from __future__ import annotations

from textual.geometry import Region


def arrange(between: Region, *, line: int, several: bool, large: bool) -> dict[str, Region]:
    """The list above, curve and facts below.

    Args:
        between: what is left by the bars.
        line: the height of the line that is typed; 0 where nothing is asked.
        several: whether the curves of marked runs show, in the place of the one of the run under the cursor.
        large: whether the chart shows alone.
    """
    places = {}
    if line:
        between = Region(0, between.y, between.width, between.height - line)
        places["prompt"] = Region(0, between.bottom, between.width, line)
    chart = "run-curves" if several else "run-chart"
    if large:
        return {**places, chart: between}
    above, side = max(5, between.height // 2), min(56, between.width // 2)
    y, below = between.y + above, between.height - above
    return {
        **places,
        "run-list": Region(0, between.y, between.width, above),
        chart: Region(0, y, between.width - side, below),
        "run-facts": Region(between.width - side, y, side, below),
    }
