"""What a person says of a run: a note and tags, in note.json beside run.json."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.base.errors import InputError
from engine.base.files import read_text, write_text
from engine.base.printable import printable_json
from engine.runs import sentences

FORMAT = 1
LONGEST = 10_000  # letters of a note
LONGEST_TAG = 40


@dataclass(frozen=True)
class Notes:
    """A note, and tags in alphabetical order."""

    note: str = ""
    tags: tuple[str, ...] = ()


def read(run: Path) -> Notes:
    """The notes of a run; empty ones where there are none, or a file that is not what ravine writes."""
    try:
        tree = json.loads(read_text(run / "note.json"))
        tags = sorted({tag for tag in tree.get("tags", ()) if isinstance(tag, str) and tag})
        note = tree.get("note", "")
        return Notes(note if isinstance(note, str) else "", tuple(tags))
    except (FileNotFoundError, InputError, ValueError, AttributeError, TypeError, RecursionError):
        return Notes()


def write(run: Path, *, note: str | None = None, tags: Iterable[str] | None = None) -> Notes:
    """Change note or tags, those not given stay; what is then there.

    Raises:
        InputError: a tag with a comma or too long, or a folder that cannot be written.
    """
    old = read(run)
    kept = old.tags if tags is None else tuple(sorted({tag.strip() for tag in tags} - {""}))
    for tag in kept:
        if "," in tag or not tag.isprintable() or len(tag) > LONGEST_TAG:
            raise InputError(sentences.BAD_TAG(most=LONGEST_TAG, tag=tag[:60]))
    new = Notes(old.note if note is None else note.strip()[:LONGEST], kept)
    try:
        if new == Notes():
            (run / "note.json").unlink(missing_ok=True)
        else:
            content = {"format": FORMAT, "note": new.note, "tags": list(new.tags)}
            write_text(run / "note.json", printable_json(json.dumps(content, ensure_ascii=False, indent=1)) + "\n")
    except OSError as error:
        raise InputError(sentences.NOT_WRITTEN(path=run / "note.json", reason=error.strerror or error)) from None
    return new
