"""Making valid content worse: bytes, trees of JSON and TOML, and what is no file at all."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import socket
import struct
from pathlib import Path
from random import Random
from typing import Any

# What JSON and TOML can say and Python's writers refuse to: put in after writing.
RAW = {
    "@@digits@@": "9" * 5000,
    "@@large@@": "1" + "0" * 400,
    "@@infinite@@": "1e999",
    "@@deep@@": "[" * 20_000 + "]" * 20_000,
    "@@surrogate@@": '"\\ud800"',
}
WORDS: tuple[Any, ...] = (
    None, True, False, "", "x", "\x1b]0;title\x07", "a\nb", "‮abc", "NaN", "1e999", "../../../etc", "long" * 5000, 0, 1,
    -1, 7, 2**31, 2**53 + 1, 2**63, 2**64, 10**30, 0.5, -0.0, 1e-320, 1e308, float("nan"), float("inf"), [], {}, [None],
    [[]], [1, "a"], {"a": 1}, {"": {}}, [[[[1]]]], ["x"] * 300, *RAW,
)  # fmt: skip
TOKENS = (
    b"\x00", b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\n", b"\r", b'"', b",", b";", b"\t", b"{", b"}", b"[", b"]",
    b"NaN", b"1e999", b"-", b"\x1b[2J", b"\xed\xa0\x80", b"\\ud800", b"9" * 400, b"\xff" * 8, b"\x7f" * 8, b"\x00" * 64,
)  # fmt: skip


def worse_bytes(content: bytes, random: Random, other: bytes = b"") -> bytes:
    """The content with one to four things done to it. `other` is what a splice takes from."""
    found = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        size = len(found)
        at = random.randrange(size + 1)
        length = min(size - at, random.choice((1, 2, 8, 64, 1024)))
        match random.randrange(10):
            case 0 | 1 if size:
                for _ in range(random.choice((1, 1, 3, 16))):
                    found[random.randrange(size)] ^= 1 << random.randrange(8)
            case 2:
                del found[at:]
            case 3:
                del found[at : at + length]
            case 4:
                found[at:at] = found[at : at + length] * random.choice((1, 2, 20))
            case 5:
                found[at : at + length] = random.randbytes(length)
            case 6:
                found[at:at] = random.choice(TOKENS)
            case 7:
                found[at : at + length] = bytes(length)
            case 8 if other:
                start = random.randrange(len(other))
                found[at : at + length] = other[start : start + random.choice((8, 64, 4096))]
            case _ if size >= 8:
                place = random.randrange(size - 7)
                value = random.choice((0, 1, 255, 2**31 - 1, 2**32 - 1, 2**40, 2**62, 2**63, 2**64 - 1, size))
                found[place : place + 8] = struct.pack("<Q", value)
    return bytes(found)


def _places(tree: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Every place in a tree: what holds it, and its key or number."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        found.append((tree, key))
        _places(value, found)
    return found


def worse_tree(tree: Any, random: Random) -> Any:
    """A copy of a tree of plain values with one to three places changed."""
    found = copy.deepcopy(tree)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        places = _places(found, [])
        if not places or random.random() < 0.01:
            return random.choice(WORDS)
        # Places near the top are few, and what lies in long lists is many.
        holder, key = random.choice(places) if random.random() < 0.5 else _near(found, random)
        with contextlib.suppress(LookupError):  # a place that an earlier change took away
            _change(holder, key, places, random)
    return found


def _change(holder: Any, key: Any, places: list[tuple[Any, Any]], random: Random) -> None:
    """Change one place."""
    match random.randrange(8):
        case 0:
            del holder[key]
        case 1:
            holder[key] = [holder[key]]
        case 2:
            other, at = random.choice(places)
            holder[key] = copy.deepcopy(other.get(at) if isinstance(other, dict) else other[at % max(1, len(other))])
        case 3 if isinstance(holder, dict):
            holder[random.choice(("", "x" * 300, str(key) + "_", "\x1b[0m", "a\nb"))] = holder.pop(key)
        case 4 if isinstance(holder[key], int | float) and not isinstance(holder[key], bool):
            holder[key] = random.choice((-holder[key], holder[key] * 1e6, holder[key] + 1, str(holder[key])))
        case 5 if isinstance(holder, list):
            holder.insert(key, random.choice(WORDS))
        case _:
            holder[key] = random.choice(WORDS)


def _near(tree: Any, random: Random) -> tuple[Any, Any]:
    """A place found by going down from the top."""
    holder, key = tree, None
    while True:
        keys: list[Any] = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = random.choice(keys)
        inside = holder[key]
        if not isinstance(inside, dict | list) or not inside or random.random() < 0.3:
            return holder, key
        holder = inside


def raw(text: str) -> str:
    """Put in what no writer writes."""
    for token, meant in RAW.items():
        text = text.replace(f'"{token}"', meant)
    return text


def json_text(tree: Any) -> bytes:
    """The JSON of a tree, with what Python's writer would not write."""
    return raw(json.dumps(tree, ensure_ascii=False)).encode("utf-8", "surrogatepass")


def toml_text(tree: Any) -> bytes:
    """The TOML of a tree."""
    import tomli_w

    plain = _without_null(tree)
    try:
        text = tomli_w.dumps(plain if isinstance(plain, dict) else {"x": plain})
    except (TypeError, ValueError):  # a text that TOML cannot hold
        text = str(plain)
    return raw(text).encode("utf-8", "surrogatepass")


def _without_null(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _without_null(value) for key, value in tree.items() if value is not None}
    if isinstance(tree, list):
        return [_without_null(value) for value in tree if value is not None]
    return tree


def header(content: bytes) -> tuple[dict[str, Any], bytes]:
    """The header and the data of a safetensors file."""
    size = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def with_header(tree: Any, data: bytes) -> bytes:
    """A safetensors file of a header and data."""
    text = json_text(tree)
    return struct.pack("<Q", len(text)) + text + data


SPECIAL = ("pipe", "folder", "circle", "zeros", "null", "socket", "empty", "sparse", "dangling", "full")


def special(path: Path, kind: str) -> None:
    """Put something that is no proper file in the place of one."""
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "circle":
            path.symlink_to(path.name)
        case "zeros":
            path.symlink_to("/dev/zero")
        case "null":
            path.symlink_to("/dev/null")
        case "full":
            path.symlink_to("/dev/full")
        case "dangling":
            path.symlink_to("nowhere")
        case "empty":
            path.touch()
        case "sparse":
            with path.open("wb") as file:
                file.truncate(2**40)
        case "socket":
            here = os.getcwd()
            os.chdir(path.parent)
            try:
                with socket.socket(socket.AF_UNIX) as tube:
                    tube.bind(path.name)
            finally:
                os.chdir(here)
