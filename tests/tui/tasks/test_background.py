"""What goes wrong in a thread is told, and nobody waits for its answer for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.message import Message

from tests.conftest import wait_for
from tui.model.saved_run import ask_for_predictor, ask_for_run, ask_for_trained, ask_to_resume
from tui.screens.runs.actions import Keeper
from tui.screens.runs.reading import Reading
from tui.tasks.background import in_background
from tui.tasks.browse import ask_for_folder
from tui.tasks.export import Exporter
from tui.tasks.latest_only import LatestOnly
from tui.tasks.predict_file import FileJob
from tui.tasks.survey import Surveys, ask_for_summary, find_devices, find_presets, find_recent, find_sets
from tui.tasks.throttled import Throttled


class Panic(BaseException):
    """As polars raises it: no Exception."""


def broken(*given: Any, **more: Any) -> Any:
    raise Panic("the library gave up\nwith more below")


PATH = Path("runs/none")
MODEL: Any = SimpleNamespace(encoder=None)
Post = Callable[[Message], Any]
JOBS: dict[str, tuple[str, Callable[[Post], Any]]] = {
    "survey": ("engine.analysis.survey.Surveyor.survey", lambda post: Surveys(post).ask(None)),  # type: ignore[arg-type]
    "devices": ("engine.devices.probe", find_devices),
    "recent": ("engine.data.recent.recent", find_recent),
    "sets": ("engine.data.sources.builtin_sets", find_sets),
    "presets": ("engine.presets.presets", find_presets),
    "summary": ("engine.data.summary.summarize", lambda post: ask_for_summary(None, None, post)),  # type: ignore[arg-type]
    "runs": ("engine.runs.store.list_runs", lambda post: ask_for_trained(PATH, post)),
    "run": ("tui.model.saved_run.read_kept", lambda post: ask_for_run(PATH, post)),
    "checkpoint": ("engine.runs.resuming.read", lambda post: ask_to_resume(PATH, post)),
    "predictor": ("engine.runs.predictor.load", lambda post: ask_for_predictor(PATH, post)),
    "folder": ("tui.tasks.browse.read_folder", lambda post: ask_for_folder(PATH, post)),
    "list of runs": ("engine.runs.store.Lister.list", lambda post: Reading(post).list(PATH)),
    "run under the cursor": ("tui.model.saved_run.read_kept", lambda post: Reading(post).run(PATH)),
    "marked runs": ("tui.charts.run_curves.read_track", lambda post: Reading(post).tracks((PATH,), {})),
    "export": ("engine.runs.export.write", lambda post: Exporter(post).start(PATH, "csv", "x.csv")),
    "keeping": ("engine.runs.keeping.delete", lambda post: Keeper(post).delete(PATH)),
    "predictions": (
        "engine.data.rows.load",
        lambda post: FileJob(SimpleNamespace(encoder=None), "x.csv", post).start(),
    ),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("job", JOBS)
def test_whoever_waits_for_a_job_that_fails_is_told(monkeypatch: pytest.MonkeyPatch, job: str) -> None:
    target, ask = JOBS[job]
    told: list[Message] = []
    monkeypatch.setattr(target, broken)
    ask(told.append)
    (answer,) = wait_for(lambda: told, "an answer")
    text = str(vars(answer))
    assert "Panic: the library gave up" in text
    assert "more below" not in text


def test_a_question_after_one_that_failed_is_answered() -> None:
    newest, told = LatestOnly("x"), list[str]()
    newest.ask(broken, told.append)
    wait_for(lambda: told)
    newest.ask(lambda: told.append("answered"), told.append)
    wait_for(lambda: told[1:] == ["answered"])


def test_a_look_that_fails_is_shown_where_its_answer_would_be() -> None:
    told: list[Any] = []
    Throttled(lambda key, answer: told.append(answer), rest=0).ask("key", broken)
    wait_for(lambda: told)
    assert isinstance(told[0], Panic)


async def test_a_thread_that_fails_without_anybody_waiting_is_told_in_the_app(
    drive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", heard.append)
    async with drive() as driver:
        in_background(broken, "odd")
        await driver.until(
            lambda: any("Panic: the library gave up" in str(note.message) for note in driver.app._notifications)
        )
    assert [what.exc_type for what in heard] == [Panic]
