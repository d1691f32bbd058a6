"""Messages are told apart by their types: each has its own handler, and nothing is looked up by a name in a text."""

from __future__ import annotations

import ast
import pkgutil
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from textual.message import Message

import tui

ROOT = Path(tui.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
ALLOWED = (
    "getattr(module, '__file__', None)",  # what sys.modules holds may be anything
    "getattr(plan, field, None)",  # a plan has some of the recipe's fields under their names
)
CHILDREN = {"tui.tasks.tensorboard_child"}  # programs of their own


def _modules() -> list[str]:
    return [found.name for found in pkgutil.walk_packages([str(ROOT)], "tui.") if found.name not in CHILDREN]


def _messages() -> list[type[Message]]:
    """Every message of ours and of Textual."""
    for name in _modules():
        import_module(name)
    found: list[type[Message]] = []
    waiting = [Message]
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        found += [one] if one is not Message else []
    return [one for one in dict.fromkeys(found) if one.__module__.partition(".")[0] in ("tui", "textual")]


def _ours() -> list[type[Message]]:
    return [one for one in _messages() if one.__module__.startswith("tui.")]


def test_no_two_messages_share_a_handler() -> None:
    by_handler = defaultdict(set)
    for one in _messages():
        by_handler[one.handler_name].add(one)
    ours = _ours()
    assert len(ours) > 20
    shared = {name: found for name, found in by_handler.items() if len(found) > 1 and found & set(ours)}
    assert not shared


def _handlers() -> Iterator[tuple[str, str, ast.expr | None]]:
    """Every handler of a message: where it is, its name, and what it takes, if anything."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("on_"):
                taken = node.args.args[1:]
                if not taken or taken[0].arg in ("message", "event"):
                    where = f"{path.relative_to(ROOT.parent)}:{node.lineno}"
                    yield where, node.name, taken[0].annotation if taken else None


def test_every_handler_takes_the_message_that_it_is_called_for() -> None:
    names = {one.handler_name: one for one in _messages()}
    wrong = []
    for where, name, taken in _handlers():
        if taken is None:
            continue
        said = ast.unparse(taken).strip("'\"").rpartition(".")[2]
        if name not in names or names[name].__name__ != said:
            wrong.append(f"{where} {name} takes {ast.unparse(taken)}")
    assert not wrong, "\n".join(wrong)


def test_every_message_of_ours_is_handled() -> None:
    handled = {name for _, name, _ in _handlers()}
    assert not {one.__qualname__ for one in _ours() if one.handler_name not in handled}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_looked_up_by_the_name_of_an_attribute_that_may_not_be_there(path: Path) -> None:
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    found = [
        f"line {call.lineno}: {ast.unparse(call)}"
        for call in calls
        if isinstance(call.func, ast.Name)
        and (call.func.id in ("hasattr", "setattr", "delattr") or (call.func.id == "getattr" and len(call.args) > 2))
        and not any(allowed in ast.unparse(call) for allowed in ALLOWED)
    ]
    assert not found
