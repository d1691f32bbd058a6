"""Panel 4: where and how exactly it is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.screens import sentences
from tui.widgets.panel import Panel
from tui.widgets.rows import Row, field_row

if TYPE_CHECKING:
    from tui.model.workspace import Workspace


class DevicePanel(Panel):
    """The devices that were found, each with a verdict that a real computation gave, then the fields of the section."""

    number, title = 4, "Device"

    def brief(self, workspace: Workspace) -> str:
        """The device that is meant."""
        return workspace.resolved("device") or workspace.recipe.device.device

    def rows(self, workspace: Workspace) -> list[Row]:
        """`auto` first."""
        now = workspace.recipe.device.device
        auto = workspace.resolved("device")
        rows = [
            Row(
                "option", "auto", note=auto, field="device", sets="auto", chosen=now == "auto",
                help=sentences.PROCESSOR(),
            )
        ]  # fmt: skip
        for device in workspace.devices:
            chosen = now == device.name or (now in ("cuda", "xpu") and device.name == f"{now}:0")
            help = f"{device.title}: {device.verdict}."
            rows.append(
                Row(
                    "option", device.name, note=device.title if device.usable else sentences.NOT_USABLE(),
                    field="device", sets=device.name, chosen=chosen, usable=device.usable, help=help,
                )
            )  # fmt: skip
        if not workspace.devices:
            rows.append(Row("heading", sentences.LOOKING_FOR_DEVICES()))
        rows += [field_row(workspace, c) for c in workspace.choices("device") if c.name != "device"]
        return rows
