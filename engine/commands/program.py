"""The whole command line, read by cyclopts: nested help groups, choices and "did you mean" out of the box, and half
the import time of the other libraries that could."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import cyclopts
from cyclopts import App, Parameter

from engine.base.errors import InputError
from engine.base.versions import version
from engine.commands import sentences
from engine.commands.console import DONE, put, put_json
from engine.commands.export import export
from engine.commands.parameters import Input, Json, Plain, RunName, RunsFolder, Trust, Values
from engine.commands.runs import app as listing
from engine.commands.watch import watch
from engine.modules.trust import given
from engine.runs import formats

if TYPE_CHECKING:
    from engine.recipe import Recipe

app = App(
    name="ravine",
    help=(sentences.HELP_RAVINE()),
    version=lambda: version("ravine") or "unknown",
    help_on_error=False,
)


app.command("engine.commands.recipe_parameters:train", name="train", help=sentences.HELP_OF_TRAIN())


@app.command(help=sentences.HELP_OF_RESUME())
def resume(
    run: RunName,
    /,
    *,
    steps: Annotated[str | None, Parameter(help=sentences.HELP_STEPS())] = None,
    epochs: Annotated[str | None, Parameter(help=sentences.HELP_EPOCHS())] = None,
    changed_data: Annotated[bool, Parameter(negative=(), help=sentences.HELP_CHANGED_DATA())] = False,
    take_over: Annotated[
        bool,
        Parameter(negative=(), help=sentences.HELP_TAKE_OVER()),
    ] = False,
    trust: Trust = False,
    runs: RunsFolder = "./runs",
    json: Json = False,
    plain: Plain = False,
) -> int:
    """Resume a run."""
    from engine.commands.train import resume

    with given(trust):
        return resume(
            run,
            steps=steps,
            epochs=epochs,
            changed_data=changed_data,
            take_over=take_over,
            runs=runs,
            json=json,
            plain=plain,
        )


@app.command(help=sentences.HELP_OF_PREDICT())
def predict(
    run: RunName,
    /,
    *,
    values: Values = None,
    input: Input = None,
    output: Annotated[
        str | None,
        Parameter(name=("--output", "-o"), help=sentences.HELP_PREDICTIONS()),
    ] = None,
    keep: Annotated[str | None, Parameter(help=sentences.HELP_KEEP())] = None,
    trust: Trust = False,
    runs: RunsFolder = "./runs",
    json: Json = False,
) -> int:
    """Predict with a run's model."""
    from engine.commands.predict import predict

    with given(trust):
        return predict(run, values=values, input=input, output=output, keep=keep or "", runs=runs, json=json)


app.command(listing)
app.command(export, help=sentences.HELP_OF_EXPORT(formats=formats.labels()))
app.command(watch, help=sentences.HELP_OF_WATCH())


@app.command(help=sentences.HELP_OF_DOCTOR())
def doctor(*, json: Json = False) -> int:
    """Check this machine."""
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
    from engine.commands.recipe_parameters import takes_recipe
    from engine.recipe import Recipe

    front = App(name="ravine", help=app.help, help_on_error=False)
    front.default(takes_recipe(lambda recipe, given: recipe))
    recipe = _call(front, words)
    assert isinstance(recipe, Recipe)
    return recipe


def _call(application: App, words: Sequence[str]) -> Any:
    try:
        return application(list(words), exit_on_error=False, print_error=False, result_action="return_value")
    except cyclopts.CycloptsError as error:
        text = str(error).strip().replace("\n", " ")
        raise InputError(sentences.USAGE(problem=text.rstrip("."), stop="" if text.endswith("?") else ".")) from None
