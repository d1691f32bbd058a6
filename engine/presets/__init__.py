"""Recipes by name: the lecture notes' experiments, which ship with the engine, and a person's own beside them.

A preset is a recipe file. Its first comment line is the title, those that follow are the description; fields that it
leaves out are at their defaults. A person's own lie in `recipes/` of the configuration folder (see `own_folder`); one
that has the name of a shipped one takes its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from engine.base.errors import InputError
from engine.base.files import read_text
from engine.presets import sentences
from engine.recipe import Recipe, read_toml

SHIPPED = (
    "houses-by-hand",
    "houses-normalized",
    "linear3-tensorboard",
    "scales-max",
    "scales-zscore",
    "titanic-logistic",
    "digits-network",
)


@dataclass(frozen=True)
class Preset:
    """A recipe with a name.

    Attributes:
        name: what `--preset` takes; the file's name without .toml.
        title: a few words, for lists.
        description: what there is to see, a sentence or two; may be empty.
        recipe: the choices.
        own: whether it is the person's own.
        problem: why the file cannot be used, in a sentence, and empty otherwise; the recipe is then the default one.
    """

    name: str
    title: str
    description: str
    recipe: Recipe
    own: bool = False
    problem: str = ""


def own_folder() -> Path:
    """Where a person's own recipes lie, such as ~/.config/ravine/recipes; it need not exist."""
    from platformdirs import user_config_dir

    return Path(user_config_dir("ravine", appauthor=False)) / "recipes"


def presets(user_dir: Path | None = None) -> tuple[Preset, ...]:
    """Every preset: the shipped ones in the order of the notes, then the person's own by name.

    A file that cannot be read is listed with its problem and hides no other.

    Args:
        user_dir: where to look for own recipes instead of in `own_folder`.
    """
    own = {preset.name: preset for preset in _own(own_folder() if user_dir is None else user_dir)}
    here = Path(__file__).parent
    shipped = [own.pop(name) if name in own else _read(here / f"{name}.toml", own=False) for name in SHIPPED]
    return (*shipped, *own.values())


def find(name: str, user_dir: Path | None = None) -> Preset:
    """The preset of a name. Raises InputError with the nearest names, or with what is wrong with its file."""
    every = presets(user_dir)
    for preset in every:
        if preset.name == name:
            if preset.problem:
                raise InputError(preset.problem)
            return preset
    names = [preset.name for preset in every]
    near = get_close_matches(name, names, n=1)
    if near:
        raise InputError(sentences.NO_PRESET_BUT_NEAR(name=name, near=near[0]))
    raise InputError(sentences.NO_PRESET(name=name, names=names))


def _own(folder: Path) -> Iterator[Preset]:
    try:
        paths = sorted(path for path in folder.glob("*.toml") if path.is_file())
    except OSError:
        return  # a folder that may not be looked into holds no recipes for this person
    for path in paths:
        yield _read(path, own=True)


def _read(path: Path, *, own: bool) -> Preset:
    try:
        recipe = read_toml(path)
        title, description = _comment(read_text(path))
    except (InputError, FileNotFoundError) as error:
        return Preset(path.stem, path.stem, "", Recipe(), own, str(error))
    return Preset(path.stem, title or path.stem, description, recipe, own)


def _comment(text: str) -> tuple[str, str]:
    """The first line of the comment that a file begins with, and the rest of it as one line."""
    lines: list[str] = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("#").strip())
    return (lines[0], " ".join(filter(None, lines[1:]))) if lines else ("", "")
