"""The one way the engine says that something given to it cannot be used."""

from __future__ import annotations

from engine.base.sentence import Told


class InputError(Exception):
    """Bad input, told in one sentence: the thing, the place (file, row, column, field) and the remedy.

    The command line prints it and exits with 2; the app shows it as a notification. Nothing else of the
    engine's is meant to be read by a person without a traceback.
    """

    @property
    def sentence(self) -> Told:
        """What it says, with its id and fields where a catalogue holds it."""
        said = self.args[0] if self.args else ""
        return said if isinstance(said, Told) else Told(str(said))


class Untrusted(InputError):
    """Python code that this person has neither run nor confirmed would have to run; nothing of it has.

    Attributes:
        names: the module:function or module:Class that are asked for.
        files: what would run; "" for a module that is built into Python.
        changed: the files that are not what a run recorded of them; () where they are merely unknown.
        grants: what confirming it records, see `engine.modules.trust.confirm`.
    """

    def __init__(
        self,
        sentence: str,
        names: tuple[str, ...] = (),
        files: tuple[str, ...] = (),
        changed: tuple[str, ...] = (),
        grants: tuple[tuple[str, str, str], ...] = (),
    ) -> None:
        super().__init__(sentence)
        self.names, self.files, self.changed, self.grants = names, files, changed, grants


class Cancelled(Exception):
    """Work was given up because the person asked for it."""
