"""What decides which keys do something now, and the conditions and changing words of the key table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tui.keys import sentences

Screen = Literal[
    "train", "data", "runs", "predict", "evaluate", "code", "finder", "rewind", "scratchpad", "help", "watch", "race",
    "log",
]  # fmt: skip
Focus = Literal["panel", "chart", "views", "weights", "text", "finder", "other"]  # what a pane that has the focus is


@dataclass(frozen=True)
class Situation:
    """What decides which keys do something now, and what they are called."""

    screen: str = "train"
    focus: Focus = "other"
    editing: bool = False  # a text field has the keys
    phase: Literal["none", "preparing", "training", "paused", "ended", "failed"] = "none"
    remedy: bool = False  # a diverged run offers one
    blocked: str = ""  # why a run cannot start, empty if it can
    waiting: bool = False  # a table is being looked into
    rows: bool = False  # the list on the screen holds something
    views: int = 0  # of the run that is shown
    shown: bool = False  # there is a run to be looked at, kept in a folder
    later: bool = False  # choices that a live run cannot take wait for the next one
    racing: bool = False  # what is going on is a race
    columns: int = 160

    @property
    def live(self) -> bool:
        """Whether a run is going on, paused or not."""
        return self.phase in ("preparing", "training", "paused")


def always(_now: Situation) -> bool:
    return True


def on_train(now: Situation) -> bool:
    return now.screen == "train"


def run_word(now: Situation) -> str:
    if now.phase == "training":
        return "pause"
    if now.phase == "paused":
        return sentences.GO_ON()
    if now.phase == "preparing":
        return ""
    word = sentences.RACE_AGAIN() if now.screen == "race" else "run"
    return word if not now.blocked else ""


def can_step(now: Situation) -> bool:
    if now.screen == "race":
        return now.phase == "paused"
    return on_train(now) and (now.phase == "paused" or (not now.live and not now.blocked))


def has_rate(now: Situation) -> bool:
    return on_train(now) and (now.live or not now.blocked)


def is_live(now: Situation) -> bool:
    return now.live


def drawn(now: Situation) -> bool:
    return now.screen == "train" and now.phase not in ("none", "preparing")


def on_watch(now: Situation) -> bool:
    return now.screen == "watch"


def listed(now: Situation) -> bool:
    return now.screen == "runs" and now.rows


def overlaid(now: Situation) -> bool:
    return now.screen in ("runs", "race") and now.rows


def has_list(now: Situation) -> bool:
    return now.focus in ("panel", "views", "weights") or (now.screen != "train" and now.rows)


def choose_word(now: Situation) -> str:
    if now.focus in ("views", "weights"):
        return "large"
    if now.focus == "text" or now.screen == "evaluate":
        return ""
    return {
        "runs": "open",
        "predict": "type",
        "data": sentences.TYPE_OF_COLUMN(),
        "scratchpad": "type",
        "rewind": "branch",
        "train": "choose",
        "watch": "show/hide",
        "race": "open" if not now.live else "",
    }.get(now.screen, "")


def has_focus(place: str) -> Callable[[Situation], bool]:
    return lambda now: now.screen == "train" and now.focus == place


def not_on(screen: str) -> Callable[[Situation], bool]:
    return lambda now: now.screen != screen
