"""Names and other texts from files inside generated Python: always data or a remark, never code.

A name may hold anything: a newline, quotes, a backslash at its end, a character that turns the line around.
"""

from __future__ import annotations

import re

from engine.base.printable import printable

LONGEST = 60  # characters of one name in a remark
_COOKIE = re.compile(r"coding(?=[:=])")  # by which a file declares its encoding (PEP 263)


def literal(text: str) -> str:
    """A text as a Python literal on one line, which holds it exactly; double quotes where that is as plain."""
    found = repr(text)
    if found[0] == "'" and '"' not in found and "\\'" not in found:
        found = f'"{found[1:-1]}"'
    # Some letters that repr lets stand are not seen all the same.
    return "".join(letter if letter == printable(letter) else ascii(letter)[1:-1] for letter in found)


def remark(text: str) -> str:
    """A text for a comment: one line, every character shown, at most `LONGEST` of them, and no coding cookie."""
    shown = _COOKIE.sub("coding ", printable(text))
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"


def in_docstring(text: str) -> str:
    """A remark for a docstring between three double quotes, where backslashes and quotes mean something."""
    return remark(text).replace("\\", "\\\\").replace('"', '\\"')


def plain_name(text: str) -> bool:
    """Whether an import statement may name a module or a class so: identifiers of ASCII letters, with dots between."""
    from keyword import iskeyword

    return all(part.isidentifier() and part.isascii() and not iskeyword(part) for part in text.split("."))
