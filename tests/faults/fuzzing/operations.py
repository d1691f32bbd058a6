"""Everything that reads files, each as one call that ends well, or refuses in one sentence."""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from engine.base.errors import InputError

# What a sentence never holds: the name of an exception, or the head of a traceback.
UNMEANT = re.compile(r"Traceback|\b[A-Z]\w*(Error|Exception|Warning|Panic)\b|panicked at|object at 0x")
LONGEST = 4000  # letters of what is said in all


@dataclass(frozen=True)
class Case:
    """Where a case lies: its folder, the run or the table in it that was made worse, and values that a model takes."""

    folder: Path
    run: Path
    values: str
    table: Path

    @property
    def runs(self) -> Path:
        """The runs folder."""
        return self.run.parent


class Unmeant(Exception):
    """Something was said or done that no person is meant to see."""


def cli(*words: str) -> None:
    """Obey a command line as the program does. Raises Unmeant."""
    from engine.cli import main

    out, told = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with redirect_stdout(out), redirect_stderr(told):
        code = main(words)
    said = told.buffer.getvalue().decode()  # type: ignore[attr-defined]
    if code not in (0, 1, 2, 3):
        raise Unmeant(f"exit code {code}: {said}")
    if UNMEANT.search(said) or len(said) > LONGEST:
        raise Unmeant(f"it says: {said[-LONGEST:]}")
    if code == 2 and (not said.strip() or said.strip().count("\n") > 2):
        raise Unmeant(f"exit code 2 with {said.count(chr(10))} lines: {said[-LONGEST:]}")


def sentence(call: Callable[[], object]) -> None:
    """Call something that may refuse with an InputError, in one line. Raises Unmeant."""
    try:
        call()
    except InputError as error:
        if UNMEANT.search(str(error)) or not str(error) or len(str(error)) > LONGEST:
            raise Unmeant(f"it says: {error}") from None


def few(folder: Path) -> Sequence[str]:
    """Flags that keep training short."""
    return ("--runs", str(folder / "new"), "--steps", "3", "--max-seconds", "5", "--device", "cpu", "--threads", "1",
            "--no-tensorboard", "--name", "")  # fmt: skip


def listing(case: Case) -> None:
    cli("runs", "--runs", str(case.runs))


def listing_json(case: Case) -> None:
    cli("runs", "--runs", str(case.runs), "--json")


def lists_again(case: Case) -> None:
    from engine.runs.store import Lister
    from tui.screens.runs.columns import ColumnView, differing, fields, ordered

    def look() -> None:
        lister = Lister()
        lister.list(case.runs)
        found = lister.list(case.runs)
        for run in ordered(found, ColumnView()):
            for one in fields().values():
                one.text(run)
        differing(found, ())

    sentence(look)


def resume(case: Case) -> None:
    cli("resume", case.run.name, "--runs", str(case.runs), "--steps", "15", "--json")


def repeat(case: Case) -> None:
    cli("train", "--recipe", str(case.run), *few(case.folder))


def predict_values(case: Case) -> None:
    cli("predict", case.run.name, "--runs", str(case.runs), "--values", case.values)


def predict_table(case: Case) -> None:
    cli("predict", case.run.name, "--runs", str(case.runs), "--input", str(case.table), "--json")


def load(case: Case) -> None:
    import engine

    def work() -> None:
        model = engine.load(case.run)
        names = [one.name for one in model.inputs]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.predict([dict.fromkeys(names)])

    sentence(work)


def export(format: str) -> Callable[[Case], None]:
    """The operation of an export format."""

    def work(case: Case) -> None:
        style = ("--style", "torch") if format == "code" else ()
        cli(
            "export",
            case.run.name,
            "--runs",
            str(case.runs),
            "--format",
            format,
            *style,
            "-o",
            str(case.folder / "out"),
        )

    work.__name__ = f"export_{format}"
    return work


def evaluate(case: Case) -> None:
    from engine.analysis.evaluation import evaluate as work

    sentence(lambda: work(case.run))


def opened(case: Case) -> None:
    """What the app makes of a run that is opened."""
    from tui.charts.run_curves import RunCurve, follow, read_track
    from tui.charts.viewport import Viewport
    from tui.model.saved_run import read_kept
    from tui.screens.runs.facts import RunFacts

    def work() -> None:
        kept = read_kept(case.run)
        RunFacts()._pairs(kept)
        track = read_track(case.run)
        from rich.style import Style

        for axis in ("steps", "epochs", "time"):
            trace = RunCurve("run", Style(), "x", follow(case.run, track), axis)  # type: ignore[arg-type]
            if trace.extent is not None:
                trace.cut(Viewport(*trace.extent), 40)

    sentence(work)


def rewound(case: Case) -> None:
    """What the app makes of the checkpoints of a run."""
    from tui.screens.checkpoints import _open, _read

    listed = _read(case.run)
    for told in (listed.problem, *(_open(case.run, point).problem for point in listed.points)):
        if told and UNMEANT.search(told):
            raise Unmeant(f"it says: {told}")


def logged(case: Case) -> None:
    from tui.screens.log import tail

    tail(case.run / "log.txt")


def noted(case: Case) -> None:
    from engine.runs import notes

    notes.read(case.run)
    sentence(lambda: notes.write(case.run, note="another"))


def watched(case: Case) -> None:
    from engine.watch.tree import LogTree

    def work() -> None:
        tree = LogTree(case.runs)
        for _ in range(1000):
            if not tree.poll(0.5).busy:
                break
        else:
            raise Unmeant("it never ends")
        for run in tree.runs.values():
            for curve in dict(run.curves).values():
                curve.points()
            if any(UNMEANT.search(problem) for problem in run.problems):
                raise Unmeant(f"it says: {run.problems}")

    sentence(work)


def watch_command(case: Case) -> None:
    cli("watch", str(case.runs), "--json")


def kept_away(case: Case) -> None:
    from engine.runs import keeping

    def work() -> None:
        place = keeping.delete(case.run)
        keeping.restore(place)

    sentence(work)


# Tables.


def table(case: Case) -> None:
    from engine.data.sources import load as read
    from engine.data.summary import summarize
    from engine.recipe import Data

    sentence(lambda: summarize(read(Data(dataset=str(case.table))), None))


def train_table(case: Case) -> None:
    cli("train", str(case.table), *few(case.folder))


def survey(case: Case) -> None:
    from engine.analysis.survey import Surveyor
    from engine.recipe import build

    sentence(lambda: Surveyor().survey(build({"dataset": str(case.table)})))


def predicted(case: Case) -> None:
    """What the app makes of a table that is predicted."""
    from engine.data import rows
    from engine.runs.predictions import write
    from engine.runs.predictor import load as model_of

    def work() -> None:
        model = model_of(case.run)
        write(model, rows.load(str(case.table), model.encoder, "all"), case.folder / "predictions.csv")

    sentence(work)


# What a person keeps.


def recipe_file(case: Case) -> None:
    cli("train", "--recipe", str(case.table), *few(case.folder))


def presets(case: Case) -> None:
    from engine.presets import presets as every

    for preset in every(case.table.parent):
        if UNMEANT.search(preset.problem):
            raise Unmeant(f"it says: {preset.problem}")


def own_keys(case: Case) -> None:
    from tui.app.launch import own_keys as read
    from tui.keys.keymap import KeyTable

    def work() -> None:
        keys = KeyTable(read())
        keys.conflicts()
        keys.help()

    sentence(work)


def remembered(case: Case) -> None:
    from engine.cli import preset
    from engine.data.recent import recent, remember
    from tui.app.preferences import Preferences
    from tui.screens.runs.columns import ColumnView

    def work() -> None:
        memory = Preferences()
        recipe = memory.begin((), preset)
        for value in memory.layout.values():
            ColumnView.of(value)
        memory.keep(recipe=recipe, theme=memory.theme)
        recent()
        remember(case.folder / "x.csv")

    sentence(work)


def speeds(case: Case) -> None:
    from unittest.mock import patch

    from engine.learn.speeds import recall

    with patch("engine.learn.speeds._path", lambda: case.table):
        recall()


def use_own_folders(folder: Path) -> None:
    """Let the program keep what it remembers in a folder of the case; what was compiled stays where it is."""
    for name in ("STATE", "CONFIG"):
        os.environ[f"XDG_{name}_HOME"] = str(folder / name.lower())
