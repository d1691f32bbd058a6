"""The valid files that are made worse: runs of several kinds, and tables in every format."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

HEAD = "size,kind,day,sold,price"
ROWS = 40


@dataclass(frozen=True)
class Original:
    """A run: its folder's name, and values that its model takes."""

    name: str
    values: str


def make(folder: Path) -> None:
    """Train the runs and write the tables, in a process that ends afterwards: polars' threads do not survive a fork."""
    folder.mkdir(parents=True, exist_ok=True)
    tables(folder / "tables")
    runs = folder / "runs"
    csv = str(folder / "tables" / "plain.csv")
    few = {"steps": "12", "checkpoint_every": "5", "val": "0.2"}
    wanted: dict[str, dict[str, Any]] = {
        "houses": {"dataset": "houses", "steps": "12", "checkpoint_every": "5"},
        "mixed": {"dataset": csv, "target": "price", "optimizer": "adam", "batch_size": "8", **few},
        "sold": {"dataset": csv, "target": "sold", "optimizer": "momentum", "degree": "2", "batch_size": "16", **few},
        "iris": {"dataset": "iris", "optimizer": "adam", "schedule": "plateau", "batch_size": "16", **few},
        "network": {
            "dataset": csv, "target": "price", "model": "mlp", "hidden": "5,3", "dropout": "0.1", "batch_norm": "true",
            "patience": "5", **few,
        },
        "newton": {"dataset": "houses", "optimizer": "lbfgs", "steps": "8", "checkpoint_every": "3"},
    }  # fmt: skip
    from engine.recipe import Event, build
    from engine.runs import notes
    from engine.runs.predictor import load
    from engine.training.run import Run

    found = []
    for name, fields in wanted.items():
        recipe = build(fields | {"runs": str(runs), "name": name, "device": "cpu", "threads": "1"})
        if name == "iris":
            recipe = replace(recipe, events=(Event(step=4, field="lr", value=0.05),))
        run = Run(recipe, command="ravine train")
        run.prepare(lambda text: None, lambda: False)
        run.clock(True)
        while run.advance(100):
            pass
        run.finish("limit")
        notes.write(runs / name, note="a note", tags=["good", "kept"])
        inputs = load(runs / name).inputs
        found.append(Original(name, ",".join(one.show(one.typical) for one in inputs)))
    (folder / "originals.json").write_text(json.dumps([asdict(one) for one in found]))


def tables(folder: Path) -> None:
    """A small table in every format that is read, and in some that are not."""
    import polars as pl

    folder.mkdir()
    random = np.random.default_rng(0)
    size = random.uniform(20, 200, ROWS).round(1)
    kind = random.choice(["flat", "house", "Hütte"], ROWS)
    day = [f"2024-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(ROWS)]
    sold = random.choice(["yes", "no"], ROWS)
    price = (1000 * size + random.normal(0, 5000, ROWS)).round(0)
    cells = [
        [str(s) if i % 7 else "", k, d, y, str(p)]
        for i, (s, k, d, y, p) in enumerate(zip(size, kind, day, sold, price, strict=True))
    ]
    text = "\n".join([HEAD, *(",".join(row) for row in cells)]) + "\n"
    quoted = "\n".join([HEAD, *(",".join(f'"{cell}"' for cell in row) for row in cells)]) + "\n"
    (folder / "plain.csv").write_text(text, encoding="utf-8")
    (folder / "quoted.csv").write_text(quoted, encoding="utf-8")
    (folder / "tabs.tsv").write_text(text.replace(",", "\t"), encoding="utf-8")
    (folder / "german.csv").write_text(text.replace(",", ";").replace(".", ","), encoding="utf-8")
    (folder / "wide.csv").write_bytes(text.encode("utf-16"))
    (folder / "latin.csv").write_bytes(text.encode("latin-1"))
    (folder / "packed.csv.gz").write_bytes(gzip.compress(text.encode()))
    if shutil.which("zstd"):
        packed = subprocess.run(["zstd", "-c"], input=text.encode(), capture_output=True, check=True)
        (folder / "packed.csv.zst").write_bytes(packed.stdout)
    frame = pl.DataFrame(
        {
            "size": [float(s) if i % 7 else None for i, s in enumerate(size)],
            "kind": kind.tolist(),
            "day": day,
            "sold": [word == "yes" for word in sold],
            "price": price.tolist(),
        }
    ).with_columns(pl.col("day").str.to_date(), pl.col("kind").cast(pl.Categorical))
    frame.write_parquet(folder / "plain.parquet")
    frame.write_parquet(folder / "plain2.parquet", compression="uncompressed", row_group_size=10)
    odd = frame.with_columns(
        pl.struct("size", "price").alias("both"),
        pl.concat_list("size", "price").alias("list"),
        pl.lit(None).alias("none"),
    )
    odd.write_parquet(folder / "odd.parquet", compression="snappy")
    frame.write_ipc(folder / "plain.arrow")
    frame.write_ipc(folder / "lz4.arrow", compression="lz4")
    x = np.stack([size, price], axis=1)
    np.savez(folder / "plain.npz", X=x, y=price, feature_names=np.array(["size", "again"]))
    np.savez_compressed(folder / "packed.npz", X=x, y=(sold == "yes"), day=np.array(day, "datetime64[D]"))
    np.savez(folder / "many.npz", a=size, b=kind, c=x.astype(np.float32), d=price.astype(np.int64))
    np.save(folder / "plain.npy", x)
