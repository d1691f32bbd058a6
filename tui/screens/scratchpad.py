"""The scratchpad: an expression, the values of its variables, its gradients, and the graph as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.geometry import Region

from tui.look.numbers import figures, fixed
from tui.screens import sentences
from tui.screens.base import RavineScreen
from tui.widgets.cells import Span, clip, left, right, wrap
from tui.widgets.panel import Panel
from tui.widgets.rows import Row
from tui.widgets.scroll import LINES, Scrolling

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.learn.expression import Gradient, Node
    from tui.model.workspace import Workspace

FIRST = "log((3x + 4y)^2)"
EXPRESSION = "expression"
NUMBER = 12  # cells of a number


class ExpressionPanel(Panel):
    """The expression, and a value for each of its variables.

    Args:
        computed: called when there is another answer, or another problem.
    """

    number, title = 0, "expression"

    def __init__(self, computed: Callable[[], object]) -> None:
        super().__init__(id="pad")
        self._computed = computed
        self.border_title = sentences.EXPRESSION()
        self.text = FIRST
        self.values: dict[str, float] = {}  # those of variables that are gone are kept, they may come back
        self.found: Gradient | None = None
        self.problem = ""
        self._touched = True

    @property
    def names(self) -> tuple[str, ...]:
        """The variables of the expression."""
        from engine.base.errors import InputError
        from engine.learn.expression import variables

        try:
            return variables(self.text)
        except InputError:
            return ()

    def rows(self, workspace: Workspace) -> list[Row]:
        """The expression first."""
        rows = [Row("field", "f =", self.text, field=EXPRESSION, own=True)]
        if self.names:
            rows.append(Row("heading", "values"))
        return rows + [
            Row("field", name, f"{self.values.get(name, 1.0):g}", field=name, own=True) for name in self.names
        ]

    def help(self) -> tuple[str, bool]:
        """What can be typed."""
        if self._editor is not None and self._editor.problem:
            return self._editor.problem, True
        row = self.current
        if row is None or row.field == EXPRESSION:
            return (
                sentences.SCRATCHPAD_HELP(),
                False,
            )
        return sentences.VALUE_OF(name=row.field), False

    def action_choose(self) -> None:
        """Type it."""
        row = self.current
        if row is not None:
            self.edit(row.field, row.label, row.value, FIRST)
            self._tell()

    def action_reset(self) -> None:
        """Back to the example, or to 1."""
        row = self.current
        if row is not None:
            self.taken(row.field, FIRST if row.field == EXPRESSION else "1")
            self._tell()

    def on_key(self, event: events.Key) -> None:
        """A figure begins a new value."""
        row, character = self.current, event.character
        if row is None or row.field == EXPRESSION or self._editor is not None:
            return
        if character and character in "0123456789.-":
            event.stop()
            self.edit(row.field, row.label, character, select=False)

    def check(self, field: str, text: str) -> str:
        """Compute with what is typed; why that cannot be done, in a sentence."""
        expression, values = self._with(field, text)
        if values is None:
            return sentences.MUST_BE_NUMBER(name=field, text=text or sentences.EMPTY())
        return self.compute(expression, values)

    def _with(self, field: str, text: str) -> tuple[str, dict[str, float] | None]:
        if field == EXPRESSION:
            return text, dict(self.values)
        try:
            return self.text, {**self.values, field: float(text)}
        except ValueError:
            return self.text, None

    def compute(self, expression: str, values: dict[str, float]) -> str:
        """Show value and gradients; what is wrong, in a sentence, and empty where nothing is."""
        from engine.base.errors import InputError
        from engine.learn.expression import differentiate, variables

        try:
            names = variables(expression)
            self.found = differentiate(expression, {name: values.get(name, 1.0) for name in names})
            self.problem = ""
        except InputError as error:
            self.found, self.problem = None, str(error)
        self._computed()
        return self.problem

    def taken(self, field: str, text: str) -> None:
        """Keep it."""
        expression, values = self._with(field, text)
        if values is not None:
            self.text, self.values = expression, values
            self.compute(expression, values)

    def close_editor(self) -> None:
        """Leave the editor; what is shown is what is kept."""
        super().close_editor()
        self.compute(self.text, self.values)


class ExpressionTree(Scrolling):
    """The value, the gradients, and the graph from the whole down to its leaves."""

    KIND = "text"

    def __init__(self) -> None:
        super().__init__(id="tree", classes="pane")
        self.border_title = sentences.VALUE_AND_GRAPH()
        self.found: Gradient | None = None
        self.problem = ""

    def told(self, width: int) -> list[list[Span]]:
        """The answer above, the tree below."""
        ink, found = self.ink, self.found
        if found is None:
            return [[], *([(f"  {line}", ink.bad)] for line in wrap(self.problem, width - 4, LINES))]
        lines: list[list[Span]] = [[(" value  ", ink.dim), (figures(found.value, 8), ink.accent)]]
        if found.gradients:
            size = max(cell_len(variable) for variable in found.gradients)
            for variable, slope in found.gradients.items():
                lines.append([(f" ∂f/∂{left(variable, size)}  ", ink.dim), (figures(slope, 8), ink.strong)])
        lines.append([])
        name = max(12, width - 2 * NUMBER - 2)
        heads = [(right("value", NUMBER), ink.faint), (right("gradient", NUMBER), ink.faint)]
        lines.append([(left(sentences.PART(), name), ink.faint), *heads])
        lines += [self._line(node, stem, name) for node, stem in _walk(found.tree)]
        return lines

    def _line(self, node: Node, stem: str, name: int) -> list[Span]:
        ink = self.ink
        label = clip(node.label, max(4, name - cell_len(stem) - 2))
        style = ink.text if node.children else ink.accent if node.gradient is not None else ink.dim
        slope = "constant" if node.gradient is None else fixed(node.gradient, 5)
        return [
            (f" {stem}", ink.faint),
            (left(label, name - cell_len(stem) - 1), style),
            (right(fixed(node.value, 5), NUMBER), ink.text),
            (right(slope, NUMBER), ink.strong if node.gradient is not None else ink.faint),
        ]


def _walk(node: Node, before: str = "", fork: str = "") -> list[tuple[Node, str]]:
    """Every node with the lines that lead to it, from the top."""
    found = [(node, before + fork)]
    below = before + {"": "", "├─ ": "│  ", "└─ ": "   "}[fork]
    for index, child in enumerate(node.children):
        last = index == len(node.children) - 1
        found += _walk(child, below, "└─ " if last else "├─ ")
    return found


class ScratchpadScreen(RavineScreen):
    """Type an expression, see what autograd does with it."""

    NAME = "scratchpad"

    def panes(self) -> ComposeResult:
        """What is typed, and what comes of it."""
        self.pad, self.tree_pane = ExpressionPanel(self.show_tree), ExpressionTree()
        yield self.pad
        yield self.tree_pane

    @property
    def has_rows(self) -> bool:
        """There is always the expression."""
        return True

    def on_mount(self) -> None:
        """The cursor is on the expression."""
        self.pad.focus()
        self.pad.compute(self.pad.text, self.pad.values)

    def places(self, width: int, height: int) -> dict[str, Region]:
        """Beside each other, or below where it is narrow."""
        places, body = self.body(width, height)
        if width >= 110:
            side = 56
            pad = Region(0, body.y, side, body.height)
            return {**places, "pad": pad, "tree": Region(side, body.y, width - side, body.height)}
        tall = min(max(5, self.pad.wanted + 2), body.height // 2)
        return {
            **places,
            "pad": Region(0, body.y, width, tall),
            "tree": Region(0, body.y + tall, width, body.height - tall),
        }

    def show_tree(self) -> None:
        """What the pad found."""
        self.tree_pane.found, self.tree_pane.problem = self.pad.found, self.pad.problem
        self.tree_pane.redraw()
        self.lay_out()

    def on_panel_moved(self, message: Panel.Moved) -> None:
        """Another field is under the cursor."""
        self.show()

    def show(self) -> None:
        """The bars and the pad."""
        self.messages.hint = self.pad.help()
        super().show()
        self.pad.redraw()
