"""Presets: recipes by name, the notes' and a person's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine import cli as program
from engine import presets
from engine.base.errors import InputError
from engine.recipe import Recipe
from tests.conftest import message, near, train


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a person's own recipes."""
    folder = tmp_path / "config" / "recipes"
    folder.mkdir(parents=True)
    monkeypatch.setattr(presets, "own_folder", lambda: folder)
    return folder


def test_every_shipped_preset_is_a_recipe_with_a_title(own: Path) -> None:
    found = presets.presets()
    assert tuple(preset.name for preset in found) == presets.SHIPPED
    files = {path.stem for path in Path(presets.__file__).parent.glob("*.toml")}
    assert files == set(presets.SHIPPED)
    for preset in found:
        assert not preset.problem
        assert not preset.own
        assert preset.title != preset.name
        assert preset.description.endswith(".")
        assert preset.recipe != Recipe()


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("houses-by-hand", {"normalize": "none", "lr": 0.001, "steps": 2_000_000, "init": "zeros"}),
        ("houses-normalized", {"dataset": "houses", "normalize": "zscore"}),
        ("linear3-tensorboard", {"dataset": "linear3", "tensorboard": True}),
        ("scales-max", {"dataset": "scales", "normalize": "max", "init": "ones", "lr": 0.5}),
        ("scales-zscore", {"dataset": "scales", "normalize": "zscore", "init": "ones", "lr": 0.5}),
        ("titanic-logistic", {"dataset": "titanic", "model": "logistic", "batch_size": 256}),
        ("digits-network", {"dataset": "digits", "model": "mlp"}),
    ],
)
def test_the_notes_experiments(name: str, fields: dict[str, Any], own: Path) -> None:
    recipe = presets.find(name).recipe
    assert {field: recipe.get(field) for field in fields} == fields


@pytest.mark.parametrize("name", presets.SHIPPED)
def test_they_train(name: str, own: Path, tmp_path: Path) -> None:
    recipe = presets.find(name).recipe.replace({"runs": str(tmp_path), "tensorboard": False, "epochs": 5})
    result = train(recipe).result
    assert result["ended"] == "limit"
    assert result["train_loss"] < result["baseline_loss"] or name == "houses-by-hand"


def test_houses_by_hand_gets_there_in_two_million_steps(own: Path, tmp_path: Path) -> None:
    recipe = presets.find("houses-by-hand").recipe.replace({"runs": str(tmp_path), "tensorboard": False})
    result = train(recipe).result
    assert result["steps"] == 2_000_000
    near(result["train_loss"], result["optimum_loss"], 1e-9)


def test_own_recipes_appear_beside_them_and_may_take_their_place(own: Path) -> None:
    (own / "mine.toml").write_text("# My table\n# Quick\n# to see.\n\n[optimizer]\nlr = 0.25\n")
    (own / "bare.toml").write_text("[optimizer]\nlr = 0.125\n")
    (own / "scales-max.toml").write_text("[data]\ndataset = 'scales'\n")
    (own / "broken.toml").write_text("[optimizer]\nlr = -1\n")
    found = {preset.name: preset for preset in presets.presets()}
    assert list(found)[len(presets.SHIPPED) :] == ["bare", "broken", "mine"]
    assert (found["mine"].title, found["mine"].description, found["mine"].own) == ("My table", "Quick to see.", True)
    assert found["bare"].title == "bare"
    assert presets.find("mine").recipe.get("lr") == 0.25
    assert found["scales-max"].own
    assert found["scales-max"].recipe.get("normalize") == "zscore"
    assert "earning rate" in found["broken"].problem
    assert "broken.toml" in message(lambda: presets.find("broken"))


def test_an_unknown_name_gets_the_nearest(own: Path) -> None:
    assert "did you mean scales-max?" in message(lambda: presets.find("scale-max"))
    assert "there are houses-by-hand" in message(lambda: presets.find("qqq"))


def test_no_folder_of_own_recipes_is_no_trouble(tmp_path: Path) -> None:
    assert len(presets.presets(tmp_path / "none")) == len(presets.SHIPPED)


def test_flags_overrule_a_recipe_which_overrules_a_preset(own: Path, tmp_path: Path) -> None:
    file = tmp_path / "recipe.toml"
    file.write_text(
        "[normalization]\nnormalize = 'minmax'\n[optimizer]\nlr = 0.2\n"
        "[[events]]\nstep = 3\nfield = 'lr'\nvalue = 0.1\n"
    )
    words = ["--preset", "scales-max", "--recipe", str(file), "--lr", "0.3"]
    recipe = program.preset(words)
    assert recipe.get("dataset") == "scales"  # the preset's
    assert recipe.get("init") == "ones"
    assert recipe.get("normalize") == "minmax"  # the recipe's
    assert len(recipe.events) == 1
    assert recipe.get("lr") == 0.3  # the flag's
    assert program.preset(["houses", "--preset", "scales-max"]).get("dataset") == "houses"
    assert program.preset(["--preset", "houses-by-hand", "--epochs", "3"]).get("steps") is None
    with pytest.raises(InputError, match="did you mean houses-by-hand"):
        program.preset(["--preset", "houses-by-hnd"])


def test_the_command_line_trains_a_preset(cli: Any, own: Path) -> None:
    answer = cli("train --preset houses-normalized --steps 50 --no-tensorboard --json")
    assert answer.code == 0
    assert answer.json["steps"] == 50
    assert answer.json["lr"] == 0.5
