"""Which columns are learned from, and why the others are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.base.errors import InputError
from engine.data import kinds, sentences
from engine.data.table import Column, Table, suggest

if TYPE_CHECKING:
    from engine import recipe


@dataclass(frozen=True)
class LeftOut:
    """A column that is not learned from. `reason` is half a sentence: "free text, 891 different values"."""

    name: str
    reason: str


def target(table: Table, data: recipe.Data) -> Column:
    """The column to be predicted. Raises InputError where none is named or it is not there."""
    name = data.target or table.target
    if name is None:
        raise InputError(sentences.NO_TARGET(table=table.label, hint=suggest("", table.names)))
    if name not in table:
        raise InputError(sentences.NO_COLUMN_TO_PREDICT(table=table.label, name=name, hint=suggest(name, table.names)))
    if name in data.features:
        raise InputError(sentences.TARGET_AS_FEATURE(column=name))
    if name in data.drop:
        raise InputError(sentences.TARGET_DROPPED(column=name))
    return table[name]


def features(table: Table, data: recipe.Data, predicted: str) -> tuple[tuple[str, ...], tuple[LeftOut, ...]]:
    """The names of the columns to learn from, in the order of the table, and the ones left out.

    Raises:
        InputError: a name that is not there, a chosen column that cannot be learned from, or none left.
    """
    for flag, names in (("--features", data.features), ("--drop", data.drop)):
        for name in names:
            if name not in table:
                raise InputError(
                    sentences.NO_COLUMN_OF_FLAG(
                        table=table.label, name=name, flag=flag, hint=suggest(name, table.names)
                    )
                )
    chosen: list[str] = []
    left: list[LeftOut] = []
    for column in table.columns:
        if column.name == predicted:
            continue
        reason = _why_not(table, column, data)
        if reason:
            left.append(LeftOut(column.name, reason))
        else:
            chosen.append(column.name)
    if not chosen:
        why = "; ".join(f"{each.name}: {each.reason}" for each in left[:3])
        if left:
            raise InputError(sentences.NOTHING_TO_LEARN_FROM(table=table.label, target=predicted, why=why))
        raise InputError(sentences.ONLY_THE_TARGET(table=table.label, target=predicted))
    return tuple(chosen), tuple(left)


def _why_not(table: Table, column: Column, data: recipe.Data) -> str:
    asked = column.name in data.features
    if column.name in data.drop:
        return sentences.DROPPED()
    if data.features and not asked:
        return sentences.NOT_CHOSEN()
    unusable = column.kind == "text" or (column.kind == "identifier" and (column.is_coded or not asked))
    if unusable and asked:
        raise InputError(
            sentences.UNLEARNABLE(
                column=column.name,
                table=table.label,
                kind=sentences.FREE_TEXT() if column.kind == "text" else sentences.IDENTIFIER(),
                reason=column.reason or sentences.AS_YOU_SAID(),
                flag=kinds.flag(column.name),
            )
        )
    if unusable:
        words = sentences.IDENTIFIER() if column.kind == "identifier" else sentences.FREE_TEXT()
        reason = column.reason
        if reason.startswith(words):
            return reason
        return sentences.KIND_AND_REASON(kind=words, reason=reason or sentences.NOTHING_REPEATS())
    if column.missing == table.rows and not column.strays:
        return sentences.NO_VALUES()
    return ""
