"""Panel 3: the model, the optimizer, when to stop, and what to keep."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rich.cells import cell_len

from tui.look.numbers import figures
from tui.widgets.panel import Panel
from tui.widgets.rows import Row, field_row

if TYPE_CHECKING:
    from tui.model.workspace import Workspace

BRIEF = "rate"  # the label of the learning rate where the panel is narrow
SECTIONS = {"optimizer": "", "stopping": "stopping", "model": "model", "recording": "recording"}


class HyperparametersPanel(Panel):
    """Every field of four sections of the recipe, the ones changed most first."""

    number, title, brief_title = 3, "Hyperparameters", "Hyperparams"

    def rows(self, workspace: Workspace) -> list[Row]:
        """The learning rate first, with the largest stable one beside it."""
        rows: list[Row] = []
        for section, heading in SECTIONS.items():
            if heading:
                rows.append(Row("heading", heading))
            fields = [field_row(workspace, c) for c in workspace.choices(section)]
            fields.sort(key=lambda row: row.field != "lr")
            rows += [self._rate(workspace, row) if row.field == "lr" else row for row in fields]
        return rows

    def brief(self, workspace: Workspace) -> str:
        """The learning rate."""
        lr = workspace.recipe.optimizer.lr
        return f"lr {workspace.resolved('lr') or 'auto'}" if lr == "auto" else f"lr {figures(float(lr), 4)}"

    def _rate(self, workspace: Workspace, row: Row) -> Row:
        limit = workspace.rate_limit
        value = row.value if row.note else figures(float(row.value), 4) if row.own else row.value
        if limit is None or value == "auto":
            return row
        rate = workspace.known.plan.lr if workspace.known and not row.own else workspace.recipe.optimizer.lr
        sign = "<" if rate == "auto" or float(rate) < limit else "≥"
        both = f"{value} {sign} {figures(limit, 3)}"
        room = self.size.width - 3 - cell_len(both)
        for label in (row.label, BRIEF):  # half of a number says something else than all of it
            if cell_len(label) <= room:
                return replace(row, label=label, value=both)
        return row
