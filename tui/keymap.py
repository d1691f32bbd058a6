"""The key table with a person's own keymap laid over it: what the footer and the help screen say."""

from __future__ import annotations

from collections.abc import Mapping

from tui.keys import GROUPS, KEYS, WATCHING, Key, Situation

_NAMES = {
    "space": "space",
    "enter": "Enter",
    "escape": "Esc",
    "question_mark": "?",
    "backspace": "⌫",
    "tab": "Tab",
    "slash": "/",
}


def key_name(name: str) -> str:
    """A Textual key name as it is written for a person: "left_square_bracket" is "["."""
    if name in _NAMES:
        return _NAMES[name]
    if name.startswith("ctrl+"):
        return "Ctrl+" + name[5:].upper()
    if len(name) > 1 and name[0] == "f" and name[1:].isdigit():
        return name.upper()
    return name


_MARKS = {"ctrl+c": "Ctrl+C", "f1": "F1", "delete": "Del", "equals_sign": "="}
_WORDS = {"←": "Left", "→": "Right", "↑": "Up", "↓": "Down", "⌫": "Bksp"}  # for terminals without these signs


def _together(marks: list[str]) -> str:
    if marks == ["1", "2", "3", "4"]:
        return "1-4"
    if marks == ["←", "→", "↑", "↓"]:
        return "←→↑↓"
    if marks == [_WORDS[mark] for mark in "←→↑↓"]:
        return "arrows"
    return " ".join(marks) if all(len(mark) == 1 for mark in marks) else "/".join(marks)


class KeyTable:
    """The key table with a person's own keymap laid over it.

    Args:
        keymap: keys by id.
        arrows: whether the terminal has a sign for an arrow.
    """

    def __init__(self, keymap: Mapping[str, str] | None = None, *, arrows: bool = True) -> None:
        self._arrows = arrows
        known = {key.id for key in KEYS}
        self.unknown = tuple(name for name in keymap or {} if name not in known)
        self.keymap = {name: keys for name, keys in (keymap or {}).items() if name in known}

    def keys(self, key: Key) -> tuple[str, ...]:
        """The Textual names of the keys that do it."""
        return tuple(part.strip() for part in self.keymap.get(key.id, key.keys).split(","))

    def mark(self, key: Key) -> str:
        """How the footer writes the key."""
        mark = key.mark if key.mark and key.id not in self.keymap else key_name(self.keys(key)[0])
        return mark if self._arrows else _WORDS.get(mark, mark)

    def all_marks(self, key: Key) -> str:
        """How the help screen writes all keys that do it: "↑ or k"."""
        others = self.keys(key)[1:]
        return " or ".join([self.mark(key), *(_MARKS.get(other, key_name(other)) for other in others)])

    def footer(self, now: Situation, *, minor: bool = True) -> list[tuple[str, str]]:
        """What the footer shows: (keys, word) pairs; keys with one word stand together."""
        if now.editing:
            return [("Enter", "take it"), ("Esc", "leave it as it was")]
        entries: list[tuple[str, list[str]]] = []
        for key in KEYS:
            word = key.text(now) if now.screen != "watch" or key.id in WATCHING else ""
            if not word or (key.minor and not minor):
                continue
            for known, marks in entries:
                if known == word:
                    marks.append(self.mark(key))
                    break
            else:
                entries.append((word, [self.mark(key)]))
        return [(_together(marks), word) for word, marks in entries]

    def help(self, only: frozenset[str] | None = None) -> list[tuple[str, list[tuple[str, str]]]]:
        """What the help screen shows: groups of (keys, sentence), of all keys or of some."""
        groups = [
            (
                title,
                [
                    (self.all_marks(key), key.help)
                    for key in KEYS
                    if key.id.startswith(prefixes) and (only is None or key.id in only)
                ],
            )
            for title, prefixes in GROUPS
        ]
        return [(title, entries) for title, entries in groups if entries]

    def conflicts(self) -> list[str]:
        """What a keymap gets wrong, one sentence each: names that are no key's, and one key for two things."""
        found = [f"There is no key called {name}." for name in self.unknown]
        for place in {key.place for key in KEYS}:
            taken: dict[str, Key] = {}
            for key in KEYS:
                if key.place not in (place, "app") or (place == "watch" and key.id not in WATCHING):
                    continue
                for name in self.keys(key):
                    other = taken.setdefault(name, key)
                    if other is not key and (key.id in self.keymap or other.id in self.keymap):
                        sentence = f"{key_name(name)} is given to both {other.id} and {key.id}."
                        if sentence not in found:
                            found.append(sentence)
        return found
