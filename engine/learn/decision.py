"""How one of two classes is decided: which is the positive one, and from which probability on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LONG = 40  # characters of a name in a sentence


@dataclass(frozen=True)
class Decision:
    """The positive class where its probability reaches the threshold, else the other one.

    Attributes:
        classes: the names of the two in the order of their numbers.
        positive: the number of the positive one.
        threshold: the probability of the positive class from which on it is decided.
        why: half a sentence on why the threshold is that one; "" for one that was given.
    """

    classes: tuple[str, str]
    positive: int = 1
    threshold: float = 0.5
    why: str = ""

    @property
    def name(self) -> str:
        """The positive class."""
        return self.classes[self.positive]

    @property
    def sentence(self) -> str:
        """All of it in a sentence."""
        from engine.learn import sentences

        name = " ".join(self.name.split())
        name = name if len(name) <= LONG else name[: LONG - 1] + "…"
        return sentences.DECIDED(class_=name, threshold=self.threshold, why=self.why)


def of(classes: Sequence[str], positive: int | None, threshold: float, why: str = "") -> Decision | None:
    """The decision between two classes; None where there are not two."""
    if len(classes) != 2:
        return None
    return Decision((classes[0], classes[1]), 1 if positive is None else positive, threshold, why)
