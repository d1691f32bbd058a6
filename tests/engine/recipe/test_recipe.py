"""The recipe: one declaration, and every way in and out of it gives the same."""

from __future__ import annotations

import tomllib
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.cli import preset
from engine.recipe import Choice, Recipe, build, choices, find, read_toml
from tests.conftest import message


def some_value(choice: Choice) -> st.SearchStrategy[Any]:
    """Values that a field takes, as a person would type them."""
    texts = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=12)
    words = st.sampled_from(choice.words) if choice.words else st.nothing()
    if choice.kind == "switch":
        return st.booleans()
    if choice.kind == "pick":
        return words
    if choice.kind in ("whole", "number"):
        own = choice.bounds
        low, high = choice.low or 0.0, min([1e9, *(b for b in (own.most, own.below) if b is not None)])
        if choice.kind == "whole":
            return words | st.integers(int(low), int(high)).map(str)
        return words | st.floats(
            low, high, exclude_min=own.above is not None, exclude_max=high == own.below, allow_subnormal=False
        ).map(repr)
    if choice.kind == "sizes":
        return st.lists(st.integers(1, 1000), min_size=1, max_size=4).map(lambda n: ",".join(map(str, n)))
    if choice.kind == "names":
        return st.sampled_from(["a", "a,b", 'a,"b,c"', ""])
    if choice.kind == "table":
        return st.sampled_from([["a=text"], ["a=numeric", "b c=date"], []])
    samples = {
        "device": ["auto", "cpu", "cuda", "cuda:3", "mps", "xpu:0"], "model": ["auto", "mlp", "my.models:Net"],
        "name": ["run 1", "a.b+c"], "target": ["price", "größe"],
    }.get(choice.name)  # fmt: skip
    return st.sampled_from(samples) if samples else texts.map(str.strip).filter(bool)


@st.composite
def values(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from([choice.name for choice in choices()]), unique=True, max_size=8))
    found = {name: draw(some_value(find(name))) for name in names}
    if "steps" in found:
        found.pop("epochs", None)
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=values())
def test_what_is_written_is_read_back(chosen: dict[str, Any], tmp_path: Path) -> None:
    recipe = build(chosen)
    file = tmp_path / "recipe.toml"
    file.write_text(recipe.to_toml())
    assert read_toml(file) == recipe
    assert read_toml(file.parent) == recipe
    assert tomllib.loads(recipe.to_toml()).keys() >= {"data", "optimizer"}


@settings(max_examples=60, deadline=None)
@example(chosen={"lr": "0.30000000000000004"})
@given(chosen=values())
def test_what_a_form_or_a_copied_command_line_shows_can_be_typed_again(chosen: dict[str, Any]) -> None:
    recipe = build(chosen)
    assert build({name: find(name).show(value) for name, value in recipe.changed().items()}) == recipe


@settings(max_examples=40, deadline=None)
@given(chosen=values())
def test_flags_say_the_same(chosen: dict[str, Any]) -> None:
    words: list[str] = []
    for name, value in chosen.items():
        choice = find(name)
        if choice.kind == "switch":
            if value != choice.default:
                words.append(choice.flag if value else "--no-" + choice.flag.removeprefix("--"))
        elif choice.kind == "table":
            words += [f"{choice.flag}={part}" for part in value]
        else:
            words.append(f"{choice.flag}={value}")
    assert preset(words) == build(chosen)


def test_every_field_is_whole() -> None:
    assert len({c.name for c in choices()}) == len(choices())
    assert len({c.flag for c in choices()}) == len(choices())
    for choice in choices():
        assert choice.help.endswith(".")
        assert choice.label
        assert choice.allowed
        assert find(choice.name) is choice
        assert choice.flag.startswith("--")
        assert "_" not in choice.flag
        # A default is itself allowed, shown as text or not.
        assert build({choice.name: choice.default}) == build({})
        assert build({choice.name: choice.default_text}) == build({})


FLAGS = """--dataset --target --features --drop --as --task --degree --missing --class-weight --val --test --split
    --split-seed --normalize --std --normalize-target --model --hidden --activation --dropout --batch-norm --init --loss
    --optimizer --lr --momentum --batch-size --shuffle --epochs --steps --schedule --warmup --l1 --l2 --weight-decay
    --clip --device --precision --backend --threads --deterministic --seed --patience --min-delta --tol --target-loss
    --max-seconds --eval-every --runs --name --log-every --checkpoint-every --pace"""


def test_the_spelling_of_flags_is_fixed() -> None:
    assert set(FLAGS.split()) <= {c.flag for c in choices()}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("steps", "2e6", 2_000_000),
        ("steps", "2_000_000", 2_000_000),
        ("steps", "2,000,000", 2_000_000),
        ("steps", " 5 ", 5),
        ("lr", " 0.5", 0.5),
        ("lr", "1e-3", 0.001),
        ("lr", "auto", "auto"),
        ("val", "auto", None),
        ("val", "", None),
        ("val", "0", 0.0),
        ("features", 'a, "b,c"', ("a", "b,c")),
        ("hidden", "64, 32", (64, 32)),
        ("types", "a=text,b=numeric", {"a": "text", "b": "numeric"}),
        ("deterministic", "on", True),
        ("tensorboard", "off", False),
        ("target", "", None),
        ("batch_size", "full", "full"),
        ("seed", "0", 0),
    ],
)
def test_text_is_read_as_a_person_means_it(name: str, text: str, value: Any) -> None:
    assert build({name: text}).get(name) == value


@pytest.mark.parametrize("text", ["", "fast", "-1", "0", "nan", "inf", "1e13", "0x1", "1 2", "--", "None", "true"])
def test_a_rate_that_cannot_be_names_field_value_and_range(text: str) -> None:
    told = message(lambda: build({"lr": text}))
    for word in ("Learning rate", "--lr", text or "empty", "auto or a number above 0 and at most 1,000,000,000,000"):
        assert word in told


@pytest.mark.parametrize("text", ["64,64", "64,", ",5", "1,5", "1,00", "1,0000", "1,,000"])
def test_commas_that_do_not_part_thousands_make_no_whole_number(text: str) -> None:
    for name in ("batch_size", "epochs", "seed"):
        assert f"is {text}, but must be" in message(lambda name=name: build({name: text}))


def test_an_unknown_field_names_the_nearest() -> None:
    assert "did you mean batch_size" in message(lambda: build({"batchsize": 3}))
    assert "lr" in message(lambda: find("xyzzy"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[optimizer]\nnormalize = 'max'", ["normalize", "[optimizer]", "[normalization]"]),
        ("[optimiser]\nlr = 1", ["optimiser"]),
        ("optimizer = 3", ["optimizer is 3", "table"]),
        ("[optimizer]\nlr = true", ["Learning rate", "True"]),
        ("[optimizer]\nlr = [1]", ["Learning rate", "[1]"]),
        ("[model]\nhidden = []", ["Hidden units", "[]"]),
        ("[data.types]\nage = 'color'", ["Column types", "color"]),
        ("[stopping]\nsteps = 2.5", ["Steps", "2.5"]),
        ("[stopping]\nsteps = 5\nepochs = 5", ["give one"]),
        ("[recording]\nname = '../x'", ["run name", "../x"]),
        ("events = 3", ["events", "step, field and value"]),
        ("[[events]]\nstep = 1\nfield = 'lr'", ["events", "step, field and value"]),
        ("[[events]]\nstep = -1\nfield = 'lr'\nvalue = 0.1", ["events", "step -1"]),
        ("[[events]]\nstep = 1\nfield = 'seed'\nvalue = 1", ["seed cannot be changed", "lr"]),
        ("[[events]]\nstep = 1\nfield = 'lr'\nvalue = 'fast'", ["Learning rate", "fast"]),
    ],
)
def test_a_file_that_cannot_be_says_where_and_why(tmp_path: Path, content: str, words: list[str]) -> None:
    (tmp_path / "odd.toml").write_text(content)
    told = message(lambda: read_toml(tmp_path / "odd.toml"))
    for word in ("odd.toml", *words):
        assert word in told


def test_a_file_on_top_of_another_recipe_changes_only_what_it_gives(tmp_path: Path) -> None:
    (tmp_path / "part.toml").write_text("[stopping]\nepochs = 3\n[optimizer]\nlr = 2\n")
    found = read_toml(tmp_path / "part.toml", build({"steps": 7, "seed": 5}))
    assert found.changed() == {"epochs": 3, "lr": 2.0, "seed": 5}


def test_steps_and_epochs_take_each_other_back() -> None:
    assert build({"epochs": 5}, base=build({"steps": 7})).stopping.steps is None
    assert build({"steps": 7}, base=build({"epochs": 5})).stopping.epochs == "auto"
    assert "give one" in message(lambda: build({"steps": 7, "epochs": 5}))


def test_a_recipe_never_changes() -> None:
    recipe = Recipe()
    with pytest.raises(FrozenInstanceError):
        recipe.optimizer.lr = 3.0  # type: ignore[misc]
    assert recipe.replace({"lr": "3"}).optimizer.lr == 3.0
    assert recipe == Recipe()
    assert recipe.changed() == {}


def test_a_recipe_that_is_no_text_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    assert "bytes.toml" in message(lambda: read_toml(tmp_path / "bytes.toml"))
    assert "no recipe" in message(lambda: read_toml(tmp_path / "none.toml"))
    assert "no recipe" in message(lambda: read_toml(tmp_path))


def test_a_name_may_hold_a_line_break() -> None:
    chosen = build({"features": 'a\nb,"c\r, d", e\u2028f'})
    assert chosen.data.features == ("a\nb", "c\r, d", "e\u2028f")
