"""git.diff: what the work tree held beside its commit, from a repository that is trusted with nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from engine.runs import worktree
from engine.runs.provenance import git_commit
from tests.conftest import facts, ravine, recipe, train

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git on this machine")


def git(*words: str) -> str:
    """A command of git's, by a person without settings of their own."""
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
        capture_output=True, text=True, check=True, env={**os.environ, **own},
    )  # fmt: skip
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One commit of one file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GIT_DIR", raising=False)
    monkeypatch.setattr(worktree, "_seen", None)
    git("init", "-q")
    Path("mine.py").write_text("x = 1\n")
    Path(".gitignore").write_text("runs/\nstate/\n")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    return tmp_path


def kept(folder: Path) -> str:
    """What a run keeps of the work tree; empty where it keeps nothing."""
    run = Path(train(recipe(folder, steps=3)).result["run"])
    assert facts(run)["git_commit"] == git("rev-parse", "HEAD").strip()
    found = run / "git.diff"
    return found.read_text() if found.exists() else ""


def test_a_clean_work_tree_leaves_no_file(repository: Path) -> None:
    assert kept(repository) == ""


def test_changes_and_names_that_git_does_not_know_are_kept(repository: Path) -> None:
    Path("mine.py").write_text("x = 2\n")
    Path("a new\tone.py").write_text("")
    Path("ours").mkdir()
    Path("ours/other.py").write_text("")
    text = kept(repository)
    assert "-x = 1\n+x = 2\n" in text
    assert '# not in git: "a new\\tone.py"\n# not in git: ours/\n' in text
    git("checkout", "mine.py")
    subprocess.run(["git", "apply"], input=text, text=True, check=True)  # it is a patch as it stands
    assert Path("mine.py").read_text() == "x = 2\n"


def test_what_is_staged_counts_and_so_does_a_linked_work_tree(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("worktree", "add", "-q", "linked")
    monkeypatch.chdir("linked")
    Path("mine.py").write_text("x = 3\n")
    git("add", "mine.py")
    assert "+x = 3\n" in kept(repository / "linked")


def test_nothing_that_a_repository_names_is_run(repository: Path) -> None:
    marker = repository / "PWNED"
    script = repository / "evil.sh"
    script.write_text(f"#!/bin/sh\necho $0 $@ >> {marker}\ncat\n")
    script.chmod(0o755)
    for name in (
        "core.fsmonitor", "core.pager", "pager.diff", "diff.external", "diff.x.command", "diff.x.textconv",
        "filter.x.clean", "filter.x.smudge", "filter.x.process", "core.sshCommand", "core.editor", "merge.x.driver",
        "core.alternateRefsCommand", "credential.helper", "core.askPass", "diff.tool", "interactive.diffFilter",
    ):  # fmt: skip
        git("config", name, str(script))
    git("config", "filter.x.required", "true")
    git("config", "core.hooksPath", str(repository))
    for hook in ("post-index-change", "post-checkout", "pre-commit", "reference-transaction", "fsmonitor-watchman"):
        shutil.copy(script, repository / ".git/hooks" / hook)
        shutil.copy(script, repository / hook)
    Path(".gitattributes").write_text("* filter=x diff=x merge=x\n")
    Path("mine.py").write_text("x = 4\n")
    text = kept(repository)
    assert "+x = 4\n" in text
    assert not marker.exists()


def test_a_diff_is_bounded(repository: Path) -> None:
    Path("mine.py").write_text("".join(f"x{i} = {i}\n" for i in range(200_000)))
    text = kept(repository)
    assert len(text) < 1.1 * worktree.MOST
    assert text.endswith("and more than a run keeps\n")


@pytest.mark.parametrize("damage", ["index", "HEAD", "objects", "a file", "a pipe"])
def test_a_damaged_repository_costs_no_run(damage: str, repository: Path) -> None:
    Path("mine.py").write_text("x = 5\n")
    if damage == "a file":
        shutil.rmtree(".git")
        Path(".git").write_text("gitdir: /dev/zero\n")
    elif damage == "a pipe":
        shutil.rmtree(".git")
        os.mkfifo(".git")
    elif damage == "objects":
        shutil.rmtree(".git/objects")
    else:
        Path(".git", damage).write_bytes(b"\x00\xff")
    assert train(recipe(repository, steps=3)).result["steps"] == 3


def test_outside_of_a_repository_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert git_commit() is None
    assert worktree.repository() is None


def test_a_run_that_goes_on_keeps_the_diff_it_began_with(repository: Path) -> None:
    Path("mine.py").write_text("x = 6\n")
    options = {"cwd": repository, "XDG_STATE_HOME": str(repository / "state")}
    assert ravine("train --steps 5 --name a", **options).returncode == 0
    before = Path("runs/a/git.diff").read_text()
    Path("mine.py").write_text("x = 7\n")
    assert ravine("resume a --steps 9", **options).returncode == 0
    assert Path("runs/a/git.diff").read_text() == before
