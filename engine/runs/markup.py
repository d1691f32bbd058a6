"""Names and values in Markdown: whatever they hold is shown, and none of it is markup, HTML or a link."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from engine.base.printable import printable

_ALWAYS = re.compile(r"[\\`*\[\]|]|(?<=\])\(|~~|(?<!\w)_|_(?!\w)")
_LEADING = re.compile(r"^(?:([#>+=~:-])|(\d+)([.)]))")  # what makes a line a heading, a list, a quotation, a rule
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_ENTITY = re.compile(r"&(?=#|\w+;)")
_SCHEME = re.compile(r"(javascript|vbscript):", re.IGNORECASE)


class Markup(str):
    """Text that is Markdown already."""


def escaped(text: object) -> Markup:
    """A text within a line of Markdown that shows just it; what is no markup stays as it is."""
    if isinstance(text, Markup):
        return text
    plain = _ENTITY.sub("&amp;", printable(str(text)).strip())
    plain = _TAG.sub("&lt;", plain)
    plain = _ALWAYS.sub(lambda found: "".join(f"\\{letter}" for letter in found.group()), plain)
    return Markup(_SCHEME.sub(r"\1&#58;", plain))


def line(text: object) -> Markup:
    """A text as a line of its own: `escaped`, and neither a heading nor a list nor a rule."""
    mend = _LEADING.sub(lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", escaped(text))
    return Markup(mend)


def code(text: str) -> Markup:
    """A value in the type of code."""
    shown = printable(text)
    special = set("`|<&\\") & set(shown) or shown != shown.strip() or not shown or _SCHEME.search(shown)
    return Markup(f"<code>{escaped(shown)}</code>" if special else f"`{shown}`")


def code_line(text: str) -> str:
    """A line of code as a paragraph of its own."""
    shown = printable(text)
    if not set("<&") & set(shown) and not _SCHEME.search(shown):
        return f"    {shown}"
    kept = _SCHEME.sub(r"\1&#58;", html.escape(shown))
    return f"<pre>{kept}</pre>"


def toml(text: str) -> str:
    """A recipe as a block of code; TOML that says the same, without a letter that HTML would take for its own."""
    plain = text.replace("<", "\\u003c")
    plain = _SCHEME.sub(lambda found: f"{found[1]}\\u003a", plain)
    return f"```toml\n{plain}```\n"


def row(cells: Iterable[object]) -> str:
    """A row of a table."""
    return "| " + " | ".join(map(escaped, cells)) + " |"
