"""Our own theme, calm and dark with a single accent, and the inks that any theme gives to what we draw ourselves."""

from __future__ import annotations

from dataclasses import dataclass

from rich.color import Color, ColorParseError
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


PLAIN = Style()


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
    chosen: Style = PLAIN  # what the line under the cursor has besides: reversed, where there are no colours

    def on_cursor(self, style: Style) -> Style:
        """The same ink on the line under the cursor."""
        return style + Style(bgcolor=self.cursor) + self.chosen

    def tint(self, style: Style, share: float) -> str:
        """A background with `share` of the colour of a style in it."""
        color = style.color.get_truecolor().hex if style.color is not None else "#808080"
        return _mix(self.ground, color, share)


def hue(style: Style) -> str:
    """The colour of a style as markup names it."""
    return style.color.get_truecolor().hex if style.color is not None else "#c0c0c0"


def bare_ink() -> Ink:
    """The inks without any colour: bold, dim, underlined and reversed tell things apart."""
    plain, bold, dim = Style(), Style(bold=True), Style(dim=True)
    return Ink(
        text=plain,
        strong=bold,
        dim=plain,
        faint=dim,
        accent=bold,
        bad=Style(bold=True, underline=True),
        good=bold,
        train=bold,
        band=dim,
        validation=plain,
        optimum=plain,
        mark=dim,
        cursor="default",
        ground="default",
        kinds=(plain,) * len(KINDS),
        chosen=Style(reverse=True),
    )


def ink(theme: Theme, *, colour: bool = True) -> Ink:
    """The inks of a theme, or those that do without colours."""
    if not colour:
        return bare_ink()
    text = _solid(theme.foreground) or ("#e0e0e0" if theme.dark else "#202020")
    ground = _ground(theme)
    accent = _solid(theme.accent) or _solid(theme.primary) or RAVINE.primary
    high = theme.variables.get("contrast") == "high"

    def shade(share: float) -> Style:
        return Style(color=_mix(ground, text, share))

    curves = curve_colours(theme)
    train, validation, optimum = curves[:3]
    return Ink(
        text=Style(color=text),
        strong=Style(color=_mix(text, "#ffffff" if theme.dark else "#000000", 0.45), bold=True),
        dim=shade(0.85 if high else 0.62),
        faint=shade(0.69 if high else 0.34),
        accent=Style(color=accent),
        bad=Style(color=_solid(theme.error) or "#ff7a59"),
        good=Style(color=_solid(theme.success) or OPTIMUM),
        train=Style(color=train),
        band=Style(color=_mix(ground, train, 0.42)),
        validation=Style(color=validation),
        optimum=Style(color=optimum),
        mark=Style(color=_mix(ground, accent, 0.6)),
        cursor=_mix(ground, text, 0.3 if high else 0.13),
        ground=_mix(ground, ground, 0.0),
        kinds=tuple(Style(color=color) for color in _kinds(curves)),
    )


def _kinds(curves: tuple[str, ...]) -> tuple[str, ...]:
    """The colours of classes: those of the curves, but the accent of our own palette comes second."""
    if curves[:3] == (TRAIN, VALIDATION, OPTIMUM):
        return KINDS
    return curves


def curve_colours(theme: Theme) -> tuple[str, ...]:
    """Ten colours for curves: those that a theme names, else those of its colours that can be told apart, and ours."""
    named = [theme.variables[name] for name in (f"curve-{n}" for n in range(1, 11)) if name in theme.variables]
    if named:
        return tuple(named)
    ours = (TRAIN, VALIDATION, OPTIMUM, *KINDS)
    own = (theme.primary, theme.secondary, theme.success, theme.accent, theme.warning, theme.error)
    ground = _rgb(_ground(theme)) or (0, 0, 0)
    mine = [color if theme.dark else _mix("#000000", color, 0.62) for color in dict.fromkeys(ours)]
    found: list[tuple[int, int, int]] = []
    for color in [*(own if theme.name != RAVINE.name else ()), *mine]:
        rgb = _rgb(color or "")
        apart = rgb is not None and all(_distance(rgb, other) > APART for other in found)
        if rgb is not None and apart and _contrast(rgb, ground) >= READABLE:
            found.append(rgb)
    spare = [rgb for color in mine if (rgb := _rgb(color)) is not None and rgb not in found]
    return tuple("#" + "".join(f"{part:02x}" for part in rgb) for rgb in (found + spare)[:10])


def pane_colours(theme: Theme) -> dict[str, str]:
    """The colours of borders and titles that suit a theme."""
    inks = ink(theme)
    names = {"pane-border": inks.faint, "pane-border-focus": inks.accent, "pane-title": inks.dim}
    return {name: style.color.name for name, style in names.items() if style.color is not None}


APART = 70.0  # how different two curves' colours are at least
READABLE = 3.0  # contrast of a curve with its ground at least (WCAG 2.2, 1.4.11)


def _solid(color: str | None) -> str | None:
    """A colour that has red, green and blue, as it is; None for "ansi_default" and for no colour."""
    return color if color and _rgb(color) is not None else None


def _ground(theme: Theme) -> str:
    return _solid(theme.background) or ("#101010" if theme.dark else "#f4f4f4")


def _rgb(color: str) -> tuple[int, int, int] | None:
    """Red, green and blue; None for a colour that has none of its own, such as "ansi_blue"."""
    try:
        found = Color.parse(color).get_truecolor()
    except ColorParseError:
        return None
    return found.red, found.green, found.blue


def _distance(a: tuple[int, int, int], b: tuple[int, int, int]) -> float:
    """How different two colours look: https://www.compuphase.com/cmetric.htm (a weighted distance, 0 to 765)."""
    red = (a[0] + b[0]) / 2
    dr, dg, db = (x - y for x, y in zip(a, b, strict=True))
    return float(((2 + red / 256) * dr * dr + 4 * dg * dg + (2 + (255 - red) / 256) * db * db) ** 0.5)


def _contrast(a: tuple[int, int, int], b: tuple[int, int, int]) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(rgb: tuple[int, int, int]) -> float:
    parts = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def _mix(first: str, second: str, share: float) -> str:
    """`share` of the second colour in the first: "#rrggbb"; a colour that has no such form is taken as it is."""
    a, b = _rgb(first), _rgb(second)
    if a is None or b is None:  # a theme's "ansi_blue" has no fixed red, green and blue
        return "#c0c0c0"
    mixed = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)
