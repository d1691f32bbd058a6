"""Which columns are learned from, and why the others are not."""

from __future__ import annotations

from dataclasses import dataclass

from engine import recipe
from engine.base.errors import InputError
from engine.data import kinds
from engine.data.table import Column, Table, suggest


@dataclass(frozen=True)
class LeftOut:
    """A column that is not learned from. `reason` is half a sentence: "free text, 891 different values"."""

    name: str
    reason: str


def target(table: Table, data: recipe.Data) -> Column:
    """The column to be predicted. Raises InputError where none is named or it is not there."""
    name = data.target or table.target
    if name is None:
        raise InputError(f"Say which column of {table.label} to predict (--target); {suggest('', table.names)}.")
    if name not in table:
        raise InputError(f"{table.label} has no column {name!r} to predict; {suggest(name, table.names)}.")
    if name in data.features:
        raise InputError(f"{name} is the target and cannot be a feature too; take it out of --features.")
    if name in data.drop:
        raise InputError(f"{name} is the target and cannot be left out; take it out of --drop.")
    return table[name]


def features(table: Table, data: recipe.Data, predicted: str) -> tuple[tuple[str, ...], tuple[LeftOut, ...]]:
    """The names of the columns to learn from, in the order of the table, and the ones left out.

    Raises:
        InputError: a name that is not there, a chosen column that cannot be learned from, or none left.
    """
    for flag, names in (("--features", data.features), ("--drop", data.drop)):
        for name in names:
            if name not in table:
                raise InputError(f"{table.label} has no column {name!r} ({flag}); {suggest(name, table.names)}.")
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
        raise InputError(
            f"{table.label} has no column to learn {predicted} from"
            + (
                f" ({why}); choose other --features, or say what a column is with --as COL=TYPE."
                if left
                else ": it has only this one; add a column, or check what stands between the columns of the file."
            )
        )
    return tuple(chosen), tuple(left)


def _why_not(table: Table, column: Column, data: recipe.Data) -> str:
    asked = column.name in data.features
    if column.name in data.drop:
        return "left out as you asked"
    if data.features and not asked:
        return "not among the features you chose"
    unusable = column.kind == "text" or (column.kind == "identifier" and (column.is_coded or not asked))
    if unusable and asked:
        raise InputError(
            f"{column.name} of {table.label} is {'free text' if column.kind == 'text' else 'an identifier'} "
            f"({column.reason or 'as you said'}) and cannot be learned from; leave it out of --features, or say "
            f"--as {kinds.flag(column.name)}=categorical."
        )
    if unusable:
        words = "an identifier" if column.kind == "identifier" else "free text"
        reason = column.reason
        return reason if reason.startswith(words) else f"{words} ({reason or 'nothing in it repeats'})"
    if column.missing == table.rows and not column.strays:
        return "it has no values"
    return ""
