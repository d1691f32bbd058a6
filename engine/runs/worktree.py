"""How the work tree differs from its commit when a run begins: `git.diff` in the run's folder.

A repository may be anybody's, and its configuration can name programs: filters, drivers, monitors, hooks. So git is not
given it: the diff is made in a temporary repository without a configuration, over the objects and the index of the real
one. Everything happens beside the run, in a thread, bounded in time and size.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from engine.base.errors import InputError
from engine.base.files import read_text, write_bytes

NAME = "git.diff"
MOST = 1 << 20  # bytes of the diff, and of the names
PATIENCE = 4.0  # seconds for all of it
FRESH = 2.0  # seconds in which runs that begin together share one look
CONFIG = "[core]\n\trepositoryformatversion = {version}\n\tbare = false\n{more}"
BEHAVED = (
    "git", "--no-pager", "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null",
    "-c", "protocol.allow=never", "-c", "diff.external=", "-c", "core.untrackedCache=false",
)  # fmt: skip
DIFF = ("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=all")
OTHERS = ("ls-files", "--others", "--exclude-standard", "--directory", "--no-empty-directory")


_looking = threading.Lock()
_seen: tuple[tuple[str, Path], float, bytes] | None = None


class WorkTree:
    """Looks at the work tree in which the process stands, once, in a thread of its own."""

    def __init__(self, commit: str | None) -> None:
        """Begin; without a commit there is nothing to look at."""
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._text: bytes | None = None
        self._thread: threading.Thread | None = None
        place = repository() if commit is not None and "GIT_DIR" not in os.environ else None
        if commit is not None and place is not None:
            self._thread = threading.Thread(target=self._look, args=(commit, *place), name="worktree", daemon=True)
            self._thread.start()

    def into(self, folder: Path) -> None:
        """Have the difference written into a run's folder, now or as soon as it is known."""
        with self._lock:
            self._folder = folder
            self._write()

    def join(self) -> None:
        """Wait until it is written; not long."""
        if self._thread is not None:
            self._thread.join(PATIENCE)

    def _look(self, commit: str, top: Path, git: Path) -> None:
        global _seen
        with _looking:
            if _seen is None or _seen[0] != (commit, top) or time.monotonic() - _seen[1] > FRESH:
                _seen = (commit, top), time.monotonic(), difference(commit, top, git)
            text = _seen[2]
        with self._lock:
            self._text = text
            self._write()

    def _write(self) -> None:
        if self._folder is not None and self._text:
            with suppress(OSError):  # the run itself tells of a disk that is full or a folder that is gone
                write_bytes(self._folder / NAME, self._text, sync=False)
            self._text = None


def repository() -> tuple[Path, Path] | None:
    """The top of the work tree in which the process stands and its git folder; None outside of one."""
    for top in (Path.cwd(), *Path.cwd().parents):
        place = top / ".git"
        if place.is_dir():
            return top, place
        if place.is_file():  # of a linked work tree
            try:
                said = read_text(place, 1 << 12).removeprefix("gitdir:").strip()
            except (OSError, InputError):
                return None
            return top, (top / said).resolve()
    return None


def difference(commit: str, top: Path, git: Path) -> bytes:
    """The names that git does not know, as lines that begin with #, and the diff from a commit; empty where clean.

    Also empty where git is not there, does not understand the repository, or takes too long.
    """
    import shutil
    import tempfile

    common = git
    with suppress(OSError, InputError):
        common = (git / read_text(git / "commondir", 1 << 12).strip()).resolve()
    scratch = tempfile.mkdtemp(prefix="ravine-git-")
    try:
        own = Path(scratch)
        (own / "refs").mkdir()
        (own / "HEAD").write_text(f"{commit}\n", encoding="ascii")
        long = len(commit) == 64
        more = "[extensions]\n\tobjectFormat = sha256\n" if long else ""
        (own / "config").write_text(CONFIG.format(version=int(long), more=more), encoding="ascii")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {
            "GIT_DIR": scratch, "GIT_WORK_TREE": str(top), "GIT_INDEX_FILE": str(git / "index"),
            "GIT_OBJECT_DIRECTORY": str(common / "objects"), "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1", "GIT_NO_LAZY_FETCH": "1",
            "GIT_ALLOW_PROTOCOL": "none", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0",
        }  # fmt: skip
        exclude = common / "info" / "exclude"
        ignored = (f"--exclude-from={exclude}",) if exclude.is_file() else ()
        text = _said((*DIFF, commit, "--"), top, environment)
        names = _said((*OTHERS, *ignored), top, environment)
    except OSError:
        return b""  # no git here, or nowhere to write: there is nothing to record
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    lines = b"".join(b"# not in git: " + name + b"\n" for name in names.splitlines())
    return lines + text


def _said(words: Sequence[str], top: Path, environment: dict[str, str]) -> bytes:
    """What git says, up to MOST bytes; nothing where it fails or takes too long. Raises OSError where there is none."""
    import subprocess

    process = subprocess.Popen(
        [*BEHAVED, *words], cwd=top, env=environment, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    late = threading.Timer(PATIENCE / 2, process.kill)
    late.start()
    try:
        assert process.stdout is not None
        with process.stdout as out:
            text = out.read(MOST + 1)
        if len(text) > MOST:
            process.kill()
            return text[:MOST].rpartition(b"\n")[0] + b"\n# ... and more than a run keeps\n"
        return text if process.wait() == 0 else b""
    finally:
        late.cancel()
        process.kill()
        process.wait()
