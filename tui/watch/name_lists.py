"""The lists of runs and of tags beside the curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tui.charts.multi_curve import Logged
from tui.watch.selection import Names, Selection
from tui.widgets.cells import Span
from tui.widgets.table import Listing, TableColumn

WORDS: dict[Names, str] = {"runs": "run", "tags": "tag"}


class NameList(Listing):
    """One of the lists: names, each behind a sign.

    Args:
        what: which of them.
        selection: what is listed, and where the cursor is.
    """

    def __init__(self, what: Names, selection: Selection) -> None:
        super().__init__(what, id=f"{WORDS[what]}-names", empty="looking…" if what == "runs" else "")
        self.what = what
        self._selection = selection

    @property
    def names(self) -> list[str]:
        """Those that are listed."""
        return self._selection.runs if self.what == "runs" else self._selection.tags

    def follow(self) -> None:
        """The cursor where the selection has it."""
        name = self._selection.run if self.what == "runs" else self._selection.tag
        self.cursor = self.names.index(name) if name else 0

    def show(self, width: int, sign: Callable[[str], tuple[Span, Span]], *, loaded: bool) -> None:
        """Fill it.

        Args:
            width: cells for a name.
            sign: the sign of a name, and the name.
            loaded: whether all that was there has been read.
        """
        typed, word = self._selection.filters[self.what], WORDS[self.what]
        self.head(f"{_counted(len(self.names), word)}" + (f" · /{typed}" if typed else ""))
        self.empty = "none" if loaded else "looking…"
        self.fill((TableColumn("", 1), TableColumn("", width)), len(self.names), lambda line: sign(self.names[line]))


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'s' * (count != 1)}"


def fill(runs: NameList, tags: NameList, selection: Selection, drawn: Sequence[Logged], *, loaded: bool) -> None:
    """Fill both lists; the runs whose curves are drawn have the signs of these."""
    ink = runs.ink
    width = max(4, max(8, runs.size.width - 5) - 5)
    of_run: Mapping[str, Logged] = {one.run: curve for one, curve in zip(selection.curves, drawn, strict=True)}
    several = len({one.tag for one in selection.curves}) > 1

    def run(name: str) -> tuple[Span, Span]:
        curve = of_run.get(name)
        sign: Span = (" ", ink.faint)
        if curve is not None:
            sign = ("•" if several else curve.marker, ink.text if several else curve.style)
        return sign, (name, ink.faint if name in selection.hidden else ink.text)

    def tag(name: str) -> tuple[Span, Span]:
        sign = "●" if name in selection.pinned else "•" if name == selection.tag else " "
        return (sign, ink.accent), (name, ink.strong if sign != " " else ink.text)

    runs.show(width, run, loaded=loaded)
    tags.show(width, tag, loaded=loaded)
