"""The README's key table is the app's own."""

from pathlib import Path

from tui.keymap import KeyTable

README = Path(__file__).parents[2] / "README.md"


def key_table() -> str:
    """The keys as Markdown, a table for each group."""
    lines = []
    for group, rows in KeyTable().help():
        lines += [f"**{group}**", "", "| key | what it does |", "|---|---|"]
        lines += [f"| {keys} | {text} |" for keys, text in rows]
        lines.append("")
    return "\n".join(lines)


def test_the_keys_are_those_of_the_app() -> None:
    text = README.read_text(encoding="utf-8")
    shown = text.partition("<!-- keys -->\n")[2].partition("<!-- end of keys -->")[0]
    assert shown.strip() == key_table().strip()
