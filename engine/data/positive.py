"""Which of two classes is the positive one, of which threshold, precision, recall and the like are told."""

from __future__ import annotations

from collections.abc import Sequence

from engine.base.errors import InputError
from engine.data import sentences
from engine.data.reading import to_number
from engine.data.table import shown

WORDS = frozenset(("yes", "y", "true", "t", "1", "positive", "pos", "present", "on"))
"""Names of a class, in any case of letters, that call it the positive one where the other class is called otherwise."""


def find(wanted: str | None, classes: Sequence[str], counts: Sequence[int], target: str) -> int | None:
    """The number of the positive class; None where there are not two classes.

    It is the class that was chosen, else the one whose name is among WORDS, else the rarer, else the second.

    Args:
        wanted: the name of a class; None, and "auto" where no class is called so, leave the choice to the rule.
        classes: their names in order; () for regression.
        counts: the train rows of each.
        target: its column, for the sentence.

    Raises:
        InputError: there is no such class among the two.
    """
    if wanted is not None and wanted.strip().lower() == "auto" and _place(wanted, classes) is None:
        wanted = None
    if len(classes) != 2:
        return None
    if wanted is not None:
        place = _place(wanted, classes)
        if place is None:
            raise InputError(
                sentences.NO_CLASS(target=target, wanted=shown(wanted), classes=[shown(name) for name in classes])
            )
        return place
    named = [name.strip().lower() in WORDS for name in classes]
    if named[0] != named[1]:
        return named.index(True)
    return 0 if counts[0] < counts[1] else 1


def _place(wanted: str, classes: Sequence[str]) -> int | None:
    """The class that a person means: by its own letters, else in any case of letters, else as the same number."""
    plain = wanted.strip()
    if plain in classes:
        return list(classes).index(plain)
    lower = [name.lower() for name in classes]
    if lower.count(plain.lower()) == 1:
        return lower.index(plain.lower())
    number = to_number(plain)
    numbers = [to_number(name) for name in classes]
    return numbers.index(number) if number is not None and numbers.count(number) == 1 else None
