"""The kinds of files: how each is made worse, and what reads it."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from engine.runs import formats
from tests.faults.fuzzing import operations as op
from tests.faults.fuzzing.mutations import (
    SPECIAL,
    header,
    json_text,
    special,
    toml_text,
    with_header,
    worse_bytes,
    worse_tree,
)
from tests.faults.fuzzing.operations import Case

Operation = Callable[[Case], None]
EXPORTS = {one.name: op.export(one.name) for one in formats.named()}


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        name: of the kind; in a run folder the file's own name.
        weight: how often it is chosen.
        always: operations that every case goes through.
        some: operations of which a case goes through one.
        last: operations that change the folder, of which some cases go through one.
    """

    name: str
    weight: int
    always: tuple[Operation, ...]
    some: tuple[Operation, ...] = ()
    last: tuple[Operation, ...] = ()


LISTS = (op.listing, op.listing_json, op.lists_again)
RUN_FILES = (
    Kind("run.json", 10, LISTS,
         (op.opened, EXPORTS["report"], EXPORTS["csv"], EXPORTS["code"], op.evaluate, op.rewound),
         (op.resume, op.kept_away)),
    Kind("note.json", 3, (op.listing, op.listing_json), (op.lists_again,), (op.noted,)),
    Kind(".index.json", 4, LISTS),
    Kind("loss.f64", 4, (op.opened, EXPORTS["csv"]), (EXPORTS["wide-csv"], EXPORTS["report"]), (op.resume,)),
    Kind("stamps.f64", 3, (op.opened, EXPORTS["csv"]), (EXPORTS["wide-csv"], EXPORTS["report"]), (op.resume,)),
    Kind("validation.f64", 3, (op.opened, EXPORTS["wide-csv"]), (op.rewound, EXPORTS["report"]), (op.resume,)),
    Kind("evaluations.jsonl", 8, (op.opened, EXPORTS["report"]), (EXPORTS["wide-csv"],), (op.resume,)),
    Kind("recipe.toml", 8, (op.opened, op.repeat),
         (EXPORTS["code"], EXPORTS["report"], op.evaluate, op.rewound), (op.resume,)),
    Kind("model.safetensors", 14, (op.predict_values, op.load),
         (op.predict_table, op.opened, op.evaluate, EXPORTS["onnx"], EXPORTS["predictor"], EXPORTS["safetensors"]),
         (op.resume,)),
    Kind("checkpoints/last.safetensors", 10, (op.rewound, op.resume)),
    Kind("checkpoints/best.safetensors", 3, (op.rewound,), (), (op.resume,)),
    Kind("checkpoints/step-5.safetensors", 3, (op.rewound,), (), (op.resume,)),
    Kind("log.txt", 1, (op.logged,), (), (op.resume,)),
    Kind("events", 8, (op.watched,), (op.watch_command,), (op.resume,)),
    Kind("checkpoints", 1, (op.rewound,), (op.opened, op.listing), (op.resume,)),
)  # fmt: skip
TABLES = tuple(
    Kind(name, weight, (op.table,), (op.train_table, op.survey, op.predicted, op.predict_table))
    for name, weight in (
        ("plain.csv", 6), ("quoted.csv", 3), ("tabs.tsv", 2), ("german.csv", 2), ("wide.csv", 2), ("latin.csv", 2),
        ("packed.csv.gz", 4), ("packed.csv.zst", 3), ("plain.parquet", 5), ("plain2.parquet", 3), ("odd.parquet", 3),
        ("plain.arrow", 2), ("lz4.arrow", 1), ("plain.npz", 6), ("packed.npz", 4), ("many.npz", 5), ("plain.npy", 2),
    )
)  # fmt: skip
KEPT = (
    Kind("a recipe", 5, (op.recipe_file,), (op.presets,)),
    Kind("keys.toml", 3, (op.own_keys,)),
    Kind("last.json", 4, (op.remembered,)),
    Kind("recent.json", 1, (op.remembered,)),
    Kind("speeds", 1, (op.speeds,)),
)
KINDS = (*RUN_FILES, *TABLES, *KEPT)

LAST_SHARE = 0.4
KEYS = {"run.toggle": "g", "run.step": "f5,ctrl+g", "app.quit": "ctrl+q"}
LAST = {
    "theme": "textual-dark",
    "layout": {"runs": {"columns": ["name", "steps"], "sort": "steps", "down": True}, "loss": {"log": True}},
    "choices": ["--dataset", "houses", "--lr", "0.1", "--normalize", "zscore"],
    "folder": "/tmp",
}


def prepare(originals: Path, folder: Path, kind: Kind, random: Random) -> Case:
    """Lay out a case: a copy of an original run, a table, and one of the files made worse."""
    op.use_own_folders(folder)
    every = json.loads((originals / "originals.json").read_text())
    chosen = random.choice(every)
    run = folder / "runs" / "damaged"
    shutil.copytree(originals / "runs" / chosen["name"], run)
    whole = originals / "tables" / "plain.csv"
    case = Case(folder, run, chosen["values"], whole)
    if kind in RUN_FILES:
        _worse_run(case, kind.name, random)
        return case
    if kind in TABLES:
        shutil.rmtree(run)
        shutil.copytree(originals / "runs" / random.choice(("mixed", "sold", "network")), run)
        path = folder / kind.name
        shutil.copy(originals / "tables" / kind.name, path)
        others = sorted((originals / "tables").iterdir())
        _worse_table(path, random, random.choice(others).read_bytes())
        return Case(folder, run, chosen["values"], path)
    return Case(folder, run, chosen["values"], _worse_kept(folder, run, kind.name, random))


def _worse_run(case: Case, name: str, random: Random) -> None:
    path = case.run / name
    if name == "events":
        path = next(case.run.glob("events.out.tfevents.*"))
    if name == ".index.json":
        from engine.runs.store import list_runs

        list_runs(case.runs)
        path = case.runs / name
    if name == "checkpoints":
        shutil.rmtree(path)
        special(path, random.choice(SPECIAL))
        return
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.touch()
    if random.random() < 0.12:
        special(path, random.choice(SPECIAL))
        return
    content = path.read_bytes()
    other = random.choice([one for one in case.run.iterdir() if one.is_file()]).read_bytes()
    if name == "evaluations.jsonl" and content and random.random() < 0.7:
        lines = content.splitlines()
        for _ in range(random.choice((1, 1, 4))):
            at = random.randrange(len(lines))
            try:
                lines[at] = json_text(worse_tree(json.loads(lines[at]), random))
            except (ValueError, RecursionError):
                lines[at] = worse_bytes(lines[at], random)
        path.write_bytes(b"\n".join(lines) + random.choice((b"", b"\n")))
    elif name.endswith(".json") and content and random.random() < 0.8:
        path.write_bytes(json_text(worse_tree(json.loads(content), random)))
    elif name.endswith(".toml") and random.random() < 0.7:
        path.write_bytes(toml_text(worse_tree(tomllib.loads(content.decode()), random)))
    elif name.endswith(".safetensors") and content and random.random() < 0.8:
        path.write_bytes(worse_tensors(content, random))
    elif name == "events" and random.random() < 0.7:
        path.write_bytes(worse_records(content, random))
    elif name.endswith(".f64") and random.random() < 0.5:
        numbers = np.frombuffer(content, "<f8").copy()
        if len(numbers):
            for _ in range(random.choice((1, 3))):
                numbers[random.randrange(len(numbers))] = random.choice(
                    (np.nan, np.inf, -np.inf, -1.0, 0.5, 1e300, 2.0**63, 5e-324)
                )
        path.write_bytes(numbers.tobytes())
    else:
        path.write_bytes(worse_bytes(content, random, other))


def worse_tensors(content: bytes, random: Random) -> bytes:
    """A safetensors file with its header, or the JSON texts in its metadata, changed."""
    tree, data = header(content)
    if random.random() < 0.25:
        return with_header(worse_tree(tree, random), data)
    (key, text), *_ = tree["__metadata__"].items()
    inner = json.loads(text)
    for name in ("run", "best"):  # JSON within JSON
        if isinstance(inner, dict) and name in inner and random.random() < 0.4:
            inner[name] = json_text(worse_tree(json.loads(inner[name]), random)).decode("utf-8", "surrogatepass")
            break
    else:
        inner = worse_tree(inner, random)
    tree["__metadata__"][key] = json_text(inner).decode("utf-8", "surrogatepass")
    return with_header(tree, data)


def worse_records(content: bytes, random: Random) -> bytes:
    """An event file whose records are changed and have the right sums again."""
    from engine.runs.records import record

    messages, at = [], 0
    while at + 12 <= len(content):
        size = int.from_bytes(content[at : at + 8], "little")
        messages.append(content[at + 12 : at + 12 + size])
        at += 16 + size
    for _ in range(random.choice((1, 2, 5))):
        place = random.randrange(len(messages))
        messages[place] = worse_bytes(messages[place], random, random.choice(messages))
    return b"".join(record(message) for message in messages)


def _worse_table(path: Path, random: Random, other: bytes) -> None:
    if random.random() < 0.05:
        special(path, random.choice(SPECIAL))
        return
    content = path.read_bytes()
    if path.suffix == ".gz" and random.random() < 0.5:
        path.write_bytes(gzip.compress(worse_bytes(gzip.decompress(content), random, other)))
    elif path.suffix == ".npz" and random.random() < 0.6:
        _worse_archive(path, random)
    elif path.suffix in (".csv", ".tsv") and random.random() < 0.6:
        path.write_bytes(worse_cells(content, random))
    else:
        path.write_bytes(worse_bytes(content, random, other))


CELLS = (
    b"", b"NA", b"1e999", b"-1e999", b"9" * 400, b"1e-400", b"nan", b"inf", b'"', b'""', b'"a', b"a\"b", b"=1+1",
    b"0x10", b"1,5", b"1.000,5", b"\xff", b"\x00", b"\x1b[0m", b"2024-13-45", b"0001-01-01", b"9999-12-31", b"true",
    b"x" * 70_000, b"1_000", b" 1 ", b"\xe2\x80\xae1", b"\n", b"\r",
)  # fmt: skip


def worse_cells(content: bytes, random: Random) -> bytes:
    """A text table with some of its cells, columns or rows changed."""
    lines = content.split(b"\n")
    mark = b"\t" if b"\t" in content else b";" if b";" in content else b","
    for _ in range(random.choice((1, 2, 10))):
        at = random.randrange(len(lines))
        cells = lines[at].split(mark)
        place = random.randrange(len(cells))
        match random.randrange(6):
            case 0 | 1 | 2:
                cells[place] = random.choice(CELLS)
            case 3:
                cells.insert(place, random.choice(CELLS))
            case 4:
                del cells[place]
            case _:
                value = random.choice(CELLS)
                for other, line in enumerate(lines[1:], 1):
                    parts = line.split(mark)
                    if place < len(parts):
                        parts[place] = value
                        lines[other] = mark.join(parts)
                continue
        lines[at] = mark.join(cells)
    return b"\n".join(lines)


SHAPES = ((), (0,), (0, 2), (40, 0), (3,), (40, 2, 2), (10**12,), (10**9, 10**9), (-1,), (2**62, 4), (1,), (40, 1))
FORMS = (
    "<f8",
    "<f4",
    ">f8",
    "<i8",
    "|b1",
    "<U5",
    "|S5",
    "<M8[D]",
    "<M8[ns]",
    "<m8[s]",
    "|O",
    "<c16",
    "|V8",
    "<f2",
    "|u1",
)


def _worse_archive(path: Path, random: Random) -> None:
    """An NPZ with odd names, shapes and types, some of them only declared."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(random.choice((1, 2, 3))):
        name = random.choice(list(members))
        match random.randrange(6):
            case 0:
                members[name] = worse_bytes(members[name], random)
            case 1:
                shape, form = random.choice(SHAPES), random.choice(FORMS)
                text = repr({"descr": form, "fortran_order": random.random() < 0.3, "shape": shape}).encode()
                text += b" " * (-(len(text) + 11) % 64) + b"\n"
                members[name] = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + members[name][128:]
            case 2:
                members[random.choice(("feature_names.npy", "y.npy", "a\nb.npy", "../x.npy", "x", "\x1b[0m.npy"))] = (
                    members[name]
                )
            case 3:
                del members[name]
                if not members:
                    break
            case 4:
                held = io.BytesIO()
                values: Any = random.choice(
                    (
                        np.array([1, "a", None], object), np.array(["\ud800"] * 40), np.full(40, np.nan),
                        np.array([2**63] * 40, np.uint64), np.zeros(40, [("a", "<f8"), ("b", "<i4")]),
                        np.zeros((40, 300)), np.zeros(40, complex),
                        np.array(["NaT"] * 40, "datetime64[s]"), np.full(40, 2**62, "datetime64[s]"), np.zeros((0, 0)),
                    )
                )  # fmt: skip
                np.save(held, values, allow_pickle=True)
                members[name] = held.getvalue()
            case _:
                other = random.choice(list(members))
                members[name], members[other] = members[other], members[name]
    with zipfile.ZipFile(path, "w", random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    if random.random() < 0.2:
        path.write_bytes(worse_bytes(path.read_bytes(), random))


def _worse_kept(folder: Path, run: Path, name: str, random: Random) -> Path:
    """One of the files that a person or the program keeps outside of runs; where it lies."""
    state, config = folder / "state" / "ravine", folder / "config" / "ravine"
    if name == "a recipe":
        path = folder / "own" / "recipe.toml"
        content = (run / "recipe.toml").read_bytes()
        made = toml_text(worse_tree(tomllib.loads(content.decode()), random))
    elif name == "keys.toml":
        path, content = config / name, toml_text(KEYS)
        made = toml_text(worse_tree(KEYS, random))
    elif name == "last.json":
        path, content = state / name, json_text(LAST)
        made = json_text(worse_tree(LAST, random))
    elif name == "recent.json":
        from engine.data.recent import _memory

        path, content = _memory(), json_text([str(folder), "/x"])
        made = json_text(worse_tree([str(folder), "/x"], random))
    else:
        tree = {"speeds": [{"device": "cpu", "title": "x", "work": [1.0, 2.0], "seconds": [0.1, 0.2]}]}
        path, content = folder / "cache" / "speeds.json", json_text(tree)
        made = json_text(worse_tree(tree, random))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(made if random.random() < 0.6 else worse_bytes(content, random))
    if random.random() < 0.12:
        special(path, random.choice(SPECIAL))
    return path


def operations(kind: Kind, random: Random) -> list[Operation]:
    """What a case goes through, in order."""
    found = [*kind.always, *random.sample(kind.some, min(1, len(kind.some)))]
    return [*found, *random.sample(kind.last, min(int(random.random() < LAST_SHARE), len(kind.last)))]
