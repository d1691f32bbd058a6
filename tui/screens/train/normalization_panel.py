"""Panel 2: how features are brought to one scale, and what each way does to the ravine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.look.numbers import figures
from tui.screens import sentences
from tui.widgets.panel import Panel
from tui.widgets.rows import Row, field_row

if TYPE_CHECKING:
    from tui.model.workspace import Workspace


class NormalizationPanel(Panel):
    """The modes with their condition number and largest stable learning rate."""

    number, title = 2, "Normalization"

    def rows(self, workspace: Workspace) -> list[Row]:
        """The modes, then the other fields of the section."""
        from engine.registry.modes import REGISTRY

        choice = workspace.find("normalize")
        now = workspace.recipe.normalization.normalize
        modes = workspace.known.modes if workspace.known is not None else {}
        wide = self.size.width >= 34
        rows = []
        for word in choice.words:
            label, note, help = REGISTRY[word].label, "", choice.about(word)
            stiffness = modes.get(word)
            if stiffness is not None:
                kappa = "∞" if stiffness.condition_number is None else figures(stiffness.condition_number, 3)
                rate = "-" if stiffness.lr_bound is None else figures(stiffness.lr_bound, 3)
                note = f"κ {kappa:>7} · lr < {rate:<8}" if wide else f"κ {kappa}"
                help = sentences.NORMALIZATION(mode=label, kappa=kappa, rate=rate)
            rows.append(Row("option", label, note=note, field="normalize", sets=word, chosen=word == now, help=help))
        rows += [field_row(workspace, c) for c in workspace.choices("normalization") if c.name != "normalize"]
        return rows
