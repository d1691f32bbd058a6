"""Every key, said once: the bindings, the footer, the help screen, the palette and the keymap file come from here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding

Screen = Literal["train", "data", "runs", "predict", "help"]
Place = Literal["app", "train", "panel", "chart", "list", "data", "runs", "predict"]


@dataclass(frozen=True)
class Situation:
    """What decides which keys do something now, and what they are called."""

    screen: str = "train"
    focus: Literal["panel", "chart", "other"] = "other"
    editing: bool = False  # a text field has the keys
    phase: Literal["none", "preparing", "training", "paused", "ended", "failed"] = "none"
    remedy: bool = False  # a diverged run offers one
    blocked: str = ""  # why a run cannot start, empty if it can
    rows: bool = False  # the list on the screen holds something
    columns: int = 160

    @property
    def live(self) -> bool:
        """Whether a run is going on, paused or not."""
        return self.phase in ("preparing", "training", "paused")


def _always(_now: Situation) -> bool:
    return True


def _train(now: Situation) -> bool:
    return now.screen == "train"


@dataclass(frozen=True)
class Key:
    """One key and what it does.

    Keys of one group that share a footer text stand together in the footer: "[ ] rate".
    """

    id: str  # the name in a keymap
    keys: str  # Textual's names, separated by commas; the first is the one shown
    action: str
    footer: str  # empty: not in the footer
    help: str
    place: Place = "app"  # the node that carries the binding
    when: Callable[[Situation], bool] = _always
    called: Callable[[Situation], str] | None = None  # the footer text where it depends on the situation
    priority: bool = False
    mark: str = ""  # how the key is written where its name would not do: "arrows"

    def text(self, now: Situation) -> str:
        """The footer's word for it, empty where the key does nothing now."""
        if not self.when(now):
            return ""
        return self.called(now) if self.called else self.footer


def _run_word(now: Situation) -> str:
    if now.phase == "training":
        return "pause"
    if now.phase == "paused":
        return "go on"
    if now.phase == "preparing":
        return ""
    return "run" if not now.blocked else ""


def _step(now: Situation) -> bool:
    return _train(now) and (now.phase == "paused" or (not now.live and not now.blocked))


def _in(*screens: str) -> Callable[[Situation], bool]:
    return lambda now: now.screen in screens


def _focus(place: str) -> Callable[[Situation], bool]:
    return lambda now: now.screen == "train" and now.focus == place


def _away(screen: str) -> Callable[[Situation], bool]:
    return lambda now: now.screen != screen


KEYS: tuple[Key, ...] = (
    # A run
    Key(
        "run.toggle",
        "space",
        "app.desk('toggle')",
        "run",
        "Start a run with the choices of the panels; pause it; go on.",
        when=lambda now: bool(_run_word(now)),
        called=_run_word,
    ),
    Key(
        "run.step",
        "s",
        "app.desk('step')",
        "step",
        "Take one step and stay paused.",
        when=_step,
    ),
    Key(
        "run.stop",
        "x",
        "app.desk('stop')",
        "stop",
        "Stop the run; what it has learned is saved.",
        when=lambda now: now.live,
    ),
    Key(
        "run.remedy",
        "f",
        "app.desk('remedy')",
        "apply remedy",
        "Take the remedy that is offered for a run that diverged, and start again.",
        when=lambda now: now.remedy and not now.live,
    ),
    Key(
        "rate.down",
        "left_square_bracket",
        "app.desk('rate_down')",
        "rate",
        "Learning rate down by a tenth of a decade, also while training.",
        when=_train,
        mark="[",
    ),
    Key(
        "rate.up",
        "right_square_bracket",
        "app.desk('rate_up')",
        "rate",
        "Learning rate up by a tenth of a decade, also while training.",
        when=_train,
        mark="]",
    ),
    Key(
        "pace.slower",
        "less_than_sign",
        "app.desk('slower')",
        "pace",
        "Spread the run over more time, so that it can be watched.",
        when=_train,
        mark="<",
    ),
    Key(
        "pace.faster",
        "greater_than_sign",
        "app.desk('faster')",
        "pace",
        "Spread the run over less time, down to none.",
        when=_train,
        mark=">",
    ),
    # Where to go
    Key("go.panel1", "1", "train.panel(1)", "panel", "To the dataset.", "train", _train),
    Key("go.panel2", "2", "train.panel(2)", "panel", "To the normalization.", "train", _train),
    Key("go.panel3", "3", "train.panel(3)", "panel", "To the hyperparameters.", "train", _train),
    Key("go.panel4", "4", "train.panel(4)", "panel", "To the device.", "train", _train),
    Key("go.train", "t", "app.go('train')", "train", "The train screen: panels, loss, weights.", when=_away("train")),
    Key(
        "go.data",
        "d",
        "app.go('data')",
        "data",
        "The data screen: the table, its columns, what was left out.",
        when=_away("data"),
    ),
    Key("go.runs", "r", "app.go('runs')", "runs", "The runs screen: every run that was kept.", when=_away("runs")),
    Key(
        "go.predict",
        "p",
        "app.go('predict')",
        "predict",
        "The predict screen: type raw values, see the prediction.",
        when=_away("predict"),
    ),
    # The chart
    Key("chart.log_y", "l", "train.chart('log_y')", "log y", "Loss axis logarithmic or linear.", "train", _train),
    Key("chart.log_x", "L", "train.chart('log_x')", "log x", "Step axis logarithmic or linear.", "train", _train),
    Key(
        "chart.smooth",
        "e",
        "train.chart('smooth')",
        "smooth",
        "Smooth the curve with a moving average; the raw one stays behind it.",
        "train",
        _train,
    ),
    Key("chart.left", "left", "chart('left')", "pan", "Pan to earlier steps.", "chart", _focus("chart"), mark="←"),
    Key("chart.right", "right", "chart('right')", "pan", "Pan to later steps.", "chart", _focus("chart"), mark="→"),
    Key("chart.up", "up", "chart('up')", "pan", "Pan to higher losses.", "chart", _focus("chart"), mark="↑"),
    Key("chart.down", "down", "chart('down')", "pan", "Pan to lower losses.", "chart", _focus("chart"), mark="↓"),
    Key(
        "chart.in",
        "plus,equals_sign",
        "train.chart('in')",
        "zoom",
        "Zoom in on the newest steps.",
        "train",
        _train,
        mark="+",
    ),
    Key("chart.out", "minus", "train.chart('out')", "zoom", "Zoom out.", "train", _train, mark="-"),
    Key("chart.reset", "0", "train.chart('reset')", "whole", "Show the whole curve again.", "train", _train),
    Key(
        "pane.large",
        "enter",
        "large",
        "large",
        "Show this pane large; Enter or Esc goes back.",
        "chart",
        _focus("chart"),
    ),
    # In a panel or a list
    Key("list.up", "up,k", "move(-1)", "move", "Up a line.", "list", _focus("panel"), mark="↑"),
    Key("list.down", "down,j", "move(1)", "move", "Down a line.", "list", _focus("panel"), mark="↓"),
    Key("list.page_up", "pageup", "move(-10)", "", "Up ten lines.", "list", mark="PgUp"),
    Key("list.page_down", "pagedown", "move(10)", "", "Down ten lines.", "list", mark="PgDn"),
    Key("list.first", "home", "move(-1000000000)", "", "To the first line.", "list", mark="Home"),
    Key("list.last", "end", "move(1000000000)", "", "To the last line.", "list", mark="End"),
    Key(
        "list.choose",
        "enter",
        "choose",
        "choose",
        "Choose what is under the cursor, or edit it.",
        "list",
        _focus("panel"),
    ),
    Key(
        "panel.reset",
        "backspace,delete",
        "reset",
        "default",
        "Set the field under the cursor back to its default.",
        "panel",
        _focus("panel"),
        mark="⌫",
    ),
    # Runs and predictions
    Key(
        "runs.again",
        "a",
        "again",
        "its choices",
        "Put the choices of this run into the panels.",
        "runs",
        lambda now: now.screen == "runs" and now.rows,
    ),
    Key(
        "runs.resume",
        "R",
        "resume",
        "resume",
        "Go on with this run where it stood.",
        "runs",
        lambda now: now.screen == "runs" and now.rows and not now.live,
    ),
    Key(
        "runs.open",
        "enter",
        "choose",
        "show",
        "Show the curve of this run on the train screen.",
        "runs",
        lambda now: now.screen == "runs" and now.rows,
    ),
    Key(
        "runs.predict",
        "P",
        "predict",
        "predict with it",
        "Predict with this run.",
        "runs",
        lambda now: now.screen == "runs" and now.rows,
    ),
    Key(
        "predict.run",
        "comma",
        "other_run(-1)",
        "other run",
        "Predict with the run before.",
        "predict",
        lambda now: now.screen == "predict" and now.rows,
        mark=",",
    ),
    Key(
        "predict.next",
        "full_stop",
        "other_run(1)",
        "other run",
        "Predict with the run after.",
        "predict",
        lambda now: now.screen == "predict" and now.rows,
        mark=".",
    ),
    # The program
    Key(
        "app.copy",
        "c",
        "app.copy",
        "copy command",
        "Copy the command line that does the same without a screen.",
        when=_train,
    ),
    Key("app.focus_next", "tab", "app.focus_next", "next pane", "To the next pane.", when=_train, mark="Tab"),
    Key("app.focus_previous", "shift+tab", "app.focus_previous", "", "To the pane before.", mark="Shift+Tab"),
    Key("app.palette", "ctrl+p", "app.command_palette", "", "Search everything that can be done.", mark="Ctrl+P"),
    Key(
        "app.suspend",
        "ctrl+z",
        "app.suspend_run",
        "",
        "Leave to the shell; training pauses, and goes on after fg.",
        mark="Ctrl+Z",
        priority=True,
    ),
    Key(
        "app.help",
        "question_mark,f1",
        "app.go('help')",
        "help",
        "Every key and what it does.",
        when=_away("help"),
        mark="?",
    ),
    Key(
        "app.back",
        "escape",
        "app.go('train')",
        "back",
        "Leave a field; from another screen, back to training.",
        when=_away("train"),
        mark="Esc",
    ),
    Key("app.quit", "q", "app.leave", "quit", "Quit; during a run it asks first."),
    Key("app.interrupt", "ctrl+c", "app.leave", "", "Quit, also out of a text field.", mark="Ctrl+C", priority=True),
)

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Run", ("run.", "rate.", "pace.")),
    ("Screens", ("go.",)),
    ("Chart", ("chart.", "pane.")),
    ("Panels and lists", ("list.", "panel.")),
    ("Runs and predictions", ("runs.", "predict.")),
    ("Program", ("app.",)),
)

_NAMES = {"space": "space", "enter": "Enter", "escape": "Esc", "question_mark": "?", "backspace": "⌫", "tab": "Tab"}


def key_name(name: str) -> str:
    """A Textual key name as it is written for a person: "left_square_bracket" is "["."""
    if name in _NAMES:
        return _NAMES[name]
    if name.startswith("ctrl+"):
        return "Ctrl+" + name[5:].upper()
    if len(name) > 1 and name[0] == "f" and name[1:].isdigit():
        return name.upper()
    return name


class KeyTable:
    """The key table with a person's own keymap laid over it."""

    def __init__(self, keymap: Mapping[str, str] | None = None) -> None:
        known = {key.id for key in KEYS}
        self.unknown = tuple(name for name in keymap or {} if name not in known)
        self.keymap = {name: keys for name, keys in (keymap or {}).items() if name in known}

    def keys(self, key: Key) -> tuple[str, ...]:
        """The Textual names of the keys that do it."""
        return tuple(part.strip() for part in self.keymap.get(key.id, key.keys).split(","))

    def mark(self, key: Key) -> str:
        """How the footer writes the key."""
        if key.mark and key.id not in self.keymap:
            return key.mark
        return key_name(self.keys(key)[0])

    def all_marks(self, key: Key) -> str:
        """How the help screen writes all keys that do it: "q or Ctrl+C"."""
        first, *others = self.keys(key)
        shown = [self.mark(key) if first == self.keys(key)[0] else key_name(first)]
        return " or ".join(shown + [_MARKS.get(other, key_name(other)) for other in others])

    def footer(self, now: Situation) -> list[tuple[str, str]]:
        """What the footer shows: (keys, word) pairs; keys with one word stand together."""
        entries: list[tuple[str, list[str]]] = []
        for key in KEYS:
            word = "" if now.editing else key.text(now)
            if not word:
                continue
            for known, marks in entries:
                if known == word:
                    marks.append(self.mark(key))
                    break
            else:
                entries.append((word, [self.mark(key)]))
        if now.editing:
            return [("Enter", "take it"), ("Esc", "leave it")]
        return [(_together(marks), word) for word, marks in entries]

    def conflicts(self) -> list[str]:
        """What a keymap gets wrong, one sentence each: names that are no key's, and one key for two things."""
        found = [f"There is no key called {name}." for name in self.unknown]
        for place in {key.place for key in KEYS}:
            taken: dict[str, Key] = {}
            for key in KEYS:
                if key.place not in (place, "app"):
                    continue
                for name in self.keys(key):
                    other = taken.setdefault(name, key)
                    if other is not key and (key.id in self.keymap or other.id in self.keymap):
                        sentence = f"{key_name(name)} is given to both {other.id} and {key.id}."
                        if sentence not in found:
                            found.append(sentence)
        return found


_MARKS = {"ctrl+c": "Ctrl+C", "f1": "F1", "delete": "Del", "equals_sign": "="}


def _together(marks: list[str]) -> str:
    if marks == ["1", "2", "3", "4"]:
        return "1-4"
    if marks == ["←", "→", "↑", "↓"]:
        return "←→↑↓"
    return " ".join(marks) if all(len(mark) == 1 for mark in marks) else "/".join(marks)


def bindings(place: Place) -> list[Binding]:
    """Textual's bindings for the keys that one node carries."""
    found = []
    for key in KEYS:
        if key.place == place:
            action = key.action.replace("train.", "screen.") if key.place == "train" else key.action
            found.append(Binding(key.keys, action, key.help, show=False, id=key.id, priority=key.priority, system=True))
    return found
