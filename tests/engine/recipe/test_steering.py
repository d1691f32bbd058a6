"""What a run that goes on can be told: every door takes and refuses the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.base.errors import InputError
from engine.recipe import choices, read_toml, steered
from engine.training.session import Session
from tests.conftest import message, prepared_run, recipe

LIVE = [choice.name for choice in choices() if choice.live]
WRONG: list[tuple[str, Any]] = [
    *((choice.name, choice.default) for choice in choices() if not choice.live and choice.default is not None),
    *((choice.name, "auto") for choice in choices() if choice.live and "auto" in choice.words),
    ("lr", 0),
    ("lr", "fast"),
    ("momentum", 1.0),
    ("batch_size", 0),
    ("optimizer", "newton"),
]


def by_file(folder: Path) -> Callable[[str, Any], object]:
    def change(field: str, value: Any) -> object:
        text = f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
        path = folder / "recipe.toml"
        path.write_text(f'[[events]]\nstep = 1\nfield = "{field}"\nvalue = {text}\n')
        return read_toml(path)

    return change


@pytest.mark.parametrize(
    ("field", "value"), [(f, v) for f, v in WRONG if isinstance(v, str | int | float) and not isinstance(v, bool)]
)
def test_every_door_refuses_what_the_first_refuses(field: str, value: Any, tmp_path: Path) -> None:
    why = message(lambda: steered(field, value))
    assert why == message(lambda: Session(recipe(tmp_path)).change(field, value))
    named = message(lambda: steered(field, value, field))
    assert named in message(lambda: by_file(tmp_path)(field, value))


def test_a_run_refuses_it_too_and_stays_as_it_is(tmp_path: Path) -> None:
    run = prepared_run(recipe(tmp_path, steps=20))
    for field, value in (("seed", 1), ("lr", "auto"), ("momentum", 2)):
        assert message(lambda: steered(field, value)) == message(lambda: run.change(field, value))  # noqa: B023
    assert run.recipe.events == ()
    run.change("lr", "0.05")
    assert [(event.field, event.value) for event in run.recipe.events] == [("lr", 0.05)]
    run.finish("limit")


def test_what_it_takes_is_kept_as_the_recipe_keeps_it(tmp_path: Path) -> None:
    for field, text, value in (
        ("lr", "1e-2", 0.01),
        ("momentum", "0.5", 0.5),
        ("batch_size", "2,000", 2000),
        ("batch_size", "full", "full"),
        ("optimizer", " adam", "adam"),
    ):
        assert steered(field, text) == value
        assert type(steered(field, text)) is type(value)
    assert {field for field in LIVE if "auto" not in next(c for c in choices() if c.name == field).words} == {
        "momentum"
    }


def test_the_sentence_names_the_choices_that_can_change() -> None:
    with pytest.raises(InputError, match="Seed cannot be changed during a run; these can: optimizer, lr, momentum"):
        steered("seed", 1)
