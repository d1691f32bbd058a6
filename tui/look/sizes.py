"""Sizes in cells that several rooms of the screen agree on."""

from __future__ import annotations

SMALLEST = (60, 16)  # below it the screen says that it is too small
MESSAGES = 3  # lines for what happens and for the help of what the cursor is on


def too_small(width: int, height: int) -> bool:
    """Whether nothing useful fits."""
    return width < SMALLEST[0] or height < SMALLEST[1]
