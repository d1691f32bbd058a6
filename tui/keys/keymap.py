"""The key table with a person's own keymap laid over it: what the footer and the help screen say."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Mapping

from tui.keys import sentences
from tui.keys.situation import Situation
from tui.keys.table import GROUPS, KEYS, WATCHING, Key

_NAMES = {
    "space": "space",
    "enter": "Enter",
    "escape": "Esc",
    "question_mark": "?",
    "backspace": "⌫",
    "tab": "Tab",
    "slash": "/",
}


# What every terminal can send, by Textual's names. Ctrl with H, I, J and M is Backspace, Tab and Enter there.
_PORTABLE = re.compile(
    r"f[1-9]|f1[0-2]|ctrl\+[abcdefgklnopqrstuvwxyz]|(shift\+)?tab|enter|escape|space|up|down|left|right|home|end|pageup|"
    r"pagedown|backspace|delete|insert"
)
_OTHERWISE = {"esc": "escape", "return": "enter", "del": "delete", "pgup": "pageup", "pgdn": "pagedown"}
_NAMED = {"hyphen_minus": "minus", "plus_sign": "plus", "low_line": "underscore", "solidus": "slash", "reverse_solidus":
          "backslash", "commercial_at": "at"}  # fmt: skip


def _spelt(key: str) -> str:
    """A key as a person writes it in Textual's spelling: "[" is "left_square_bracket", "F5" is "f5"."""
    key = key.strip() or key[:1]
    if len(key) == 1 and not key.isalnum():
        name = unicodedata.name(key, key).lower().replace("-", "_").replace(" ", "_")
        return _NAMED.get(name, name)
    if len(key) == 1:
        return key
    return _OTHERWISE.get(key.lower(), key.lower())


_SIGNS = {_spelt(sign): sign for sign in string.punctuation}


def _can_be_sent(key: str) -> bool:
    return len(key) == 1 or key in _SIGNS or _PORTABLE.fullmatch(key) is not None


def _wished(keys: str) -> list[str]:
    """The keys of an entry of a keymap, in Textual's spelling."""
    return [_spelt(key) for key in ([","] if keys.strip() == "," else keys.split(","))]


def key_name(name: str) -> str:
    """A Textual key name as it is written for a person: "left_square_bracket" is "["."""
    if name in _NAMES:
        return _NAMES[name]
    if name.startswith("ctrl+"):
        return "Ctrl+" + name[5:].upper()
    if len(name) > 1 and name[0] == "f" and name[1:].isdigit():
        return name.upper()
    return _SIGNS.get(name, name)


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


_BY_ID = {key.id: key for key in KEYS}


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
        wished = {name: _wished(keys) for name, keys in (keymap or {}).items()}
        self.unsent = tuple((name, key) for name, keys in wished.items() for key in keys if not _can_be_sent(key))
        bad = {name for name, _ in self.unsent}
        self.keymap = {name: ",".join(keys) for name, keys in wished.items() if name in known and name not in bad}

    def keys(self, key: Key) -> tuple[str, ...]:
        """The Textual names of the keys that do it."""
        return tuple(part.strip() for part in self.keymap.get(key.id, key.keys).split(","))

    def mark(self, key: Key) -> str:
        """How the footer writes the key."""
        mark = key.mark if key.mark and key.id not in self.keymap else key_name(self.keys(key)[0])
        return mark if self._arrows else _WORDS.get(mark, mark)

    def mark_of(self, name: str) -> str:
        """The same of a key by its id. Raises KeyError."""
        return self.mark(_BY_ID[name])

    def all_marks(self, key: Key) -> str:
        """How the help screen writes all keys that do it: "↑ or k"."""
        others = self.keys(key)[1:]
        return " or ".join([self.mark(key), *(_MARKS.get(other, key_name(other)) for other in others)])

    def footer(self, now: Situation, *, minor: bool = True) -> list[tuple[str, str]]:
        """What the footer shows: (keys, word) pairs; keys with one word stand together."""
        if now.editing:
            asked = now.screen in ("runs", "watch")  # a line that says itself what becomes of it, such as a filter
            return [("Enter", sentences.TAKE_IT()), ("Esc", "leave" if asked else sentences.LEAVE_AS_IT_WAS())]
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
        found = [sentences.NO_SUCH_KEY(name=name, hint=_meant(name)) for name in self.unknown]
        found += [sentences.NOT_SENT(name=name, key=key) for name, key in self.unsent]
        for place in {key.place for key in KEYS}:
            taken: dict[str, Key] = {}
            for key in KEYS:
                if key.place not in (place, "app") or (place == "watch" and key.id not in WATCHING):
                    continue
                for name in self.keys(key):
                    other = taken.setdefault(name, key)
                    if other is not key and (key.id in self.keymap or other.id in self.keymap):
                        sentence = sentences.GIVEN_TO_BOTH(key=key_name(name), one=other.id, other=key.id)
                        if sentence not in found:
                            found.append(sentence)
        return found


def _meant(name: str) -> str:
    """What a person may have meant by an id that does not exist."""
    from difflib import get_close_matches

    near = get_close_matches(name, [key.id for key in KEYS], 1)
    return sentences.PERHAPS(near=near[0]) if near else sentences.SEE_README()


_spoken = KeyTable()  # the table of the app that runs


def speak_of(table: KeyTable) -> None:
    """Have sentences name the keys of this table: a person's own ones."""
    global _spoken
    _spoken = table


def named(key: str, *, begins: bool = False) -> str:
    """How a sentence calls the key of an id, such as "run.toggle"; with a capital where it `begins` the sentence."""
    mark = _spoken.mark_of(key)
    return mark[:1].upper() + mark[1:] if begins and len(mark) > 1 else mark


def untrained() -> str:
    """What is said where a trained run is needed, and there is none."""
    return sentences.NO_TRAINED_RUN(screen=named("go.train"), key=named("run.toggle"))
