"""What is known of a run's choices: each made definite, or that it does not apply, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from string import Formatter
from typing import Any

from engine.base.errors import InputError
from engine.recipe import sentences
from engine.recipe.choice import Choice
from engine.recipe.needs import Needs
from engine.recipe.recipe import Recipe, choices, find, is_field

FEW = 3  # words in a message
WISH = " wish"  # behind the name of a field: what was chosen, where "auto" is not made definite


class Unknown(LookupError):
    """It cannot be told yet: the table, or a device, has not been looked at."""


class Known:
    """The choices of a run, as far as they are known.

    Args:
        recipe: what was chosen; the changes during the run count too.
        facts: choices made definite by their names; of the table `rows` (train rows), `classes` (how many) and
            `validates` (whether there are validation rows); `screen`: whether the run is begun in the app.
    """

    def __init__(self, recipe: Recipe, facts: Mapping[str, Any] | None = None) -> None:
        self.recipe = recipe
        self.facts = dict(facts or {})

    def __getitem__(self, name: str) -> Any:
        """A choice made definite, or a fact. Raises Unknown."""
        if name in self.facts:
            return self.facts[name]
        if name.endswith(WISH):
            return self.recipe.get(name.removesuffix(WISH))
        if not is_field(name):
            raise Unknown(name)
        value, choice = self.recipe.get(name), find(name)
        if value in ("auto", None) and choice.auto is not None:
            return choice.auto(self)
        if value == "auto" or (value is None and choice.show(None)):
            raise Unknown(name)
        return value

    def of(self, recipe: Recipe) -> Known:
        """The same of a recipe that was changed since. What was made definite stays so only where it is still chosen
        alike, and is no `auto` that another choice may have changed.
        """
        if recipe == self.recipe:
            return self
        same = {
            name: value
            for name, value in self.facts.items()
            if not is_field(name) or (recipe.get(name) == self.recipe.get(name) and find(name).auto is None)
        }
        return Known(recipe, same)

    def why_not(self, name: str) -> str:
        """Why a choice does not apply, in half a sentence; "" where it applies, or where that is not known."""
        return next(filter(None, (self._unmet(need) for need in find(name).needs)), "")

    def _unmet(self, need: Needs) -> str:
        try:
            if any(need.when(now) for now in self._over(need)):
                return ""
            fields = filter(None, (field for _, field, *_ in Formatter().parse(need.why)))
            return need.why.format_map({field: find(field).show(self[field]) for field in fields})
        except Unknown:
            return ""

    def _over(self, need: Needs) -> Iterable[Known]:
        """What is known at the beginning, and after each change of what a need depends on."""
        yield self
        for event in self.recipe.events:
            if event.field in need.of:
                yield Known(self.recipe, {**self.facts, event.field: event.value})

    def to_table(self) -> dict[str, Any]:
        """Every choice by its name: what the run makes of it, as far as that is known; None where it does not apply."""
        found = {}
        for choice in choices():
            try:
                found[choice.name] = None if self.why_not(choice.name) else self[choice.name]
            except Unknown:
                found[choice.name] = self.recipe.get(choice.name)
        return found

    @property
    def idle(self) -> dict[str, str]:
        """The choices that do not apply, each with half a sentence on why."""
        return {choice.name: why for choice in choices() if (why := self.why_not(choice.name))}

    def to_toml(self) -> str:
        """The text of a run's `recipe.toml`: the recipe, what the run makes of it, and what does not apply to it."""
        idle = self.idle
        definite = {name: value for name, value in self.to_table().items() if name not in idle}
        return self.recipe.to_toml({"resolved": definite, "does_not_apply": idle})

    # What is said.

    def refuse(self, given: Iterable[str]) -> None:
        """Raise InputError where a choice that a person names does not apply.

        Args:
            given: the names of the fields that were given on the command line.
        """
        for name in given:
            why = self.why_not(name)
            if why and not find(name).says_nothing(self.recipe.get(name)):
                words = sentences.DOES_NOT_APPLY(**_names(find(name)), why=why, other=self._instead(name))
                raise InputError(words)

    def set_aside(self, given: Iterable[str] = ()) -> tuple[str, ...]:
        """A sentence on each choice that was made, in a file or in the panels, and does not apply."""
        own = set(given)
        return tuple(
            sentences.SET_ASIDE(**_names(choice), value=choice.show(value), why=why)
            for choice in choices()
            if (why := self.why_not(choice.name))
            and choice.name not in own
            and (value := self.recipe.get(choice.name)) != choice.default
            and not choice.says_nothing(value)
        )

    def _instead(self, name: str) -> str:
        """How the choice would apply: "--optimizer adamw"; "" where a flag cannot do it."""
        need = next(need for need in find(name).needs if self._unmet(need))
        first = find(need.of[0]) if need.of else None
        if first is None or first.kind == "switch" or first.name == "steps":
            return ""
        words = scope(need)
        few = sentences.ONE_OF_VALUES(flag=first.flag, values=list(words)) if words else first.flag
        return few if len(words) <= FEW else sentences.ANOTHER(flag=first.flag)


def _names(choice: Choice) -> dict[str, str]:
    return {"choice": choice.label[0].upper() + choice.label[1:], "flag": choice.flag}


def scope(need: Needs) -> tuple[str, ...]:
    """The words of the first field that a need depends on with which it is met; () where they do not decide."""
    if not need.of or need.to:
        return ()
    choice, found = find(need.of[0]), []
    for word in choice.words or choice.suggestions:
        try:
            if word != "auto" and need.when(Known(Recipe(), {choice.name: word, f"{choice.name}{WISH}": word})):
                found.append(word)
        except Unknown:
            continue
    return tuple(found)


def applies_to(choice: Choice) -> str:
    """To what a choice applies, in words for the help: "--optimizer adamw"; "" where it always does."""
    return ", ".join(filter(None, map(_kind, choice.needs)))


def _kind(need: Needs) -> str:
    if need.to:
        return need.to
    words, first = scope(need), find(need.of[0])
    others = [word for word in first.words or first.suggestions if word not in (*words, "auto")]
    if len(words) > len(others):
        return sentences.ANY_BUT(flag=first.flag, values=others)
    return sentences.VALUES(flag=first.flag, values=list(words))
