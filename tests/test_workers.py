"""Which runs of the tests are shared among processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import workers

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("line", "alone"),
    [
        ("tests", False),
        ("tests/tui", False),
        ("tests/test_workers.py", True),
        ("tests/test_workers.py::test_a tests/test_workers.py::test_b", True),
        ("tests/test_workers.py tests/tui", False),
        ("tests/tui/test_snapshots.py", False),
        ("tests/tui/test_snapshots.py::test_one", True),
        (" ".join(["tests/test_workers.py"] * (workers.FEW + 1)), False),
    ],
)
def test_a_few_tests_run_in_one_process(line: str, alone: bool) -> None:
    assert workers.few(line.split(), ROOT) is alone


def test_what_is_named_for_the_runs_is_there() -> None:
    for name in (workers.TERMINAL, *workers.LONG, *(one.partition("::")[0] for one in workers.SLOW)):
        assert (workers.HERE / name).exists(), name


def test_tests_of_the_terminal_stay_together_and_pictures_do_not() -> None:
    first, second = "tests/terminal/test_copy.py::test_a", "tests/terminal/test_native.py::test_b[x@y]"
    assert workers.group(first) == workers.group(second)
    pictures = [f"tests/tui/test_snapshots.py::test_a[{name}]" for name in ("one", "two")]
    assert workers.group(pictures[0]) != workers.group(pictures[1])
    assert workers.group("tests/engine/base/test_shell.py::test_a[b]") == "tests/engine/base/test_shell.py"
