"""`ravine train` and `ravine resume`: a run without a screen, from its recipe to its exit code."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from engine.base import process, shell
from engine.base.errors import Cancelled, InputError
from engine.base.printable import printable
from engine.base.rounding import told as shown
from engine.commands import console, sentences
from engine.commands.console import DIVERGED, DONE, FAILED, INTERRUPTED, WRONG, put, put_json, say
from engine.commands.telling import Telling, looked_at
from engine.modules import trust
from engine.recipe import Known, Recipe, build, read_toml

if TYPE_CHECKING:
    from engine.runs.origin import Origin


def asked(
    word: str | None,
    recipe_file: str | None,
    preset_name: str | None,
    given: Mapping[str, str | bool | list[str]],
    *,
    trusting: bool = False,
    strict: bool = False,
) -> Recipe:
    """The recipe that a command line asks for. Raises InputError.

    Args:
        word: the dataset as it stands without a flag.
        recipe_file: a recipe.toml or run folder to begin from.
        preset_name: the name of a recipe to begin from.
        given: the other flags by the names of their fields; they overrule both.
        trusting: the person trusts the modules that the recipe or the preset names; those in flags they named
            themselves.
        strict: refuse what does not apply to a run without a screen, as far as that is known before the table is read.
            The app's panels show it instead.
    """
    values = dict(given)
    if word is not None:
        if "dataset" in values:
            raise InputError(sentences.TWO_DATASETS(word=word, dataset=values["dataset"]))
        values["dataset"] = word
    base = None
    if preset_name is not None:
        from engine import presets

        base = presets.find(preset_name).recipe
    if recipe_file is not None:
        path = Path(recipe_file).expanduser()
        base = read_toml(path, base)
        run = _run_of(path)
        if run is not None:
            _same_modules(run, trusting)
            from engine.runs.whereabouts import located_recipe

            # The run that is repeated has taken the name, and may have begun in another folder.
            base = located_recipe(base.replace({"name": ""}), run)
    recipe = build(values, base=base)
    if strict:
        Known(recipe, {"screen": False}).refuse(values)
    named = recipe.get if trusting else values.get
    trust.ask_table(named("dataset"))
    trust.ask(named("model"))
    return recipe


def _run_of(recipe: Path) -> Path | None:
    """The run folder that a recipe is of, named itself or by the recipe.toml in it; None for any other file."""
    if recipe.is_dir():
        return recipe
    if recipe.name != "recipe.toml":
        return None
    from engine.runs.facts import read_facts

    with suppress(InputError):  # the recipe of a damaged run can still be named by its file
        read_facts(recipe.parent)
        return recipe.parent
    return None


def _same_modules(run: Path, trusting: bool) -> None:
    """A run whose modules have changed since is repeated with --trust only. Raises Untrusted."""
    if not trusting and (run / "run.json").exists():
        from engine import modules
        from engine.runs.facts import read_facts

        modules.check_changes(run.name, read_facts(run))


def train(
    recipe: Recipe,
    *,
    given: Collection[str] = (),
    json: bool = False,
    plain: bool = False,
    origin: Origin | None = None,
) -> int:
    """Train to the end; the exit code.

    Args:
        given: the names of the fields that were given on the command line; one that does not apply is refused.
        json: put everything about the run on stdout, and say nothing on the way.
        plain: say a line for each epoch all the same, however short the run.
        origin: an earlier run to go on from.
    """
    with process.one_blas_thread():
        from engine.training.session import Session
        from engine.training.snapshot import Phase

    process.settled()
    session = Session(recipe, command=shell.joined(["ravine", *console.words]), origin=origin, given=given)
    with _signals(lambda: session.stop("interrupted"), session.cut_short):
        session.start()
        start = 0 if origin is None else int(origin.state.facts["step"])
        _watch(session, quiet=json and not plain, plain=plain, start=start)
    end = session.snapshot()
    if end.phase is Phase.FAILED:
        say(sentences.RAVINE(error=end.error))
        if isinstance(session.failure, Cancelled):
            return INTERRUPTED
        return WRONG if isinstance(session.failure, InputError) else FAILED
    assert end.ending is not None
    code = {"diverged": DIVERGED, "interrupted": INTERRUPTED}.get(end.ending.reason, DONE)
    try:
        if json:
            put_json(session.result)
        else:
            put(printable(str(end.run)))
        sys.stdout.flush()
    except OSError:
        if code == DONE:
            raise
        console.hush()  # the terminal is gone, and the code says more
    say(end.ending.sentence)
    if end.decision is not None and end.ending.reason != "interrupted":
        say(end.decision.sentence)
    return code


def resume(
    run: str,
    *,
    steps: str | None = None,
    epochs: str | None = None,
    changed_data: bool = False,
    take_over: bool = False,
    runs: str,
    json: bool = False,
    plain: bool = False,
) -> int:
    """Go on with a run where its last checkpoint stood; the exit code. Raises InputError.

    Args:
        steps, epochs: a new length of the whole run.
        take_over: also where the process that had the run cannot be asked whether it is over.
    """
    from engine.runs import resuming
    from engine.runs.store import resolve

    path = resolve(run, Path(runs).expanduser())
    found = resuming.read(path, steps=steps, epochs=epochs, changed_data=changed_data, take_over=take_over, asks=False)
    return train(found.recipe, json=json, plain=plain, origin=found.origin)


def _watch(session: Any, *, quiet: bool, plain: bool, start: int) -> None:
    """Wait for the end. Of a run that takes longer than a second tell how far it is: on a terminal once a second, else
    a line for each epoch; `plain` asks for those of any run, anywhere.
    """
    steered = any(event.field == "batch_size" for event in session.recipe.events)
    telling = Telling(start, by_step=steered) if plain or not (quiet or looked_at()) else None
    told, warned, doing = False, False, ""
    while True:
        over = session.join(0.02 if not told else 1.0)
        if session.warnings and not warned:
            warned = True
            for warning in session.warnings:
                say(warning)
        now = session.snapshot()
        if now.full:
            session.stop("interrupted")  # nobody is there to make room; the folder says how it goes on
        if telling is not None and (plain or told or now.seconds >= 1):
            telling.tell(now)
        if over:
            return
        late, told = told, now.seconds >= 1
        if now.steps and now.activity:  # after the last step
            if now.activity != doing and not quiet:
                say(doing := now.activity)
            continue
        if quiet or telling is not None or not now.steps or not (late or told):
            continue
        loss = shown(now.loss, now.loss_size) if now.loss is not None else "-"
        left = None if now.eta is None else round(now.eta)
        say(sentences.ON_THE_WAY(step=now.step, steps=now.steps, loss=loss, pace=now.steps_per_second, seconds=left))


class _signals:
    """Let what asks the process to end call `stop`, for as long as it lasts.

    A second one calls `cut_short` and ends at once, without waiting for anything; a third one not even for that.
    """

    def __init__(self, stop: Callable[[], None], cut_short: Callable[[], None]) -> None:
        self._stop, self._cut_short = stop, cut_short
        self._told = False
        self._old: dict[int, Any] = {}

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self._told:
            self._told = True
            self._stop()
            return
        for one in self._old:
            signal.signal(one, signal.SIG_DFL)
        try:
            self._cut_short()
        finally:  # whatever the disk says
            os._exit(INTERRUPTED)

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays nohup
                self._old[number] = signal.signal(number, self._handle)

    def __exit__(self, *_: object) -> None:
        for number, old in self._old.items():
            signal.signal(number, old or signal.SIG_DFL)
