"""The weights, on normalized features and in the features' own units, with their gradient, and what is multiplied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.base.rounding import ZERO, is_rounding
from tui.charts import sentences
from tui.look.numbers import fixed
from tui.widgets.cells import Span, clip, left, right, wrap
from tui.widgets.scroll import Scrolling

if TYPE_CHECKING:
    from engine.learn.plan import Plan
    from engine.training.snapshot import Snapshot

EMPTY = sentences.WITH_FIRST_STEP()
NUMBER = 11  # cells of a number


class WeightsTable(Scrolling):
    """A line for each feature and the bias, of a network one for each of its parameters; below them the tensors."""

    KIND = "weights"  # decides about the keys

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, classes="pane weights")
        self.border_title = "weights"
        self.folded = False
        self._now: Snapshot | None = None
        self._shapes: tuple[str, ...] = ()
        self._told: tuple[Plan | None, int] = None, 0  # what `_shapes` tell of

    def show(self, now: Snapshot | None, batch: int) -> None:
        """Take the newest weights, and how many rows a batch has."""
        before, self._now = self._now, now
        plan = now.plan if now is not None else None
        other = plan is not self._told[0] or batch != self._told[1]
        if other:
            self._told, self._shapes = (plan, batch), ()
            if plan is not None:
                from engine.learn.shapes import describe

                self._shapes = describe(plan, batch)
        if other or before is None or now is None or before.parameters is not now.parameters:
            self.redraw()

    def action_choose(self) -> None:
        """Show the table large, or small again."""
        self.app.action_large(self.id)  # type: ignore[attr-defined]

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """The headings stay, the rest scrolls."""
        ink, now = self.ink, self._now
        if self.folded:
            return [[(" ▸ ", ink.accent), ("Weights", ink.dim)]]
        if now is None or now.parameters is None:
            return [[], *([(f"  {line}", ink.faint)] for line in wrap(EMPTY, width - 4, height - 1))]
        head, rows = self._linear(now, width) if now.weights is not None else self._network(now, width)
        count = len(rows)
        rows += self._tensors(width)
        seen = self.roll.fit(len(rows), height - 1)
        told = self.roll.told
        if self._shapes and seen.start + height - 1 < count + 3:  # no room for the tensors: in a few words
            shapes = next((s for s in self._shapes if "@" in s), self._shapes[0])
            told = f"{clip(shapes, max(1, width - 8 - len(told) - bool(told)))}  {told}".rstrip()
        self.note(told)
        return [head, *rows[seen.start : seen.stop]]

    def _linear(self, snapshot: Snapshot, width: int) -> tuple[list[Span], list[list[Span]]]:
        """Names to the left, as many number columns as fit, numbers to the right."""
        ink, now = self.ink, snapshot.weights
        assert now is not None
        heads = ["scaled", "raw", "gradient"][: max(1, min(3, (width - 9) // NUMBER))]
        unknown = heads[-1] == "gradient" and all(slope != slope for slope in now.gradient.ravel().tolist())
        if len(heads) < 2 <= (width - 6) // 9 or unknown:
            heads = ["scaled", "raw"]
        size = min(NUMBER, (width - 7) // len(heads))
        name = width - size * len(heads) - 1
        scaled, raw = now.shown()
        slope = snapshot.gradient_size
        rows: list[tuple[Any, ...]] = []
        several = len(now.outputs) > 1
        for k, output in enumerate(now.outputs):
            if several:
                rows.append((f"→ {output}",))
            for index, feature in enumerate(now.features):
                rows.append(
                    (
                        feature,
                        (now.scaled[index, k], scaled.weights[index, k]),
                        (now.raw[index, k], raw.weights[index, k]),
                        (now.gradient[index, k], is_rounding(now.gradient[index, k], slope)),
                    )
                )
            rows.append(
                (
                    "bias",
                    (now.bias_scaled[k], scaled.bias[k]),
                    (now.bias_raw[k], raw.bias[k]),
                    (now.bias_gradient[k], is_rounding(now.bias_gradient[k], slope)),
                )
            )
        lines: list[list[Span]] = []
        for label, *numbers in rows:
            if not numbers:
                lines.append([(left(f" {label}", width), ink.strong)])
                continue
            label = f"  {label}" if several else label
            styles = [ink.text, ink.strong, ink.dim] if len(heads) == 3 else [ink.text, ink.strong]
            digits = 5 if size >= NUMBER else 4
            line: list[Span] = [(left(f" {label}", name), ink.dim)]
            line += [
                (right(ZERO if nothing else fixed(float(n), digits), size), s)
                for (n, nothing), s in zip(numbers[: len(heads)], styles, strict=True)
            ]
            lines.append(line)
        return [(left(" feature", name), ink.faint), *((right(head, size), ink.faint) for head in heads)], lines

    def _network(self, snapshot: Snapshot, width: int) -> tuple[list[Span], list[list[Span]]]:
        """Shape and size of every parameter."""
        import numpy as np

        ink = self.ink
        assert snapshot.parameters is not None
        shape = 12 if width >= 44 else 0
        name = max(8, width - shape - NUMBER * (2 if width >= 36 else 1) - 1)
        heads = ["norm", "largest"] if width >= 36 else ["norm"]
        lines: list[list[Span]] = []
        for label, values in snapshot.parameters.arrays.items():
            with np.errstate(over="ignore", invalid="ignore"):
                numbers = [float(np.linalg.norm(values)), float(np.abs(values).max(initial=0.0))]
            line: list[Span] = [(left(f" {label}", name), ink.dim)]
            if shape:
                line.append((left(str(list(values.shape)), shape), ink.faint))
            line += [(right(fixed(n, 5), NUMBER), ink.text) for n in numbers[: len(heads)]]
            lines.append(line)
        head: list[Span] = [(left(" parameter", name), ink.faint), (left("shape", shape) if shape else "", ink.faint)]
        return [*head, *((right(text, NUMBER), ink.faint) for text in heads)], lines

    def _tensors(self, width: int) -> list[list[Span]]:
        """What is multiplied and added in a step, with every shape."""
        ink = self.ink
        if not self._shapes:
            return []
        lines: list[list[Span]] = [[], [(sentences.TENSORS(), ink.faint)]]
        for text in self._shapes:
            for index, line in enumerate(wrap(text, width - 4, 8)):
                lines.append([("   " if index else " ", ink.dim), (line, ink.dim if index else ink.text)])
        return lines
