"""What can be chosen by name: each thing is one record in one file, from which all else about it is derived.

activations     what hidden units do to their sum
losses          what is made small
rules           how parameters follow their gradient
metrics         the names of what tells how good predictions are
formulas        what several records compute with
modes           how columns are brought to one scale
datasets        the tables that are there without a file
families        the kinds of models

This package stands low and imports nothing but the standard library, so that forms and `--help` can list the names
before numpy, torch or numba are there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Member(Protocol):
    """What every record has.

    Attributes:
        name: as it stands in recipes and on the command line: small letters, digits, dashes and underscores.
        label: as people write it.
        help: one line on what it is.
    """

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def help(self) -> str: ...


M = TypeVar("M", bound=Member)


class Registry(Generic[M]):
    """The records of one kind, in the order in which they were registered.

    Args:
        kind: what they are, for messages: "activation".
        members: the first records.
    """

    def __init__(self, kind: str, *members: M) -> None:
        self.kind = kind
        self._members: dict[str, M] = {}
        for member in members:
            self.register(member)

    def register(self, member: M, *, replace: bool = False) -> M:
        """Add a record; it is offered, trained with and exported from now on. Returns the record.

        Args:
            replace: take the place of a record of the same name.

        Raises:
            ValueError: the name is taken, or is no word of small letters, digits, dashes and underscores.
        """
        if not re.fullmatch(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*", member.name):
            raise ValueError(
                f"The name {member.name!r} of the {self.kind} must be small letters and digits, parted by - or _."
            )
        if member.name in self._members and not replace:
            raise ValueError(f"There is already a record of the {self.kind} {member.name}; choose another name.")
        self._members[member.name] = member
        return member

    def remove(self, name: str) -> None:
        """Take a record out again. Raises KeyError where there is none of the name."""
        del self._members[name]

    @property
    def names(self) -> tuple[str, ...]:
        """The names in their order."""
        return tuple(self._members)

    def __getitem__(self, name: str) -> M:
        """The record of a name. Raises KeyError."""
        return self._members[name]

    def get(self, name: str) -> M | None:
        """The record of a name; None where there is none."""
        return self._members.get(name)

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def __iter__(self) -> Iterator[M]:
        return iter(tuple(self._members.values()))
