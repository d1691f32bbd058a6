"""The table of a run is found from whichever folder one stands in."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Answer, facts, losses, write_csv

Cli = Callable[..., Answer]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli) -> Path:
    """A folder with a table and a run that was begun in it by the table's plain name."""
    folder = tmp_path / "project"
    folder.mkdir()
    rows = np.random.default_rng(0).normal(size=(40, 3))
    write_csv(folder / "sales.csv", ["a", "b", "price"], rows)
    monkeypatch.chdir(folder)
    assert cli("train sales.csv --target price --steps 50 --name first --checkpoint-every 10").code == 0
    return folder


def test_resume_export_and_repeat_work_from_anywhere(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    run = project / "runs" / "first"
    assert facts(run)["data"]["path"] == str(project / "sales.csv")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert cli(f"resume {run} --steps 80").code == 0
    assert len(losses(run)) == 80
    assert cli(f"train --recipe {run} --steps 80 --name again --runs {elsewhere}").code == 0
    assert np.array_equal(losses(elsewhere / "again"), losses(run))
    assert cli(f"train --recipe {run / 'recipe.toml'} --steps 80 --name file --runs {elsewhere}").code == 0
    assert np.array_equal(losses(elsewhere / "file"), losses(run))
    for kind in ("code", "report"):
        assert cli(f"export {run} --format {kind} -o {kind}.out").code == 0
    # What was repeated elsewhere is found from elsewhere again, and from the project too.
    monkeypatch.chdir(project)
    assert cli(f"resume {elsewhere / 'again'} --steps 90").code == 0


def test_a_table_of_the_same_name_here_is_not_taken_for_it(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    run, elsewhere = project / "runs" / "first", tmp_path / "elsewhere"
    elsewhere.mkdir()
    write_csv(elsewhere / "sales.csv", ["a", "b", "price"], np.ones((9, 3)))
    monkeypatch.chdir(elsewhere)
    assert cli(f"resume {run} --steps 60").code == 0


def test_a_project_that_was_moved_as_a_whole(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    moved = tmp_path / "moved"
    shutil.move(project, moved)
    monkeypatch.chdir(tmp_path)
    assert cli("resume moved/runs/first --steps 60").code == 0
    assert facts(moved / "runs" / "first")["data"]["path"] == str(moved / "sales.csv")


def test_a_table_that_is_gone_is_named_by_its_place(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    (project / "sales.csv").unlink()
    monkeypatch.chdir(tmp_path)
    answer = cli(f"resume {project / 'runs' / 'first'} --steps 60")
    assert answer.code == 2
    assert answer.err.count("\n") == 1
    assert str(project / "sales.csv") in answer.err


@pytest.mark.parametrize("name", ["last", "all", "Last", "x" * 121, "é" * 110, ".hidden", "a/b", "ends ", "a\nb", ""])
def test_a_name_that_cannot_be_says_why(cli: Cli, name: str) -> None:
    answer = cli("train houses --steps 2", "--name", name)
    if not name:
        assert answer.code == 0  # no name of one's own
        return
    assert answer.code == 2
    assert answer.err.count("\n") == 1
    word = {"last": "other runs", "all": "other runs"}.get(name.lower()) or ("too long" if len(name) > 50 else "name")
    assert word in answer.err


def test_old_runs_without_a_place_are_looked_for_by_their_own_words(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    import json

    run = project / "runs" / "first"
    known = facts(run)
    del known["data"]["path"]
    (run / "run.json").write_text(json.dumps(known))
    assert cli("resume first --steps 60").code == 0  # where it began
    del known["data"]
    monkeypatch.chdir(tmp_path)
    answer = cli(f"resume {run} --steps 70")  # beside its runs folder
    assert answer.code == 0
