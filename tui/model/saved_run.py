"""Runs that were kept, read back so that they can be shown like one that has just ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.message import Message

from engine.base.errors import InputError, Untrusted
from tui.keys.keymap import named
from tui.model import sentences
from tui.tasks.background import in_background

if TYPE_CHECKING:
    from engine.recipe import Recipe
    from engine.runs.liveness import Standing
    from engine.runs.predictor import Predictor
    from engine.runs.resuming import Resumption
    from engine.runs.store import RunInfo
    from engine.training.snapshot import Snapshot, Weights


@dataclass(frozen=True)
class SavedRun:
    """A kept run: its choices, its curve and how it ended, and what else run.json says."""

    path: Path
    recipe: Recipe
    snapshot: Snapshot
    facts: dict[str, Any] = field(default_factory=dict)
    changed: tuple[str, ...] = ()  # files of its modules that are no longer what they were


@dataclass
class RunsListed(Message):
    """The runs in the folder that have a model, newest first; or why they cannot be listed."""

    runs: tuple[RunInfo, ...]
    problem: str = ""


@dataclass
class RunRead(Message):
    """One run, or why it cannot be read."""

    path: Path
    kept: SavedRun | None
    problem: str = ""


@dataclass
class CheckpointRead(Message):
    """What a run can go on from, or why it cannot."""

    path: Path
    found: Resumption | None
    problem: str = ""
    more: int = 0  # steps with which a finished run can


@dataclass
class PredictorRead(Message):
    """The model of a run, or why there is none."""

    path: Path
    predictor: Predictor | None
    problem: str = ""
    untrusted: Untrusted | None = None  # code of the model that has to be asked about first


def read_kept(path: Path) -> SavedRun:
    """Read a run folder. Raises InputError where it is damaged."""
    from engine import modules
    from engine.base.loss_history import History, Series
    from engine.learn.curvature import LossSurfaceFacts
    from engine.recipe import read_toml
    from engine.runs.facts import decision
    from engine.runs.folder import read_evaluation_lines, read_facts, read_pairs
    from engine.runs.liveness import LIVING, standing
    from engine.runs.whereabouts import located_recipe
    from engine.training.snapshot import Ending, Mark, Phase, Snapshot

    facts = read_facts(path)
    now = standing(path, facts)
    recipe = located_recipe(read_toml(path), path)
    result: dict[str, Any] = facts.get("result") or {}
    try:
        history = History.open(path / "loss.f64")
    except (FileNotFoundError, InputError):
        history = None
    validation = Series()
    for step, value in zip(*read_pairs(path / "validation.f64"), strict=True):
        validation.append(int(step), float(value))
    tracks: dict[str, Series] = {}
    for step, _, values in read_evaluation_lines(path):
        for tag, value in values.items():
            tracks.setdefault(tag, Series()).append(step, value)
    model = _model(path)
    best = result.get("optimum_loss")
    base = result.get("baseline_loss")
    alone = float("nan") if base is None else float(base)
    known = LossSurfaceFacts(result.get("lr_bound"), result.get("condition_number"), best, alone, None, None, None)
    steps = int(result.get("steps") or (len(history) if history is not None else 0))
    snapshot = Snapshot(
        phase=Phase.ENDED,
        step=steps,
        steps=steps,
        seconds=float(result.get("seconds") or 0.0),
        loss=result.get("train_loss"),
        lr=result.get("lr"),
        history=history,
        validation=validation,
        tracks=tracks,
        weights=_weights(model, steps) if model is not None else None,
        parameters=model.parameters if model is not None else None,
        facts=known,
        decision=model.decision if model is not None else decision(facts),
        marks=tuple(Mark.change(event.step, event.field, event.value) for event in recipe.events),
        run=path,
        ending=Ending(result.get("ended") or "interrupted", _told(path, facts, now, steps)),
        stands=now.word if now.state in (*LIVING, "interrupted") else "",
    )
    return SavedRun(path, recipe, snapshot, facts, modules.changed(path.name, facts))


def _told(path: Path, facts: Mapping[str, Any], now: Standing, steps: int) -> str:
    """Why a run ended; of one that has not, or not by itself, how it stands."""
    pid = "" if now.pid is None else str(now.pid)
    if now.live:
        return sentences.STILL_RUNNING(state=now.word, pid=pid, step=steps)
    if now.state == "unknown":
        return now.refusal(path)
    if facts.get("ending"):
        return str(facts["ending"])
    if now.state == "interrupted":
        return sentences.CUT_OFF(step=steps, key=named("runs.resume"))
    return sentences.ENDING_UNKNOWN()


def _model(path: Path) -> Predictor | None:
    """The model of a run folder; None where there is none, which is told when somebody wants to predict with it."""
    from engine.runs.predictor import load

    try:
        return load(path)
    except InputError:
        return None


def _weights(model: Predictor, step: int) -> Weights | None:
    """The weights of a linear model, without their gradient: the rows are not at hand."""
    import numpy as np

    from engine.learn.rounded import reach
    from engine.training.snapshot import Weights

    if not model.architecture.linear:
        return None
    now = model.parameters
    raw, raw_bias = model.normalizer.fold(now.weight, now.bias, model.target_scale)
    outputs = model.classes if now.weight.shape[1] > 1 else (model.target,)
    unknown, unknown_bias = np.full_like(now.weight, np.nan), np.full_like(now.bias, np.nan)
    known, raw_known = reach(model.normalizer, model.inputs)
    return Weights(
        step, model.features, outputs, now.weight, raw, unknown, now.bias, raw_bias, unknown_bias, known, raw_known
    )


def ask_for_trained(folder: Path, post: Callable[[Message], Any]) -> None:
    """List the runs of a folder that have a model, in a thread. Answers with RunsListed."""

    def work() -> None:
        from engine.runs.store import list_runs

        try:
            post(RunsListed(tuple(run for run in list_runs(folder) if (run.path / "model.safetensors").exists())))
        except InputError as error:
            post(RunsListed((), str(error)))

    in_background(work, "runs", lambda words: post(RunsListed((), words)))


def ask_for_run(path: Path, post: Callable[[Message], Any]) -> None:
    """Read a run in a thread. Answers with RunRead."""

    def work() -> None:
        try:
            post(RunRead(path, read_kept(path)))
        except InputError as error:
            post(RunRead(path, None, str(error)))

    in_background(work, "run", lambda words: post(RunRead(path, None, words)))


def ask_to_resume(path: Path, post: Callable[[Message], Any], **length: str) -> None:
    """Read the last checkpoint of a run in a thread. Answers with CheckpointRead.

    Args:
        length: the new steps or epochs of the run.
    """

    def work() -> None:
        from engine.runs import resuming

        try:
            post(CheckpointRead(path, resuming.read(path, steps=length.get("steps"), epochs=length.get("epochs"))))
        except InputError as error:
            post(CheckpointRead(path, None, str(error), error.more if isinstance(error, resuming.AllTaken) else 0))

    in_background(work, "checkpoint", lambda words: post(CheckpointRead(path, None, words)))


def ask_for_predictor(path: Path, post: Callable[[Message], Any]) -> None:
    """Load the model of a run in a thread. Answers with PredictorRead."""

    def work() -> None:
        from engine.runs.predictor import load

        try:
            predictor = load(path)
            predictor.check()
            post(PredictorRead(path, predictor))
        except Untrusted as error:
            post(PredictorRead(path, None, str(error), error))
        except InputError as error:
            post(PredictorRead(path, None, str(error)))

    in_background(work, "predictor", lambda words: post(PredictorRead(path, None, words)))
