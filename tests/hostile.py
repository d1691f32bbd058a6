"""Text that a terminal would obey or hide, planted wherever a file can bring text."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.util.tensor_util import make_tensor_proto
from torch.utils.tensorboard import SummaryWriter

from engine.recipe import build
from engine.runs import records
from tests.conftest import train

SHAPED = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"  # seen, though Cf
CLIPBOARD = "\x1b]52;c;bWFs\x07"
TITLE = "\x1b]0;owned\x1b\\"
ERASE = "\x1b[2J\x1b[H\b\b"
RAW = "\x9b31m\x9d0;owned\x9c\x85\x90"
TURNED = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u3164\u2028\u2029\U000e0001\U000e0041\U000e0100"
MARKUP = "[red][/][@click=app.quit]x[/][link=file:///]"
HOSTILE = "H" + CLIPBOARD + TITLE + ERASE + RAW + "\x7f\x00\x0b\x0c" + TURNED + UNSEEN + MARKUP
LINES = HOSTILE + "\r\nFORGED\rline\t"
NAME = HOSTILE.replace("/", "").replace("\x00", "")[:70]  # of a file
HALF = "\ud800\udcff"  # JSON can bring it


def hidden(letter: str) -> bool:
    """Whether a terminal obeys a character, or shows nothing of it."""
    return unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") and letter not in SHAPED


def harmless(printed: bytes) -> str:
    """What was printed. AssertionError where a terminal would obey or hide something of it, or a name forge a line."""
    text = printed.decode()
    bad = {hex(ord(letter)) for letter in text if hidden(letter) and letter not in "\n"}
    assert not bad, f"{bad} in {text!r}"
    assert not any(line.startswith("FORGED") for line in text.splitlines()), text
    return text


def table(path: Path, rows: int = 60) -> Path:
    """A table whose columns, categories and classes have hostile names; the last column, the target, has a plain one.

    A CSV file with as many control characters would be taken for no text: there only the header has all of them.
    """
    import csv

    import polars as pl

    tail = LINES if path.suffix == ".parquet" else f"{TURNED}{UNSEEN}\x9b31m{MARKUP}\nFORGED"
    x = np.random.default_rng(0).standard_normal(rows).tolist()
    columns = {
        f"x{HOSTILE}": x,
        f"c{LINES}": [f"{'ab'[value > 0.5]}{tail}" for value in x],
        "kind": [f"{'no' if value < 0 else 'yes'}{tail}" for value in x],
    }
    if path.suffix == ".parquet":
        with path.open("wb") as file:
            pl.DataFrame(columns).write_parquet(file)
        return path
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([name.replace("\x00", "") for name in columns])
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def run(folder: Path, data: Path, **fields: Any) -> Path:
    """A finished run on a table; its name, note, tags and what run.json says of it are hostile."""
    session = train(
        build({"runs": str(folder), "dataset": str(data), "steps": 20, "lr": 0.1, "target": "kind"} | fields)
    )
    path = session.snapshot().run
    assert path is not None
    return path


def disguise(path: Path) -> Path:
    """Give a run a hostile name, note and tags, and every text in its run.json hostile words."""
    facts = json.loads((path / "run.json").read_text())
    for key in ("state", "ended", "normalization", "command", "device", "backend", "host", "dataset", "why"):
        facts[key] = f"{key}{LINES}{HALF}"
    (path / "run.json").write_text(json.dumps(facts))
    (path / "note.json").write_text(json.dumps({"note": f"note{LINES}{HALF}", "tags": [f"tag{LINES}{HALF}"]}))
    return path.rename(path.with_name(NAME + "\udcff"))


def logs(folder: Path) -> Path:
    """Event files of somebody's: the names of the files, tags, texts, hyperparameters and the status are hostile."""
    run = folder / NAME
    run.mkdir(parents=True)
    metadata = {
        name: SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=name)) for name in ("text", "scalars")
    }
    parts = [records.file_version(1.0)]
    for step in range(5):
        values = [
            Summary.Value(tag=tag, simple_value=float(step)) for tag in (f"loss{LINES}", "plain", f"acc{HOSTILE}")
        ]
        text = Summary.Value(tag=f"text{LINES}", tensor=make_tensor_proto([LINES.encode()]), metadata=metadata["text"])
        event = Event(wall_time=1.0 + step, step=step, summary=Summary(value=[*values, text]))
        parts.append(records.record(event.SerializeToString()))
    (run / f"events.out.tfevents.1.{NAME[:20]}").write_bytes(b"".join(parts))
    with SummaryWriter(str(folder / "own")) as writer:
        writer.add_hparams({f"lr{LINES}": f"value{LINES}", "plain": 1}, {f"metric{HOSTILE}": 0.5}, run_name=".")
    return folder
