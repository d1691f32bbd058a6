"""The README's key table is the app's own."""

import re
from pathlib import Path

from tui.keys.keymap import KeyTable
from tui.keys.table import GROUPS, KEYS

README = Path(__file__).parents[2] / "README.md"


def key_table() -> str:
    """The keys as Markdown, a table for each group."""
    lines = []
    table = KeyTable()
    for group, prefixes in GROUPS:
        lines += [f"**{group}**", "", "| key | what it does | id |", "|---|---|---|"]
        rows = [key for key in KEYS if key.id.startswith(prefixes)]
        lines += [f"| {table.all_marks(key)} | {key.help} | {key.id} |" for key in rows]
        lines.append("")
    return "\n".join(lines)


def test_the_pictures_are_there() -> None:
    shown = re.findall(r"!\[.*?\]\((.*?)\)", README.read_text(encoding="utf-8"))
    assert shown
    for path in shown:
        assert (README.parent / path).read_text(encoding="utf-8").startswith("<svg"), path


def test_the_keys_are_those_of_the_app() -> None:
    text = README.read_text(encoding="utf-8")
    shown = text.partition("<!-- keys -->\n")[2].partition("<!-- end of keys -->")[0]
    assert shown.strip() == key_table().strip()
