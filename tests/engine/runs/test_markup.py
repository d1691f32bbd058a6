"""Reports and texts for TensorBoard: names and values are shown in them, and are never markup, HTML or a link."""

from __future__ import annotations

import html.parser
import json
import tomllib
from pathlib import Path
from typing import Any

import markdown as python_markdown
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from engine.base.printable import printable
from engine.recipe import Known, build
from engine.runs import markup, report
from engine.runs.recorder import recipe_text
from tests.conftest import recipe, train

ODD = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))",
    "![x](javascript:alert(1))", "<javascript:alert(1)>", "[x]: javascript:alert(1)", "JaVaScRiPt:alert(1)",
    "&lt;script&gt;", "&#106;avascript:", "|", "\n# heading\n", "\n\n| a | b |\n|---|---|\n", "---", "===", "> q",
    "- item", "1. item", "`", "```", "\n```\n", "~~~", "**b**", "_i_", "*", "\\", "</details>", "</pre>", "</code>",
    "\x1b[31m", "\u202e", "\r", "\t", "    ", "<!--", "<a", "]",
)  # fmt: skip
TEXT = st.lists(st.one_of(st.sampled_from(ODD), st.text(max_size=4)), min_size=1, max_size=4).map("".join)
HARMLESS = frozenset(
    "h1 h2 p table thead tbody tr th td pre code details summary strong ul li".split()  # noqa: SIM905
)


class Seen(html.parser.HTMLParser):
    """The tags of a page, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert all(name in ("class", "style") for name, _ in attrs), attrs
        self.tags.append(tag)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_data(self, data: str) -> None:
        self.text += data


def rendered(text: str) -> list[Seen]:
    """As two readers of Markdown show it: that of CommonMark, and that of TensorBoard."""
    common = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    other = python_markdown.markdown(text, extensions=["markdown.extensions.tables", "markdown.extensions.fenced_code"])
    return [Seen(common), Seen(other)]


@given(TEXT)
@example("".join(ODD))
@settings(max_examples=150, deadline=None)
def test_a_text_is_shown_and_nothing_else(text: str) -> None:
    for page in rendered(f"before\n\n{markup.line(text)}\n\nafter"):
        assert set(page.tags) <= {"p"}, page.tags
    for page in rendered(f"| a | b |\n|---|---|\n{markup.row((text, 'x'))}\n{markup.row((markup.code(text), 'y'))}\n"):
        assert page.tags.count("td") == 4
        assert set(page.tags) <= HARMLESS
    for page in rendered(f"before\n\n{markup.code_line(text)}\n\nafter"):
        assert set(page.tags) <= {"p", "pre", "code"}
        assert page.tags.count("p") == 2
    common, _ = rendered(f"before\n\n{markup.line(text)}\n\nafter")
    assert common.text.split() == f"before {printable(text)} after".split()
    for made in (markup.line(text), markup.row((text,)), markup.code(text), markup.code_line(text)):
        assert "javascript:" not in made.lower()
        assert "<script" not in made.lower()
        assert printable(made) == made


def test_what_is_no_markup_stays_as_it_is() -> None:
    for text in (
        "All 5 steps are done.",
        "gap <1e-12 & so",
        "x_1",
        "-3.5",
        "a < b > c",
        "80 %",
        "f(x) = (1)",
        "it's #1",
    ):
        assert markup.escaped(text) == text
    assert markup.code("--lr 0.1") == "`--lr 0.1`"
    assert markup.code_line("ravine train 'a b'") == "    ravine train 'a b'"


NAME = '<script>alert(1)</script> [x](javascript:alert(1)) | `b` <img src=x onerror="a">'


def hostile(tree: Any) -> Any:
    """The same tree with every text that is no key made hostile."""
    if isinstance(tree, dict):
        return {key: hostile(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [hostile(value) for value in tree]
    return NAME + "\n# " + tree if isinstance(tree, str) else tree


def test_a_report_of_hostile_names_is_the_report_of_honest_ones(tmp_path: Path) -> None:
    found = []
    for number, names in enumerate((("a", "b", "y", "red", "blue"), tuple(f"{NAME}{i}" for i in range(5)))):
        file = tmp_path / f"table{number}.csv"
        head = ",".join('"' + name.replace('"', '""') + '"' for name in names[:3])
        cells = ['"' + name.replace('"', '""') + '"' for name in names[3:]]
        file.write_text(head + "\n" + "".join(f"{i},{i % 7},{cells[i % 2]}\n" for i in range(30)))
        chosen = recipe(tmp_path, dataset=str(file), target=names[2], steps=20, name=f"run{number}", drop=names[1])
        run = train(chosen).snapshot().run
        assert run is not None
        if number:
            facts = json.loads((run / "run.json").read_text())
            for key in ("ending", "host", "versions", "command", "git_commit", "data"):
                facts[key] = hostile(facts.get(key) or "x")
            facts["data"]["notes"] = [NAME, "# heading", "- item"]
            (run / "run.json").write_text(json.dumps(facts))
            run = run.rename(run.with_name(NAME.replace("/", "")))
        text = report.markdown(run)
        assert "<script" not in text
        assert "javascript:" not in text
        found.append([page.tags for page in rendered(text)])
        block = text.split("```toml\n")[1].split("```\n")[0]
        assert tomllib.loads(block) == tomllib.loads((run / "recipe.toml").read_text())
    for honest, odd in zip(*found, strict=True):
        assert set(odd) <= HARMLESS
        assert odd.count("tr") == honest.count("tr")
        assert odd.count("td") == honest.count("td")
        assert {tag: odd.count(tag) for tag in ("h1", "h2")} == {tag: honest.count(tag) for tag in ("h1", "h2")}


@pytest.mark.parametrize("name", [NAME, "```\n# x"])
def test_what_tensorboard_shows_of_a_recipe(name: str) -> None:
    text = recipe_text(Known(build({"dataset": name, "target": name})))
    for page in rendered(text):
        assert set(page.tags) <= HARMLESS
        assert page.tags.count("tr") == 3
