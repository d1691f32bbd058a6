"""Installed modules: which of them go before one of the same name in the person's folder."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec

OURS = frozenset({"engine", "tui"})


def elsewhere(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """The same by everybody else's finders."""
    for finder in sys.meta_path:
        if not getattr(finder, "PERSONAL", False) and hasattr(finder, "find_spec"):
            spec = finder.find_spec(name, path)
            if spec is not None:
                return spec
    return None


def overruled(name: str, local: ModuleSpec) -> bool:
    """Whether an installed module goes before the one of the folder: Python's own, ours, and what we are built on."""
    if name in sys.stdlib_module_names or name in OURS:
        return True
    other = elsewhere(name, None)
    if other is None or other.origin == local.origin:
        return False
    return local.loader is None or name in foundations()


def foundations() -> set[str]:
    """The top-level modules of every distribution that ours needs."""
    from importlib import metadata

    homes: dict[str, set[str]] = {}
    for module, names in metadata.packages_distributions().items():
        for distribution in names:
            homes.setdefault(_plain(distribution), set()).add(module)
    found: set[str] = set()
    waiting, seen = ["ravine"], {"ravine"}
    while waiting:
        one = waiting.pop()
        found |= homes.get(one, set())
        try:
            needs = metadata.requires(one) or []
        except metadata.PackageNotFoundError:
            continue
        for need in needs:
            name = _plain(need)
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return found


def _plain(requirement: str) -> str:
    """The normalized name at the beginning of a requirement."""
    found = re.match(r"[\w.-]+", requirement)
    return re.sub(r"[-_.]+", "-", found.group() if found else "").lower()
