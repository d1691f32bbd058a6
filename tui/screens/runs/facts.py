"""What is worth knowing of one kept run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.recipe import find
from engine.runs.choices import idle
from engine.runs.facts import went_on
from tui.look.numbers import duration, error, short
from tui.screens import sentences
from tui.widgets.cells import Cells, Span, wrap

if TYPE_CHECKING:
    from engine.runs.store import RunInfo
    from tui.model.saved_run import SavedRun

LOSSES = ("train_loss", "val_loss", "optimum_loss")
RESULTS = ("train_loss", "val_loss", "optimum_loss", "gap", "condition_number", "lr_bound")


class RunFacts(Cells):
    """Its choices that are not the defaults, its result, and what a person says of it, in lines."""

    def __init__(self) -> None:
        super().__init__(id="run-facts", classes="pane")
        self.border_title = "run"
        self.kept: SavedRun | None = None
        self.info: RunInfo | None = None
        self.problem = ""

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """A name and a value in each line, long ones on several."""
        ink = self.ink
        if self.problem:
            return [[(f" {line}", ink.bad)] for line in wrap(self.problem, width - 2, height)]
        if self.kept is None:
            return []
        lines: list[list[Span]] = []
        for name, value in self._pairs(self.kept):
            texts = wrap(value, max(8, width - 19), 3) or [""]
            lines.append([(f" {name:<17}", ink.dim), (texts[0], ink.text)])
            lines += [[(" " * 18, ink.dim), (text, ink.text)] for text in texts[1:]]
        return lines

    def _pairs(self, kept: SavedRun) -> list[tuple[str, str]]:
        facts = kept.facts
        result = facts.get("result") or {}
        pairs = []
        if self.info is not None:
            pairs += [("note", self.info.note)] if self.info.note else []
            pairs += [("tags", ", ".join(self.info.tags))] if self.info.tags else []
        # A run whose process was killed goes on calling itself running; the list has looked after it.
        state = _stands(self.info) if self.info is not None else str(facts.get("state", ""))
        pairs += [("folder", str(kept.path)), ("state", state)]
        if facts.get("ending"):
            pairs.append((sentences.RUN_SUMMARY(), str(facts["ending"])))
        away = idle(facts, kept.recipe)
        pairs += [
            (name.replace("_", " "), find(name).show(value))
            for name, value in kept.recipe.changed().items()
            if name not in away
        ]
        for name in RESULTS:
            if result.get(name) is not None:
                size = 1.0 if name == "gap" else kept.snapshot.loss_size if name in LOSSES else None
                pairs.append((name.replace("_", " "), error(float(result[name]), 6, size)))
        if result.get("seconds"):
            pairs.append(
                (
                    "time",
                    sentences.TIME_AND_PACE(
                        time=duration(result["seconds"]), pace=short(result["steps_per_second"] or 0)
                    ),
                )
            )
        pairs.append(("device", f"{facts.get('device', '')} {facts.get('precision', '')} {facts.get('backend', '')}"))
        origin = facts.get("origin")
        if isinstance(origin, dict) and origin.get("run"):
            how = sentences.BRANCHED_FROM() if origin.get("branch") else sentences.RESUMED_FROM()
            pairs.append((how, sentences.RUN_AT_STEP(run=origin["run"], step=origin.get("step", 0))))
        if parts := went_on(facts):
            pairs.append((sentences.RESUMED_AT(), sentences.AT_STEPS(steps=[f"{step:,}" for step in parts])))
        return pairs


def _stands(info: RunInfo) -> str:
    """How a run stands: with the process that has it, or the step that it was interrupted at."""
    if info.word == "interrupted":
        return sentences.INTERRUPTED_AT(step=info.steps)
    process = info.live or info.state == "unknown"
    return sentences.WITH_PID(state=info.word, pid=info.pid) if process and info.pid is not None else info.word
