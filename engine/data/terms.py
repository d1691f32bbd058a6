"""Terms of higher degree: products of encoded columns.

A term is a non-decreasing tuple of base column numbers: (0, 0, 2) is x0^2 * x2. Terms are built from raw columns and
normalized afterwards. Products that could only repeat a column are left out: powers of a column that takes two values
in the train rows (its square is a multiple of itself plus a constant), products of two levels of one category (always
0), and products of a column with the mark that it is missing (it is constant there).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

from engine.data.table import Floats

Term = tuple[int, ...]


@dataclass(frozen=True)
class Base:
    """What the terms need to know of one encoded column.

    Attributes:
        group: number of the input it comes from; levels of one category share it, as does the mark of a missing cell.
        two_valued: takes at most two values in the train rows.
    """

    group: int
    two_valued: bool


def terms(base: Sequence[Base], degree: int) -> Iterator[Term]:
    """Every term of degree 1..`degree`, lower degrees first, in the order of the columns."""
    for size in range(1, degree + 1):
        yield from _extend(base, (), 0, size)


def _extend(base: Sequence[Base], term: Term, first: int, left: int) -> Iterator[Term]:
    if left == 0:
        yield term
        return
    for column in range(first, len(base)):
        if _fits(base, term, column):
            yield from _extend(base, (*term, column), column, left - 1)


def _fits(base: Sequence[Base], term: Term, column: int) -> bool:
    if not term or term[-1] > column:
        return True
    if column in term:
        return not base[column].two_valued
    return all(base[other].group != base[column].group for other in term)


def count(base: Sequence[Base], degree: int) -> int:
    """How many terms `terms` gives, without building them.

    Each input contributes a polynomial in t whose coefficient at t^k counts its own choices of degree k; the product
    of all of them, cut at `degree`, counts the terms (whole numbers throughout).
    """
    groups: dict[int, list[int]] = {}
    for column in base:
        own = groups.setdefault(column.group, [0] * (degree + 1))
        own[0] = 1
        for power in range(1, (1 if column.two_valued else degree) + 1):
            own[power] += 1
    if all(own == [1] * (degree + 1) for own in groups.values()):
        return comb(len(groups) + degree, degree) - 1
    total = [1] + [0] * degree
    for own in groups.values():
        total = [sum(total[i] * own[k - i] for i in range(k + 1)) for k in range(degree + 1)]
    return sum(total) - 1


def name(term: Term, names: Sequence[str]) -> str:
    """A term as a person writes it: "size^2*age"."""
    powers: dict[int, int] = {}
    for column in term:
        powers[column] = powers.get(column, 0) + 1
    return "*".join(names[column] + (f"^{power}" if power > 1 else "") for column, power in powers.items())


def multiply(base: Floats, chosen: Sequence[Term], out: Floats) -> None:
    """Fill out [n, len(chosen)] with the products of the columns of base [n, b].

    Each product is built from the term one shorter where that is among the chosen, so that a power costs one
    multiplication.
    """
    place = {term: number for number, term in enumerate(chosen)}
    for number, term in enumerate(chosen):
        if len(term) == 1:
            out[:, number] = base[:, term[0]]
        elif term[:-1] in place:
            np.multiply(out[:, place[term[:-1]]], base[:, term[-1]], out=out[:, number])
        else:
            np.prod(base[:, term], axis=1, out=out[:, number])
