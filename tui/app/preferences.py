"""What is remembered from one time to the next: the choices of the panels, the layout of the charts, the theme.

One small JSON file in the person's state folder, beside the recent files. Every part of it is read back with care: what
is damaged or gone is left out with one sentence, and nothing depends on it.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.app import sentences
from tui.keys.keymap import named

if TYPE_CHECKING:
    from engine.recipe import Recipe

NOT_KEPT = frozenset({"runs", "name"})  # they belong to a folder and to one run


class Preferences:
    """What was remembered, and where it is kept.

    Args:
        path: the file; the usual one where none is given.
        fresh: leave the choices of last time alone.
    """

    def __init__(self, path: Path | None = None, *, fresh: bool = False) -> None:
        if path is None:
            from platformdirs import user_state_path

            path = user_state_path("ravine", appauthor=False) / "last.json"
        self.path = path
        self.told = ""  # one sentence about what was taken from it, or why it could not be
        self._lock = threading.Lock()
        found = self._read()
        theme, layout, words = found.get("theme"), found.get("layout"), found.get("choices")
        self.theme = theme if isinstance(theme, str) else ""
        self.layout: Mapping[str, Any] = layout if isinstance(layout, dict) else {}
        listed = words if isinstance(words, list) and not fresh else []
        self._words: list[str] = [word for word in listed if isinstance(word, str)]
        self._folder = str(found.get("folder", ""))

    def _read(self) -> dict[str, Any]:
        from engine.base.errors import InputError
        from engine.base.files import read_bytes

        try:
            found = json.loads(read_bytes(self.path))
        except FileNotFoundError:
            return {}
        except (InputError, ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            self.told = sentences.CHOICES_UNREADABLE(path=self.path)
            return {}
        return found

    # The choices.

    def begin(self, words: Sequence[str], preset: Callable[[Sequence[str]], Recipe]) -> Recipe:
        """The recipe to begin with. Raises InputError: what `words` say cannot be.

        Without flags it is that of last time; with flags that do not name a table they lie over it; with a table of
        its own a command line says everything.

        Args:
            words: the command line.
            preset: the recipe of a command line.
        """
        if not self._words or _names_table(words):
            return preset(words)
        from engine.base.errors import InputError
        from engine.modules import trust

        problem = self._gone()
        if not problem:
            try:
                preset(words)  # of these a person names the modules; those of last time may be another's
                with trust.scope():
                    recipe = preset([*_without(self._words, words), *words])
            except InputError as error:
                problem = sentences.CHOICES_GONE(why=error)
            else:
                self.told = self.told or sentences.CHOICES_OF_LAST_TIME(key=named("run.defaults"))
                return recipe
        recipe = preset(words)
        self.told = problem
        return recipe

    def _gone(self) -> str:
        """Why the table of last time cannot be had, in a sentence; empty where it can."""
        table = _value(self._words, "--dataset")
        if table is None:
            return ""
        from engine.data.sources import builtin_sets

        if table.partition(":")[0] in {one.name for one in builtin_sets()} or os.path.exists(table):
            return ""
        if ":" in table and not Path(table).is_absolute() and self._folder == str(Path.cwd()):
            return ""
        return sentences.TABLE_GONE(table=Path(table).name)

    # Keeping.

    def keep(self, **parts: Any) -> None:
        """Write parts of it: theme, layout, recipe. The others stay as another app may have written them meanwhile.

        What cannot be written is forgotten: nothing depends on it.
        """
        from engine.base.files import write_text

        recipe: Recipe | None = parts.pop("recipe", None)
        if recipe is not None:
            parts |= {"choices": _words_of(recipe), "folder": str(Path.cwd())}
        with self._lock:
            told = self.told
            found = {**self._read(), **parts}
            self.told = told
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                write_text(self.path, json.dumps(found, indent=1))
            except OSError:
                return

    def keep_soon(self, **parts: Any) -> None:
        """The same, in a thread."""
        threading.Thread(target=lambda: self.keep(**parts), name="remembering", daemon=True).start()


def _names_table(words: Sequence[str]) -> bool:
    """Whether a word says what is learned from: one without a flag, or a flag."""
    from engine.commands.flags import PRESET, RECIPE

    first = bool(words) and not words[0].startswith("-")
    return first or any(word.partition("=")[0] in ("--dataset", RECIPE.typed, PRESET.typed) for word in words)


def _flag(word: str) -> str:
    """The flag that a word is, in the spelling that switches it on; empty for a value."""
    return "--" + word.partition("=")[0].removeprefix("--").removeprefix("no-") if word.startswith("--") else ""


def _pairs(words: Sequence[str]) -> list[list[str]]:
    """The words by flag: each flag with its value."""
    found: list[list[str]] = []
    for word in words:
        if _flag(word) or not found:
            found.append([word])
        else:
            found[-1].append(word)
    return found


def _without(words: Sequence[str], given: Sequence[str]) -> list[str]:
    """Words without those of flags that are given anew."""
    flags = {_flag(word) for word in given}
    if flags & {"--steps", "--epochs"}:
        flags |= {"--steps", "--epochs"}  # two ways to say the same
    return [word for pair in _pairs(words) if _flag(pair[0]) not in flags for word in pair]


def _value(words: Sequence[str], flag: str) -> str | None:
    return next((pair[1] for pair in _pairs(words) if pair[0] == flag and len(pair) > 1), None)


def _words_of(recipe: Recipe) -> list[str]:
    """The flags that say a recipe; a file is named by its whole path, for the next time may begin elsewhere."""
    from tui.model.command_line import flags

    words = flags(recipe, without=NOT_KEPT)
    for index, word in enumerate(words[:-1]):
        if word == "--dataset":
            path = Path(words[index + 1]).expanduser()
            if path.exists():
                words[index + 1] = str(path.resolve())
    return words
