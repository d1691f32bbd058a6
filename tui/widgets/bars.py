"""The lines around the panes: what is being trained, what happens, what the cursor is on, which keys there are."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from rich.cells import cell_len

from tui.keys.keymap import KeyTable, named
from tui.keys.situation import Situation
from tui.look.numbers import duration, error, figures, gap, short
from tui.widgets import sentences
from tui.widgets.cells import Cells, Span, clip, wrap

if TYPE_CHECKING:
    from engine.recipe import Recipe
    from engine.training.snapshot import Snapshot
    from tui.model.workspace import Workspace

LOOKING = sentences.LOOKING()
SHOWN = 4  # features that are named
NAMED = 30  # cells that the run in a few words gets before the machine's facts get any
STATES = {
    "none": ("○", "ready"),
    "preparing": ("◌", "preparing"),
    "training": ("●", "training"),
    "paused": ("‖", "paused"),
    "ended": ("■", "done"),
    "failed": ("✕", "failed"),
}
STANDS = {"running": "●", "paused": "‖", "unknown": "?"}  # signs of a kept run that may have a process elsewhere


class TopLine(Cells):
    """The program's name, the run in a few words, and how it stands."""

    def __init__(self) -> None:
        super().__init__(id="top")
        self.workspace: Workspace | None = None
        self._phase, self._due = "", 0.0
        self._facts: tuple[str, ...] = ()  # speed and time left, then how the machine is
        self.place = ""  # the name of a screen that is not the train screen

    def _calm(self, phase: str, now: Snapshot | None) -> tuple[str, ...]:
        """Speed and time left, anew once a second: they jump about."""
        if phase != self._phase or phase != "training" or monotonic() >= self._due:
            self._phase, self._due, self._facts = phase, monotonic() + 1.0, _progress(now)
        return self._facts

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """One line; the middle part is clipped where it is long."""
        ink = self.ink
        if self.workspace is None:
            return [[(" ravine", ink.accent)]]
        workspace = self.workspace
        sign, word = STATES[workspace.phase]
        style = {"training": ink.good, "paused": ink.accent, "failed": ink.bad}.get(workspace.phase, ink.dim)
        now = workspace.snapshot
        if now is not None and now.ending is not None and now.ending.reason == "diverged":
            word, style = "diverged", ink.bad
        if now is not None and now.stands and not workspace.live:
            word = now.stands
            sign, style = (
                STANDS.get(word.partition(" ")[0], sign),
                ink.good if word.startswith("running") else ink.accent,
            )
        head: list[Span] = [(" ravine", ink.accent)]
        if self.place:
            head += [("  " + self.place, ink.strong)]
        state, said = f"{sign} {workspace.pending or word}", summary(workspace)
        facts, *machine = self._calm(workspace.phase, now)
        room = width - sum(cell_len(text) for text, _ in head) - 6 - cell_len(state)
        for one in machine:  # what is being trained comes before how the machine is
            if room - cell_len(facts + one) < min(NAMED, cell_len(said)):
                break
            facts += one
        tail: list[Span] = [(state, style), (facts + " ", ink.text)]
        size = sum(cell_len(text) for text, _ in tail)
        text = clip(said, max(0, room - cell_len(facts)))
        between = width - sum(cell_len(t) for t, _ in head) - 3 - cell_len(text) - size
        return [[*head, ("   " + text, ink.dim), (" " * max(1, between), ink.dim), *tail]]


def summary(workspace: Workspace) -> str:
    """The run in a few words: "houses · z-score · linear · sgd lr 0.5 · cpu"."""
    from engine.registry.modes import REGISTRY

    now = workspace.snapshot
    live = workspace.live and workspace.run is not None and now is not None
    recipe: Recipe = workspace.run.recipe if live and workspace.run is not None else workspace.recipe
    plan = now.plan if live and now is not None else workspace.known.plan if workspace.known else None
    lr = now.lr if live and now is not None else None
    if lr is None:
        lr = plan.lr if plan is not None and recipe.optimizer.lr == "auto" else None
    if lr is None and recipe.optimizer.lr != "auto":
        lr = float(recipe.optimizer.lr)
    mode = REGISTRY[recipe.normalization.normalize]
    parts = [recipe.data.dataset.rpartition("/")[2], mode.label if mode.scales else sentences.NOT_NORMALIZED()]
    if plan is not None:
        parts.append(str(plan.model))
    optimizer = str(plan.optimizer) if plan is not None else recipe.optimizer.optimizer.removeprefix("auto")
    rate = f"lr {figures(lr, 4)}" if lr is not None else ""
    parts += [f"{optimizer} {rate}".strip()] * bool(optimizer or rate)
    if plan is not None or recipe.device.device != "auto":
        parts.append(plan.device if plan is not None else recipe.device.device)
    return " · ".join(parts)


def _progress(now: Snapshot | None) -> tuple[str, ...]:
    """How fast the run is and how long it will take; while it goes on also how busy the machine is, a text for each."""
    if now is None or not now.steps:
        return ("",)
    if not now.live:
        return (sentences.STEPS_TAKEN(steps=now.step),)
    speed = sentences.SPEED(speed=short(float(f"{now.steps_per_second:.2g}"))) if now.steps_per_second else ""
    eta = sentences.ETA(time=duration(now.eta)) if now.eta is not None else ""
    return (speed + eta, *_machine(now))


def _machine(now: Snapshot) -> list[str]:
    """How busy the machine is, in a few words: what matters most first, each with the space before it."""
    seen = now.machine
    if seen is None:
        return []
    parts: list[list[str]] = []
    for gpu in seen.gpus:
        facts = [] if gpu.utilisation is None else [f"{gpu.utilisation:.0f} %"]
        if gpu.memory is not None:
            facts.append(sentences.GIB(memory=gpu.memory / 2**30))
        if gpu.temperature is not None:
            facts.append(f"{gpu.temperature:.0f} °C")
        if gpu.power is not None:
            facts.append(f"{gpu.power:.0f} W")
        parts.append([" ".join([gpu.name, *facts[:1]]), *facts[1:]])
    if seen.cpu is not None:
        parts.append([sentences.CPU(percent=seen.cpu)])
    if seen.own_memory is not None:
        parts.append([sentences.MEMORY(memory=seen.own_memory / 2**30)])
    return [
        (" " if rank else " · " if index else "   ") + text
        for index, part in enumerate(parts)
        for rank, text in enumerate(part)
    ]


class Messages(Cells):
    """What happens, and the help line of what the cursor is on."""

    def __init__(self) -> None:
        super().__init__(id="messages")
        self.workspace: Workspace | None = None
        self.instead: tuple[str, bool] | None = None  # what is told instead of how the run stands
        self.hint: tuple[str, bool] = ("", False)
        self._heard: object = None  # what happened last, as far as it is news
        self._hinted = ("", False)
        self._news = True  # whether what happens is newer than the hint

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """A line for each; of those that are left the newer of the two takes what it needs first."""
        ink, workspace = self.ink, self.workspace
        if workspace is None:
            return [[(" loading…", ink.faint)]]
        text, bad = self.instead or happening(workspace)
        hint, wrong = self.hint
        self._note((workspace.phase, workspace.problem, workspace.activity), self.hint)
        said = [
            (text, ink.bad if bad else ink.text),
            (waiting(workspace), ink.accent),
            (hint, ink.bad if wrong else ink.dim),
        ]
        wanted = [len(wrap(words, width - 2, 99)) if words else 0 for words, _ in said]
        if not (self._news or bad or workspace.live) and wanted[2] >= height:
            wanted[0] = 0  # somebody reads what a field means; how things stand will be told again
        given = [0, 0, 0]
        for one in (0, 1, 1, 2, *((0, 2) if self._news else (2, 0))):
            most = 99 if given[one] else 1  # a line for each before any gets more
            given[one] += min(wanted[one] - given[one], height - sum(given), most)
        lines: list[list[Span]] = []
        for (words, style), rows in zip(said, given, strict=True):
            lines += [[(f" {line}", style)] for line in (wrap(words, width - 2, rows) if rows else [])]
        return lines

    def _note(self, heard: object, hint: tuple[str, bool]) -> None:
        """Remember which of the two changed last."""
        if heard != self._heard:
            self._news = True
        elif hint != self._hinted:
            self._news = False
        self._heard, self._hinted = heard, hint


def happening(workspace: Workspace) -> tuple[str, bool]:
    """How things stand, in a sentence, and whether it tells of a problem."""
    now = workspace.snapshot
    if now is not None:
        if now.error:
            return now.error, True
        if now.live:
            return _going(now), False
    if workspace.activity and workspace.activity != LOOKING:
        return workspace.activity, False
    if workspace.problem:
        return workspace.problem, True
    if now is not None and now.ending is not None:
        ending = now.ending
        offer = (
            sentences.REMEDY(key=named("run.remedy"), remedy=ending.remedy_text or sentences.THE_REMEDY())
            if ending.remedy
            else ""
        )
        if ending.reason == "diverged":
            # The chart has the whole sentence.
            return sentences.DIVERGED(step=now.step, offer=offer), True
        return sentences.ENDED(ending=ending.sentence, offer=offer), False
    if workspace.known is None:
        return LOOKING, False
    known = workspace.known
    more = len(known.features) - SHOWN
    features = sentences.FEATURES(features=known.features[:SHOWN], more=max(0, more))
    return sentences.READY(
        rows=known.rows,
        validation=len(known.prepared.validation.y),
        features=features,
        target=known.target,
        key=named("run.toggle", begins=True),
    ), False


def waiting(workspace: Workspace) -> str:
    """What was chosen that the run that is going on cannot take, and what can be done about it."""
    if not workspace.later:
        return ""
    return sentences.NEXT_RUN(choices=workspace.later, key=named("run.anew"))


def _going(now: Snapshot) -> str:
    if now.activity or not now.steps:
        return now.activity or sentences.PREPARING()
    parts = [sentences.STEP_OF(step=now.step, steps=now.steps)]
    size = now.loss_size
    if now.loss is not None:
        parts.append(sentences.LOSS(loss=error(now.loss, 6, size)))
    if now.validation_loss is not None:
        parts.append(sentences.VALIDATION(loss=error(now.validation_loss, 6, size)))
    if now.facts is not None and now.facts.optimum_loss is not None and now.loss is not None:
        parts.append(sentences.OPTIMUM(loss=error(now.facts.optimum_loss, 5, size)))
        left = now.facts.gap(now.loss) if now.plan is not None and now.plan.full_batch else None
        if left is not None:
            parts.append(sentences.GAP(gap=gap(left, 2)))
    return " · ".join(parts)


class KeyLine(Cells):
    """The keys that do something now."""

    def __init__(self, table: KeyTable) -> None:
        super().__init__(id="keys")
        self.table = table
        self.now = Situation()

    def show(self, now: Situation) -> None:
        """Take the situation."""
        if now != self.now:
            self.now = now
            self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """As many entries as fit; the last ones (help, quit) always do."""
        ink = self.ink
        entries = self.table.footer(self.now)
        rows = _flow(entries, width - 2)
        if len(rows) > height:
            # The help screen has them all.
            entries = self.table.footer(self.now, minor=False)
            entries = [(key, sentences.ALL_KEYS() if word == "help" else word) for key, word in entries]
            while len(rows := _flow(entries, width - 2)) > height and len(entries) > 4:
                del entries[-3]
        return [
            [(" ", ink.dim), *(span for key, word in row for span in ((key, ink.accent), (f" {word}  ", ink.dim)))]
            for row in rows
        ]


def _flow(entries: list[tuple[str, str]], width: int) -> list[list[tuple[str, str]]]:
    rows: list[list[tuple[str, str]]] = [[]]
    used = 0
    for key, word in entries:
        size = cell_len(key) + cell_len(word) + 3
        if used + size - 2 > width and rows[-1]:
            rows.append([])
            used = 0
        rows[-1].append((key, word))
        used += size
    return rows
