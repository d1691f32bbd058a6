"""One module as a file: where it lies, and the SHA-256 of what it holds."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.machinery import ModuleSpec

from engine.base.errors import InputError
from engine.base.files import open_regular
from engine.modules import trust

MOST = 1 << 28  # bytes of a module that is hashed


@dataclass(frozen=True)
class Module:
    """One module: its name, its file with links resolved, and the SHA-256 of the content; "" where there is no file."""

    name: str
    file: str
    sha256: str


def hashed(name: str, file: str | None) -> Module:
    if not file:
        return Module(name, "", "")
    import hashlib  # loads OpenSSL, and most lines hash no module

    digest = hashlib.sha256()
    try:
        with open_regular(file, MOST) as content:
            while part := content.read(1 << 20):
                digest.update(part)
    except (OSError, InputError):  # inside an archive, huge, or not readable: never known, so it is asked for each time
        return Module(name, os.path.realpath(file), "")
    return Module(name, os.path.realpath(file), digest.hexdigest())


def of_spec(spec: ModuleSpec, name: str) -> Module:
    return hashed(name, spec.origin if spec.has_location else None)


def lasting(mark: trust.Mark) -> bool:
    """Whether a mark says what would run: a file that cannot be hashed may be another one next time."""
    file, sha256, _ = mark
    return not file or bool(sha256)


def known(mark: trust.Mark) -> bool:
    return lasting(mark) and trust.known(*mark)


def installed(folder: str) -> bool:
    """Whether a folder is one of Python's or of an environment's."""
    import sysconfig

    homes = {sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")}
    return any(os.path.commonpath([folder, os.path.realpath(home)]) == os.path.realpath(home) for home in homes)
