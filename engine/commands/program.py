"""The whole command line, read by cyclopts: nested help groups, choices and "did you mean" out of the box, and half
the import time of the other libraries that could."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import cyclopts
from cyclopts import App, Parameter

from engine.base.errors import InputError
from engine.base.versions import version
from engine.commands import train as training
from engine.commands.console import DONE, put, put_json
from engine.commands.export import export
from engine.commands.flags import Json, Plain, RunName, RunsFolder, Trust, takes_recipe
from engine.commands.runs import app as listing
from engine.commands.watch import watch
from engine.modules.trust import given
from engine.recipe import Recipe

app = App(
    name="ravine",
    help=(
        "The terminal trainer for PyTorch. Without a command: the full-screen trainer; flags preset its panels, and "
        "--fresh (not the last choices), --ascii and --theme NAME are its own."
    ),
    version=lambda: version("ravine") or "unknown",
    help_on_error=False,
)


def _train(recipe: Recipe, *, json: Json = False, plain: Plain = False) -> int:
    """Train without a screen; the run folder is the same.

    Exit codes: 0 done, 1 failed, 2 wrong usage or bad input, 3 diverged, 130 interrupted.
    """
    return training.train(recipe, json=json, plain=plain)


app.command(takes_recipe(_train), name="train")


@app.command
def resume(
    run: RunName,
    /,
    *,
    steps: Annotated[str | None, Parameter(help="A new number of steps in all; a finished run goes on to it.")] = None,
    changed_data: Annotated[
        bool, Parameter(negative=(), help="Go on though the table has changed since the run began.")
    ] = False,
    take_over: Annotated[
        bool,
        Parameter(negative=(), help="Go on though the run may still be live on a host that cannot be asked."),
    ] = False,
    trust: Trust = False,
    runs: RunsFolder = "./runs",
    json: Json = False,
    plain: Plain = False,
) -> int:
    """Go on with a run where its last checkpoint stood, as if it had never stopped."""
    with given(trust):
        return training.resume(
            run, steps=steps, changed_data=changed_data, take_over=take_over, runs=runs, json=json, plain=plain
        )


@app.command
def predict(
    run: RunName,
    /,
    *,
    values: Annotated[
        str | None,
        Parameter(help='One row, in raw units: "3,2500" or "x1=3,x2=2500".', allow_leading_hyphen=True),
    ] = None,
    input: Annotated[
        str | None,
        Parameter(
            help="A table with the raw columns, found by their names: a file, or - for stdin. The answer is CSV, "
            "a line for each row.",
            allow_leading_hyphen=True,
        ),
    ] = None,
    output: Annotated[
        str | None,
        Parameter(name=("--output", "-o"), help="A file for the answer, CSV or .parquet; without it stdout."),
    ] = None,
    keep: Annotated[
        str | None, Parameter(help="Columns of the input to give back beside the predictions: COL,COL or all.")
    ] = None,
    trust: Trust = False,
    runs: RunsFolder = "./runs",
    json: Json = False,
) -> int:
    """Predict with a run's model: raw units in, raw units out.

    A row gets the same prediction whatever stands beside it: dates, decimal marks, truth words and missing marks are
    read as they were in training.
    """
    from engine.commands.predict import predict

    with given(trust):
        return predict(run, values=values, input=input, output=output, keep=keep or "", runs=runs, json=json)


app.command(listing)
app.command(export)
app.command(watch)


@app.command
def doctor(*, json: Json = False) -> int:
    """Look at devices, terminal and versions, and say what to fix."""
    from engine.doctor import examine

    report = examine()
    if json:
        put_json(report.to_dict())
    else:
        put(report.to_text())
    return DONE


def obey(words: Sequence[str]) -> Any:
    """Do what a command line says; its exit code, or something else after help and the version. Raises InputError."""
    return _call(app, words)


def preset(words: Sequence[str]) -> Recipe:
    """The recipe that the flags of the app ask for. Raises InputError."""
    front = App(name="ravine", help=app.help, help_on_error=False)
    front.default(takes_recipe(lambda recipe: recipe))
    recipe = _call(front, words)
    assert isinstance(recipe, Recipe)
    return recipe


def _call(application: App, words: Sequence[str]) -> Any:
    try:
        return application(list(words), exit_on_error=False, print_error=False, result_action="return_value")
    except cyclopts.CycloptsError as error:
        text = str(error).strip().replace("\n", " ")
        raise InputError(text if text.endswith((".", "?")) else text + ".") from None
