"""The lock of a run: whoever writes into its folder has it. A folder, for a lock on a file fails on some network disks.

It is made aside with the owner's token in it and renamed to `lock`, which no file system does over a folder that is not
empty: so it has an owner from the first moment, and one owner. To take it from a writer that is proven dead is to
remove that writer's token, by its name, which never touches anybody else's; the empty folder is then taken like none.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from engine.base.errors import InputError
from engine.runs import heartbeat, leftovers, sentences
from engine.runs.facts import read_facts
from engine.runs.leftovers import LOCK_ASIDE
from engine.runs.liveness import LOCK, Owner, of_owner, owner, standing
from engine.runs.processes import own

TAKEN = (errno.ENOTEMPTY, errno.EEXIST)
PATIENCE = 5.0  # seconds in which a network disk shows whose the lock is


class HeldError(InputError):
    """Another process has the run."""


class LostError(Exception):
    """Another process has taken the run over; this one writes no more."""


class Lock:
    """The right to write into a run's folder, with the heartbeat that goes with it."""

    def __init__(self, run: Path, token: str, handle: int) -> None:
        self.run, self.token = run, token
        self._handle = handle  # of the token's file
        self._file = run / LOCK / token
        self._heart = heartbeat.Heart(run, token, self._held)
        self._released = False

    @classmethod
    def take(cls, run: Path, *, take_over: bool = False) -> Lock:
        """Take the lock of a run's folder.

        Args:
            take_over: also from a writer that cannot be asked; never from one that is known to live.

        Raises:
            HeldError: another process has it, or may have it.
            InputError: the folder is gone or cannot be written.
        """
        if (why := _refusal(run, take_over)) is not None:
            raise HeldError(why)
        token = os.urandom(8).hex()
        aside = run / f"{LOCK_ASIDE}{token}"
        handle = -1
        try:
            os.mkdir(aside)
            handle = os.open(aside / token, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            node = os.stat(run)
            said = {"process": own().to_dict(), "folder": [node.st_dev, node.st_ino], "kept": _keep(handle)}
            os.write(handle, json.dumps(said).encode())
            _enter(run, aside, take_over)
            lock = cls(run, token, handle)
            handle = -1
        except OSError as error:
            if isinstance(error, FileNotFoundError) and run.is_dir():  # swept away by one that was quicker
                raise HeldError(_told(run)) from None
            where = error.filename or aside
            raise InputError(sentences.NOT_LOCKED(run=run, reason=error.strerror or error, path=where)) from None
        finally:
            if handle >= 0:
                os.close(handle)
            shutil.rmtree(aside, ignore_errors=True)  # no more there where it was taken
        leftovers.sweep_run(run, age=0.0)
        lock._heart.start()
        return lock

    def check(self) -> None:
        """Raise LostError where another process has taken the run over, or its lock was removed. Raises OSError."""
        if self._held():
            return
        found = owner(self.run)
        if found is not None and found.process is not None:
            pid, host = found.process.pid, found.process.host
            raise LostError(sentences.TAKEN_OVER(run=self.run.name, pid=pid, host=host))
        raise LostError(sentences.LOCK_REMOVED(run=self.run.name))

    def _held(self) -> bool:
        """Whether the lock is still ours. Opens the token, for a network disk looks anew then. Raises OSError."""
        try:
            os.close(os.open(self._file, os.O_RDONLY | os.O_CLOEXEC))
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            if error.errno == errno.ESTALE:
                return False
            raise
        return True

    def release(self) -> None:
        """Give it back; once is enough. What somebody else has taken is left alone."""
        if self._released:
            return
        self._released = True
        self._heart.stop()
        try:
            with suppress(OSError):  # the folder may be gone; a token that stays is that of a dead process soon
                if self._held():
                    (self.run / heartbeat.NAME).unlink(missing_ok=True)
        finally:
            os.close(self._handle)  # before the file goes: of an open one a network disk keeps another
        with suppress(OSError):
            self._file.unlink()
            os.rmdir(self.run / LOCK)


def _keep(handle: int) -> bool:
    """Lock a file for as long as the process lives, where the file system can: see `liveness.Owner.kept`."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _enter(run: Path, aside: Path, take_over: bool) -> None:
    """Put a prepared folder in the place of none, or of an empty one. Raises HeldError and OSError."""
    place, end = run / LOCK, time.monotonic() + PATIENCE
    while True:
        try:
            os.rename(aside, place)
            return
        except OSError as error:
            if error.errno not in TAKEN:
                raise
        found = owner(run)
        if found is None:  # given back meanwhile; or a file system that replaces no folder, not even an empty one
            with suppress(OSError):
                os.rmdir(place)
        elif _free(run, found, take_over):
            with suppress(FileNotFoundError):
                (place / found.token).unlink()
            continue
        else:
            raise HeldError(_told(run))
        if time.monotonic() >= end:
            raise HeldError(_told(run))
        time.sleep(0.001)


def _free(run: Path, held: Owner, take_over: bool) -> bool:
    """Whether an owner's lock may be taken away."""
    verdict = of_owner(run, held)
    return bool(held.token) and (verdict == "dead" or (verdict == "unknown" and take_over))


def _refusal(run: Path, take_over: bool) -> str | None:
    """Why the run cannot be had, also where its writer knows no lock; None where it can."""
    try:
        found = standing(run, read_facts(run))
    except InputError:
        found = standing(run, {})  # one that is just being made, or is damaged
    if found.state == "unknown" and take_over:
        return None
    return found.refusal(run) or None


def _told(run: Path) -> str:
    """Who was quicker."""
    return _refusal(run, False) or sentences.JUST_TAKEN(run=run.name)
