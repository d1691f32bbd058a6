"""The colours to choose from: ours, one of high contrast, one safe for colour-blind eyes; beside Textual's own."""

from __future__ import annotations

from textual.theme import Theme

from tui.look.styles import RAVINE


def _curves(*colors: str) -> dict[str, str]:
    """Colours of curves and classes, in the order in which they are taken."""
    return {f"curve-{number}": color for number, color in enumerate(colors, start=1)}


def _panes(border: str, title: str, accent: str, ground: str) -> dict[str, str]:
    return {
        "pane-border": border,
        "pane-border-focus": accent,
        "pane-title": title,
        "input-cursor-background": accent,
        "input-cursor-foreground": ground,
        "input-selection-background": f"{accent} 40%",
        "scrollbar": border,
        "scrollbar-hover": title,
        "scrollbar-active": accent,
        "scrollbar-background": ground,
    }


# Every colour of a text stands out from black by at least 7 to 1 (WCAG 2.2, level AAA).
CONTRAST = Theme(
    name="high-contrast",
    primary="#ffd800",
    secondary="#ffffff",
    accent="#ffd800",
    warning="#ffd800",
    error="#ff8a80",
    success="#3dff7c",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1c1c1c",
    dark=True,
    variables={
        **_panes("#b0b0b0", "#ffffff", "#ffd800", "#000000"),
        "contrast": "high",
        **_curves(
            "#00d7ff", "#ff9dff", "#3dff7c", "#ffd800", "#ff8a80", "#ffffff", "#b8a8ff", "#ffb000", "#a8ff60", "#c0c0c0"
        ),
    },
)

# Okabe and Ito, "Color Universal Design" (2008): eight colours that people with any kind of colour vision tell apart.
# Their black, which is the ground here, is replaced by a light grey.
OKABE_ITO = Theme(
    name="colour-blind-safe",
    primary="#f0e442",
    secondary="#a8b3bd",
    accent="#f0e442",
    warning="#e69f00",
    error="#e8743b",
    success="#56b4e9",
    foreground="#d8dde2",
    background="#000000",
    surface="#000000",
    panel="#1b1f23",
    dark=True,
    variables={
        **_panes("#3a4249", "#a8b3bd", "#f0e442", "#000000"),
        **_curves(
            "#56b4e9", "#e69f00", "#009e73", "#f0e442", "#d55e00", "#cc79a7", "#0072b2", "#d8dde2", "#9ad0f2", "#f3c566"
        ),
    },
)

OURS: tuple[Theme, ...] = (RAVINE, CONTRAST, OKABE_ITO)
