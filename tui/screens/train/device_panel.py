"""Panel 4: where and how exactly it is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.screens import sentences
from tui.widgets.panel import Panel
from tui.widgets.rows import Row, field_row

if TYPE_CHECKING:
    from tui.model.workspace import Desk


class DevicePanel(Panel):
    """The devices that were found, each with a verdict that a real computation gave, then the fields of the section."""

    number, title = 4, "Device"

    def brief(self, desk: Desk) -> str:
        """The device that is meant."""
        return desk.resolved("device") or desk.recipe.device.device

    def rows(self, desk: Desk) -> list[Row]:
        """`auto` first."""
        now = desk.recipe.device.device
        auto = desk.resolved("device")
        rows = [
            Row(
                "option", "auto", note=auto, field="device", sets="auto", chosen=now == "auto",
                help=sentences.PROCESSOR(),
            )
        ]  # fmt: skip
        for device in desk.devices:
            chosen = now == device.name or (now in ("cuda", "xpu") and device.name == f"{now}:0")
            help = f"{device.title}: {device.verdict}."
            rows.append(
                Row(
                    "option", device.name, note=device.title if device.usable else sentences.NOT_USABLE(),
                    field="device", sets=device.name, chosen=chosen, usable=device.usable, help=help,
                )
            )  # fmt: skip
        if not desk.devices:
            rows.append(Row("heading", sentences.LOOKING_FOR_DEVICES()))
        rows += [field_row(desk, c) for c in desk.choices("device") if c.name != "device"]
        return rows
