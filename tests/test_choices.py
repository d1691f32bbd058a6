"""What a choice is made of and to what it applies: the panel, run.json, recipe.toml, TensorBoard, the command line and
the lists of runs say the same of every field, for every value of what it depends on."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.analysis.survey import survey
from engine.cli import main
from engine.commands.console import DONE, WRONG
from engine.learn.plan import of_table
from engine.recipe import Choice, Known, Recipe, autos, build, choices, find, read_toml
from engine.recipe.needs import Needs
from engine.runs import choices as kept
from engine.runs.store import list_runs
from engine.watch.tree import LogTree
from tests.conftest import facts, message, train
from tui.model.workspace import Workspace
from tui.screens.runs.columns import fields
from tui.widgets.rows import IDLE, about, field_row

ROWS = 24
GIVEN = {
    "whole": "3",
    "number": "0.25",
    "sizes": "8,4",
    "switch": "true",
}  # a value of each kind that chooses something
OWN = {"positive": "b", "pace": "7"}
OTHERS = {  # what else a value of a field needs so that a run can have it
    "model": {"logistic": {"task": "binary"}, "softmax": {"task": "multiclass"}},
    "backend": {"spectral": {"model": "linear", "task": "regression"}},
}
OPEN = {  # values of the fields that take no words
    "val": (0.0, 0.25),
    "test": (0.0, 0.25),
    "patience": (None, 3),
    "checkpoint_every": (None, 2),
    "steps": (None, 3),
    "batch_size": ("full", 5),
    "tensorboard": (True,),
    "normalize_target": (False, True),
}


def _words(choice: Choice) -> tuple[Any, ...]:
    if choice.name in OPEN:
        return OPEN[choice.name]
    return tuple(word for word in (*choice.words, *choice.suggestions) if ":" not in word)


def settings_of_what_counts() -> Iterator[dict[str, Any]]:
    """Every value of every field that another one depends on."""
    names = dict.fromkeys(name for choice in choices() for need in choice.needs for name in need.of)
    for name in names:
        for word in _words(find(name)):
            yield OTHERS.get(name, {}).get(str(word), {}) | {name: word}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two features, and a target of each task."""
    path = tmp_path / "t.csv"
    lines = ["u,v,number,two,three"]
    lines += [f"{i},{i * i % 7},{3 * i + i % 5}.5,{'ab'[i % 2]},{'abc'[i % 3]}" for i in range(ROWS)]
    path.write_text("\n".join(lines) + "\n")
    return path


TARGETS = {"regression": "number", "binary": "two", "multiclass": "three"}


def asked(table: Path, values: dict[str, Any]) -> dict[str, Any]:
    """The flat values of a short run of the table."""
    task = values.get("task", "auto")
    target = TARGETS["regression" if task == "auto" else task]
    drop = tuple(name for name in TARGETS.values() if name != target)
    length = {} if "steps" in values else {"epochs": 1}
    return {
        "dataset": str(table),
        "target": target,
        "drop": drop,
        "runs": str(table.parent / "runs"),
        **length,
    } | values


def flags(values: dict[str, Any]) -> list[str]:
    """The words of a command line that say them."""
    words = []
    for name, value in values.items():
        choice = find(name)
        if choice.kind == "switch":
            words += [choice.flag] if value else [choice.off] if choice.off else []
        elif value is not None:
            words += [choice.flag, choice.show(value)]
    return words


def something(choice: Choice) -> Any:
    """A value of a field that chooses something."""
    text = OWN.get(choice.name) or GIVEN.get(choice.kind) or next(word for word in choice.words if word != "none")
    value = choice.read(text)
    assert not choice.says_nothing(value), choice.name
    return value


def desk_of(recipe: Recipe) -> Workspace:
    """The app's choices, once the table has been looked at."""
    workspace = Workspace(recipe, lambda: None, lambda *_: None)
    found = survey(recipe)
    workspace.surveyed(recipe, found, found.table, "")
    return workspace


@pytest.mark.parametrize(
    "values", list(settings_of_what_counts()), ids=lambda v: ",".join(f"{a}={b}" for a, b in v.items())
)
def test_everybody_says_the_same_of_every_choice(
    table: Path, values: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = build(asked(table, values))
    run = train(recipe, paced=True).snapshot().run
    assert run is not None
    told, text = facts(run), tomllib.loads((run / "recipe.toml").read_text())
    made, idle = told["choices"], told["does_not_apply"]
    assert list(made) == [choice.name for choice in choices()]
    assert idle.keys() == text["does_not_apply"].keys()
    assert idle.keys() | text["resolved"].keys() == made.keys()
    assert not idle.keys() & text["resolved"].keys()
    hparams = LogTree(run.parent)
    while hparams.poll(1.0).busy:
        pass
    (logged,) = [found.choices for found in hparams.runs.values()]
    workspace = desk_of(recipe)
    (listed,) = list_runs(run.parent)
    back = read_toml(run)
    assert back == recipe
    for choice in choices():
        name, why = choice.name, idle.get(choice.name, "")
        assert name in text[choice.section], name  # every field, defaults included
        row, help = field_row(workspace, choice), about(workspace, choice)
        assert (row.note == IDLE) == row.idle == (name in idle), (name, row)
        assert help.startswith(f"Does not apply: {why}. ") == (name in idle), name
        assert kept.known(told, back).why_not(name) == why, name
        column = fields().get({"loss": "loss_function", "steps": "steps_planned"}.get(name, name))
        if name in idle:
            assert made[name] is None
            assert name not in logged
            assert column is None or column.get(listed) is None, name
        elif choice.section != "recording" and made[name] not in (None, [], {}):
            shown = logged[name]
            assert shown == made[name] or shown == choice.show(choice.read(made[name])), name
    capsys.readouterr()
    for name, why in idle.items():
        choice = find(name)
        if name in ("pace", "epochs"):  # of the app, and the other one of two that cannot be given together
            continue
        line = asked(table, values) | {name: something(choice)}
        assert main(["train", *flags(line)]) == WRONG, name
        said = capsys.readouterr().err
        assert f"({choice.flag}) does not apply: {why}; leave it out" in said
        assert len(said.splitlines()) == 1
        assert f"{choice.flag} " not in desk_of(build(line)).command + " ", "what is copied can be run"


def test_what_applies_is_taken_and_what_chooses_nothing_is_never_refused(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for extra in (
        {"optimizer": "adamw", "weight_decay": 0.1, "model": "mlp", "hidden": (3,), "dropout": 0.1, "batch_size": 5},
        {
            "task": "binary",
            "positive": "b",
            "threshold": 0.25,
            "class_weight": "balanced",
            "val": 0.25,
            "split_seed": 3,
        },
        {"optimizer": "lbfgs", "batch_size": "full", "dropout": 0.0, "weight_decay": 0.0, "pace": "max"},
        {"normalize": "none", "normalize_target": True, "std": "population", "patience": 2, "min_delta": 0.1},
    ):
        assert main(["train", *flags(asked(table, extra))]) == DONE, capsys.readouterr().err


def test_what_stands_in_a_recipe_and_does_not_apply_is_said_and_left_out(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = table.parent / "mine.toml"
    file.write_text(build(asked(table, {"optimizer": "adamw", "weight_decay": 0.1, "steps": 3})).to_toml())
    assert main(["train", "--recipe", str(file), "--optimizer", "sgd"]) == DONE
    out, err = capsys.readouterr()
    assert "Weight decay (--weight-decay) 0.1 does not apply: sgd has no weight decay." in err
    told = facts(Path(out.strip()))
    assert told["choices"]["weight_decay"] is None
    assert told["does_not_apply"]["weight_decay"] == "sgd has no weight decay"


def test_a_change_on_the_way_makes_a_choice_apply(table: Path) -> None:
    recipe = build(asked(table, {"optimizer": "sgd", "lr": 1e-3, "weight_decay": 0.02, "steps": 6}))
    before = Known(recipe)
    assert before.why_not("weight_decay")
    from tests.conftest import prepared_run

    run = prepared_run(recipe)
    run.advance(2)
    assert run.folder is not None
    assert facts(run.folder.path)["choices"]["weight_decay"] is None
    run.change("optimizer", "adamw")
    assert facts(run.folder.path)["choices"]["weight_decay"] == 0.02
    assert tomllib.loads((run.folder.path / "recipe.toml").read_text())["resolved"]["weight_decay"] == 0.02
    run.finish("limit")
    assert "weight_decay" not in facts(run.folder.path)["does_not_apply"]


@pytest.mark.parametrize("choice", [c for c in choices() if c.needs], ids=lambda c: c.name)
def test_a_need_names_fields_that_there_are(choice: Choice) -> None:
    for need in choice.needs:
        assert all(find(name).name != choice.name for name in need.of)
        assert Known(Recipe()).why_not(choice.name) == "" or need.why


def test_of_a_module_nothing_is_said_about_layers_of_its_own() -> None:
    known = Known(build({"model": "mine:Net", "dropout": 0.5}))
    assert known.why_not("dropout") == "model mine:Net has no hidden layers to choose"
    assert "choose --model mlp" in message(lambda: known.refuse(["dropout"]))


def test_the_panel_follows_at_once_what_auto_means_now(table: Path) -> None:
    workspace = desk_of(build(asked(table, {})))
    assert workspace.resolved("optimizer") == "sgd"
    assert workspace.set({"model": "mlp"})  # no survey of it has come yet
    assert (workspace.resolved("optimizer"), workspace.resolved("init"), workspace.resolved("batch_size")) == (
        "adam",
        "kaiming",
        "full",
    )
    assert not workspace.made.why_not("hidden")
    assert workspace.set({"optimizer": "lbfgs"})
    assert workspace.made.why_not("batch_size") == "lbfgs works on full batches"


@pytest.mark.parametrize(
    "values", list(settings_of_what_counts()), ids=lambda v: ",".join(f"{a}={b}" for a, b in v.items())
)
def test_what_auto_means_is_what_the_plan_makes_of_it(table: Path, values: dict[str, Any]) -> None:
    recipe = build(asked(table, values))
    found = survey(recipe)
    plan, made = found.plan, of_table(recipe, found.prepared)
    for name in ("model", "loss", "init", "optimizer", "schedule", "l2", "steps", "eval_every"):
        assert made[name] == getattr(plan, name), name
    assert autos.batch(made) == plan.batch
    assert all(choice.auto is None or choice.optional or choice.default == "auto" for choice in choices())


def test_needs_are_declared_with_the_fields() -> None:
    assert all(isinstance(need, Needs) for choice in choices() for need in choice.needs)
