"""Panel 1: which table, which columns, which rows."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from tui.look.numbers import count
from tui.screens import sentences
from tui.widgets.panel import Panel
from tui.widgets.rows import Row, field_row

if TYPE_CHECKING:
    from engine.recipe import Choice
    from tui.model.workspace import Workspace

TASKS = {"regression": "reg", "binary": "bin", "multiclass": "multi"}
RECENT = 3  # files used before that are offered
OWN = "own"  # marks the row of the person's own table


class DatasetPanel(Panel):
    """The built-in sets, the person's own file, and how a table is read."""

    number, title = 1, "Dataset"

    def rows(self, workspace: Workspace) -> list[Row]:
        """The sets first, then the fields of the data section."""
        now = workspace.recipe.data.dataset
        names = {s.name for s in workspace.sets}
        base = now.partition(":")[0]
        own = bool(names) and base not in names
        rows = [self._own_row(workspace, now if own else "")]
        here = Path(now).expanduser().absolute()
        rows += [
            Row(
                "option",
                path.name,
                note=sentences.USED_BEFORE() if self._roomy else "recent",
                field="dataset",
                sets=str(path),
                help=str(path),
            )
            for path in [path for path in workspace.recent if path != here][:RECENT]
        ]
        for one in workspace.sets:
            chosen = base == one.name
            survey = workspace.known if chosen else None
            rows_, features, task = (
                (survey.rows, len(survey.features), survey.task)
                if survey is not None
                else (one.rows, one.features, one.task)
            )
            note = f"{count(rows_)} x {features}" + (f"  {TASKS.get(task, task):<3}" if self._roomy else "")
            rows.append(
                Row("option", one.name, note=note, field="dataset", sets=one.name, chosen=chosen, help=one.help)
            )
        rows.append(Row("heading", sentences.COLUMNS_AND_ROWS()))
        rows += [field_row(workspace, c) for c in workspace.choices("data") if c.name != "dataset"]
        return rows

    @property
    def _roomy(self) -> bool:
        return self.size.width > 30

    def _own_row(self, workspace: Workspace, own: str) -> Row:
        help = sentences.OWN_TABLE()
        if not own:
            return Row("option", sentences.YOUR_FILE(), field="dataset", sets=OWN, help=help)
        note = ""
        if workspace.known is not None:
            task = TASKS.get(workspace.known.task, workspace.known.task)
            note = f"{count(workspace.known.rows)} x {len(workspace.known.features)}" + (
                f"  {task:<3}" if self._roomy else ""
            )
        elif workspace.problem:
            return Row(
                "option", Path(own).name, note="problem", field="dataset", sets=OWN, chosen=True,
                help=help,
            )  # fmt: skip
        return Row("option", Path(own).name, note=note, field="dataset", sets=OWN, chosen=True, help=f"{own}. {help}")

    def ask_target(self) -> None:
        """Of a table whose target nobody has named: unfold the columns, the cursor on the last one. Once a table."""
        workspace = self.workspace
        if workspace is None or workspace.table is None or workspace.table is self._asked_of or not workspace.problem:
            return
        if workspace.recipe.data.target is None and workspace.table.target is None and self.has_focus:
            self._asked_of = workspace.table
            self._rows = self._all_rows(workspace)
            self._touched = True
            self._cursor = next(i for i, row in enumerate(self._rows) if row.field == "target")
            self._unfolded = "target"
            self._cursor += len(columns(workspace))
            self._tell()

    _asked_of: object = None

    def check(self, field: str, text: str) -> str:
        """Names of columns are looked for in the table while they are typed."""
        problem = super().check(field, text)
        workspace = self.workspace
        if problem or workspace is None or workspace.table is None or field not in ("features", "drop", "types"):
            return problem
        known = columns(workspace)
        unknown = next((name for name in workspace.recipe.replace({field: text}).get(field) if name not in known), None)
        if unknown is None:
            return ""
        near = get_close_matches(unknown, known, 1, 0.4)
        hint = sentences.NEAREST(name=near[0]) if near else sentences.THE_COLUMNS(names=known[:8])
        return sentences.UNKNOWN_COLUMN(column=unknown, table=Path(workspace.recipe.data.dataset).name, hint=hint)

    def words(self, workspace: Workspace, choice: Choice) -> tuple[str, ...]:
        """The columns of the table are the words of the target, its two classes those of the positive one."""
        if choice.name == "target":
            return columns(workspace)
        if choice.name == "positive" and workspace.known is not None and len(workspace.known.prepared.classes) == 2:
            return ("auto", *workspace.known.prepared.classes)
        return super().words(workspace, choice)

    def take(self, workspace: Workspace, row: Row) -> None:
        """A set is taken with its own columns; the own row opens the editor."""
        if row.field != "dataset":
            super().take(workspace, row)
        elif row.sets == OWN:
            self._pick(workspace, workspace.recipe.data.dataset if row.chosen else "")
        else:
            self._take_table(workspace, row.sets)

    def _pick(self, workspace: Workspace, text: str) -> None:
        from tui.widgets.file_picker import FilePicker

        def take(text: str | None) -> None:
            if text is not None:
                self._take_table(workspace, text)
                self._tell()

        self.app.push_screen(FilePicker(text, workspace.recent), take)

    def _take_table(self, workspace: Workspace, text: str) -> None:
        values: dict[str, object] = {"dataset": text}
        if text != workspace.recipe.data.dataset:
            # What was said about the columns of another table does not hold for this one.
            values |= {"target": None, "features": (), "drop": (), "types": {}, "task": "auto"}
        workspace.set(values)


def columns(workspace: Workspace) -> tuple[str, ...]:
    """The names of the columns of the chosen table, as far as it has been read."""
    table = workspace.table
    return tuple(column.name for column in table.columns) if table is not None else ()
