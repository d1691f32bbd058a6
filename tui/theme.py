"""The colours: one calm dark theme with a single accent, and curve colours that colour-blind people tell apart."""

from __future__ import annotations

from dataclasses import dataclass

from rich.color import Color
from rich.style import Style
from textual.theme import Theme

# Curves: Okabe and Ito's palette (2008), lightened for a dark ground.
TRAIN, VALIDATION, OPTIMUM = "#6cb8f0", "#e08fc0", "#3fc79a"
# Classes and weights, where there are many: the same palette first, then colours between.
KINDS = (TRAIN, "#e8b04b", VALIDATION, OPTIMUM, "#f0e442", "#ff7a59", "#a99cf5", "#b8c4cf", "#8bd450", "#5ad7d7")

RAVINE = Theme(
    name="ravine",
    primary="#e8b04b",
    secondary="#8fa3b8",
    accent="#e8b04b",
    warning="#e8b04b",
    error="#ff7a59",
    success=OPTIMUM,
    foreground="#cdd5df",
    background="#0f141a",
    surface="#0f141a",
    panel="#1b232d",
    dark=True,
    variables={
        "pane-border": "#2c3947",
        "pane-border-focus": "#e8b04b",
        "pane-title": "#8fa3b8",
        "input-cursor-background": "#e8b04b",
        "input-cursor-foreground": "#0f141a",
        "input-selection-background": "#e8b04b 30%",
        "scrollbar": "#2c3947",
        "scrollbar-hover": "#3d4d5e",
        "scrollbar-active": "#e8b04b",
        "scrollbar-background": "#0f141a",
    },
)


@dataclass(frozen=True)
class Ink:
    """The styles that our own widgets draw with."""

    text: Style
    strong: Style  # a value that a person chose, a heading
    dim: Style  # help, units, labels
    faint: Style  # rules, axes, what is not there
    accent: Style  # the cursor, the chosen one, keys
    bad: Style
    good: Style
    train: Style
    band: Style  # the raw curve behind a smoothed one
    validation: Style
    optimum: Style
    mark: Style  # a change of the learning rate
    cursor: str  # background of the line under the cursor
    ground: str  # background of everything
    kinds: tuple[Style, ...]  # classes and weights, told apart by a marker of their own too

    def on_cursor(self, style: Style) -> Style:
        """The same ink on the line under the cursor."""
        return style + Style(bgcolor=self.cursor)

    def tint(self, style: Style, share: float) -> str:
        """A background with `share` of the colour of a style in it."""
        color = style.color.get_truecolor().hex if style.color is not None else "#808080"
        return _mix(self.ground, color, share)


def ink(theme: Theme) -> Ink:
    """The inks of a theme; of another theme than ours its own text colours, with our curves."""
    text = theme.foreground or ("#e0e0e0" if theme.dark else "#202020")
    ground = theme.background or ("#101010" if theme.dark else "#f4f4f4")
    accent = theme.accent or theme.primary

    def shade(share: float) -> Style:
        return Style(color=_mix(ground, text, share))

    dark = theme.dark

    def curve(color: str) -> Style:
        return Style(color=color if dark else _mix("#000000", color, 0.62))

    return Ink(
        text=Style(color=text),
        strong=Style(color=_mix(text, "#ffffff" if dark else "#000000", 0.45), bold=True),
        dim=shade(0.62),
        faint=shade(0.34),
        accent=Style(color=accent),
        bad=Style(color=theme.error or "#ff7a59"),
        good=Style(color=theme.success or OPTIMUM),
        train=curve(TRAIN),
        band=Style(color=_mix(ground, TRAIN, 0.42)),
        validation=curve(VALIDATION),
        optimum=curve(OPTIMUM),
        mark=Style(color=_mix(ground, accent, 0.6)),
        cursor=_mix(ground, text, 0.13),
        ground=_mix(ground, ground, 0.0),
        kinds=tuple(curve(color) for color in KINDS),
    )


def _mix(first: str, second: str, share: float) -> str:
    """`share` of the second colour in the first: "#rrggbb"; a colour that has no such form is taken as it is."""
    try:
        a, b = Color.parse(first).get_truecolor(), Color.parse(second).get_truecolor()
    except Exception:  # noqa: BLE001 - a theme's "auto 60%" or "ansi_blue" has no fixed red, green and blue
        return "#c0c0c0"
    mixed = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)
