"""The command line: headless training and everything that can be done with a run. stdout is data, stderr narration.

The flags come from the recipe's fields. cyclopts reads them (nested help groups, choices and "did you mean" out of the
box, and half the import time of the other libraries that could); their values stay text until the recipe checks them,
so that a wrong one gets the same sentence here, in a form and in recipe.toml.
"""

from __future__ import annotations

import inspect
import io
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import cyclopts
from cyclopts import App, Group, Parameter

from engine import presets
from engine.commands.console import DIVERGED, DONE, FAILED, INTERRUPTED, WRONG, Json, RunName, RunsFolder, put, say
from engine.commands.export import export
from engine.commands.runs import app as listing
from engine.commands.watch import watch
from engine.errors import Cancelled, InputError
from engine.recipe import Choice, Recipe, build, choices, read_toml

if TYPE_CHECKING:
    from engine.runs.origin import Origin

# Flags from the recipe.

_GROUPS = {
    "data": "Data",
    "normalization": "Normalization",
    "model": "Model",
    "optimizer": "Optimizer",
    "device": "Device",
    "stopping": "Stopping",
    "recording": "Recording",
}


def _text(_: Any, tokens: Sequence[Any]) -> Any:
    return tokens[0].value


def _parameter(choice: Choice, order: int) -> inspect.Parameter:
    group = Group(_GROUPS[choice.section], sort_key=order)
    meaning = choice.help
    if choice.kind in ("whole", "number", "pick"):
        meaning += f" [{choice.allowed}]"
    if choice.default_text:
        meaning += f" [default: {choice.default_text}]"
    shape: Any
    if choice.kind == "switch":
        shape = bool
        off = "--no-" + choice.flag.removeprefix("--")
        note = Parameter(
            name=choice.flag,
            negative=off if choice.default or choice.name == "normalize_target" else (),
            help=meaning,
            group=group,
            show_default=False,
        )
    elif choice.kind == "table":
        shape = list[str]
        note = Parameter(
            name=choice.flag, negative=(), help=f"{meaning} [{choice.allowed}]", group=group, show_default=False
        )
    else:
        shape = str
        note = Parameter(name=choice.flag, help=meaning, group=group, converter=_text, show_default=False)
    return inspect.Parameter(
        choice.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[shape | None, note]
    )


def _own_text(name: str, flag: str, meaning: str) -> inspect.Parameter:
    """A flag that is no field of the recipe."""
    note = Parameter(name=flag, help=meaning, show_default=False)
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, note])


def _takes_recipe(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function(recipe, given, **own) the recipe's flags, and a DATASET before them."""
    own = [
        p for p in inspect.signature(function, eval_str=True).parameters.values() if p.name not in ("recipe", "command")
    ]
    names = list(_GROUPS)
    flags = [_parameter(c, 1 + names.index(c.section)) for c in choices()]
    word = Parameter(name="DATASET", help="Same as --dataset.", show_default=False)
    first = inspect.Parameter(
        "word", inspect.Parameter.POSITIONAL_ONLY, default=None, annotation=Annotated[str | None, word]
    )
    file = _own_text("recipe_file", "--recipe", "Begin from a recipe.toml or a run folder; flags overrule it.")
    names_of = ", ".join(presets.SHIPPED)
    named = _own_text(
        "preset_name",
        "--preset",
        f"Begin from a recipe by its name: {names_of}, or one of your own; --recipe and flags overrule it.",
    )

    def call(
        word: str | None = None, *, recipe_file: str | None = None, preset_name: str | None = None, **given: Any
    ) -> Any:
        mine = {p.name: given.pop(p.name) for p in own if p.name in given}
        values = {name: value for name, value in given.items() if value is not None}
        if word is not None:
            if "dataset" in values:
                raise InputError(f"The dataset is given twice: {word} and --dataset {values['dataset']}.")
            values["dataset"] = word
        base = None if preset_name is None else presets.find(preset_name).recipe
        if recipe_file is not None:
            path = Path(recipe_file).expanduser()
            base = read_toml(path) if base is None else presets.upon(base, read_toml(path))
            if path.is_dir():
                base = base.replace({"name": ""})  # which the run that is repeated has taken
        return function(build(values, base=base), **mine)

    call.__signature__ = inspect.Signature([first, *own, file, named, *flags])  # type: ignore[attr-defined]
    call.__annotations__ = {}  # the signature says it all; cyclopts would believe these first
    call.__doc__ = function.__doc__
    return call


# Commands.

app = App(
    name="ravine",
    help="The terminal trainer for PyTorch. Without a command: the full-screen trainer; flags preset its panels.",
    version=lambda: version("ravine"),
    help_on_error=False,
)


def _train(recipe: Recipe, *, json: Json = False) -> int:
    """Train without a screen; the run folder is the same.

    Exit codes: 0 done, 1 failed, 2 wrong usage or bad input, 3 diverged, 130 interrupted.
    """
    return _drive(recipe, json)


def _drive(recipe: Recipe, json: bool, origin: Origin | None = None) -> int:
    """Train to the end; the exit code."""
    from engine.runs.folder import to_json
    from engine.session import Session
    from engine.snapshot import Phase

    session = Session(recipe, command=shlex.join(["ravine", *_argv]), origin=origin)
    with _signals(lambda: session.stop("interrupted")):
        session.start()
        _watch(session, quiet=json)
    end = session.snapshot()
    if end.phase is Phase.FAILED:
        say(f"ravine: {end.error}")
        if isinstance(session.failure, Cancelled):
            return INTERRUPTED
        return WRONG if isinstance(session.failure, InputError) else FAILED
    assert end.ending is not None
    code = {"diverged": DIVERGED, "interrupted": INTERRUPTED}.get(end.ending.reason, DONE)
    try:
        put(to_json(session.result) if json else str(end.run))
        sys.stdout.flush()
    except OSError:
        if code == DONE:
            raise
        _hush()  # the terminal is gone, and the code says more
    say(end.ending.sentence)
    return code


def _watch(session: Any, quiet: bool) -> None:
    """Wait for the end; on a terminal tell how far it is, once a second."""
    told, warned = False, False
    while True:
        over = session.join(0.02 if not told else 1.0)
        if session.warnings and not warned:
            warned = True
            for warning in session.warnings:
                say(warning)
        if over:
            return
        now = session.snapshot()
        if quiet or not sys.stderr.isatty() or not now.steps or now.seconds < 1:
            told = now.seconds >= 1
            continue
        told = True
        loss = f"{now.loss:.6g}" if now.loss is not None else "-"
        rest = f"   {now.eta:.0f} s to go" if now.eta is not None else ""
        say(f"step {now.step:,} of {now.steps:,}   loss {loss}   {now.steps_per_second:,.0f} steps/s{rest}")


class _signals:
    """Let SIGINT, SIGTERM and SIGHUP call `stop`, for as long as it lasts; a second one ends at once."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._old: dict[int, Any] = {}

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._stop()
        signal.signal(number, self._old[number] or signal.SIG_DFL)

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays nohup
                self._old[number] = signal.signal(number, self._handle)

    def __exit__(self, *_: object) -> None:
        for number, old in self._old.items():
            signal.signal(number, old)


app.command(_takes_recipe(_train), name="train")


@app.command
def resume(
    run: RunName,
    /,
    *,
    steps: Annotated[str | None, Parameter(help="A new number of steps in all; a finished run goes on to it.")] = None,
    changed_data: Annotated[
        bool, Parameter(negative=(), help="Go on though the table has changed since the run began.")
    ] = False,
    runs: RunsFolder = "./runs",
    json: Json = False,
) -> int:
    """Go on with a run where its last checkpoint stood, as if it had never stopped."""
    from engine.runs.folder import read_facts, running
    from engine.runs.origin import Origin
    from engine.runs.store import resolve

    path = resolve(run, Path(runs).expanduser())
    recipe = read_toml(path)
    if running(read_facts(path)):
        raise InputError(f"The run {path.name} is still running; stop it first.")
    if steps is not None:
        recipe = recipe.replace({"steps": steps})
    return _drive(recipe, json, Origin.read(path, changed_data=changed_data))


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
        str | None, Parameter(help="A table with the raw columns; the answer is CSV, a line for each row.")
    ] = None,
    runs: RunsFolder = "./runs",
    json: Json = False,
) -> int:
    """Predict with a run's model: raw units in, raw units out."""
    from engine.runs import predictor
    from engine.runs.folder import to_json
    from engine.runs.store import resolve

    model = predictor.load(resolve(run, Path(runs).expanduser()))
    if (values is None) == (input is None):
        raise InputError("Say what to predict: either --values or --input FILE.")
    if values is not None:
        outputs, warnings = model.predict_rows([_one_row(values, [i.name for i in model.inputs])])
    else:
        from engine.data.sources import load
        from engine.recipe import Data

        assert input is not None
        table = load(Data.model_validate({"dataset": input, "types": {i.name: i.kind for i in model.inputs}}))
        outputs, warnings = model.predict(table)
    for warning in warnings:
        say(warning)
    found = model.decide(outputs)
    if json:
        answer: dict[str, Any] = {
            "run": str(model.path),
            "target": model.target,
            "predictions": found,
            "warnings": warnings,
        }
        if model.classes:
            answer |= {"classes": model.classes, "probabilities": outputs}
        put(to_json(answer))
    elif values is not None:
        put(str(found[0]) if model.classes else f"{found[0]:.10g}")
    else:
        sys.stdout.writelines(_predictions(model.classes, found, outputs))
    return DONE


def _predictions(classes: Sequence[str], found: Sequence[Any], outputs: Any) -> Iterator[str]:
    """CSV lines: the prediction, and for classes the probability of each."""
    import csv

    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n")
    writer.writerow(["prediction", *(f"probability of {c}" for c in classes)])
    for i, value in enumerate(found):
        writer.writerow([value, *(outputs[i].tolist() if classes else ())])
        if line.tell() > 1 << 16:
            yield line.getvalue()
            line.seek(0)
            line.truncate()
    yield line.getvalue()


def _one_row(text: str, names: list[str]) -> dict[str, str]:
    import csv

    parts = next(csv.reader([text], skipinitialspace=True), [])
    if parts and all("=" in part for part in parts):
        return {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in parts)}
    if len(parts) != len(names):
        raise InputError(f"--values has {len(parts)} values, the model takes {len(names)}: {', '.join(names)}.")
    return dict(zip(names, parts, strict=True))


app.command(listing)
app.command(export)
app.command(watch)


@app.command
def doctor(*, json: Json = False) -> int:
    """Look at devices, terminal and versions, and say what to fix."""
    from engine.doctor import examine
    from engine.runs.folder import to_json

    report = examine()
    put(to_json(report.to_dict()) if json else report.to_text())
    return DONE


# The way in.

_argv: list[str] = []


def _call(application: App, argv: Sequence[str]) -> Any:
    try:
        return application(list(argv), exit_on_error=False, print_error=False, result_action="return_value")
    except cyclopts.CycloptsError as error:
        text = str(error).strip().replace("\n", " ")
        raise InputError(text if text.endswith((".", "?")) else text + ".") from None


def main(argv: Sequence[str]) -> int:
    """Run a headless command; its exit code."""
    _argv[:] = argv
    _open_streams()
    try:
        code = _call(app, argv)
        sys.stdout.flush()
    except InputError as error:
        say(f"ravine: {error}")
        return WRONG
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _hush()  # the reader has seen enough
        return DONE
    except OSError as error:
        _hush()
        say(f"ravine: {error.strerror or error}{f' ({error.filename})' if error.filename else ''}.")
        return FAILED
    return code if isinstance(code, int) else DONE


def _open_streams() -> None:
    """Stand in for standard streams that were closed, or the run's own files would take their numbers."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def _hush() -> None:
    """Send what stdout still holds nowhere, so that it is not tried once more at exit."""
    with suppress(OSError, io.UnsupportedOperation):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def preset(argv: Sequence[str]) -> Recipe:
    """The recipe that `ravine [DATASET] [flags]` presets the panels with. Raises InputError."""
    front = App(name="ravine", help=app.help, help_on_error=False)
    front.default(_takes_recipe(lambda recipe: recipe))
    recipe = _call(front, argv)
    assert isinstance(recipe, Recipe)
    return recipe
