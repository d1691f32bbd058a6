"""Names that would be code if somebody let them: in generated scripts they are data or a remark."""

from __future__ import annotations

import ast
import io
import json
import re
import subprocess
import sys
import tokenize
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.base.printable import printable_lines
from engine.data.prepare import Prepared, prepare
from engine.data.table import Column, Table, fingerprint, numeric
from engine.learn.curvature import LossSurfaceFacts
from engine.learn.plan import Plan, make_plan
from engine.recipe import Recipe, build
from engine.runs import code, predictor, standalone
from tests.conftest import DEADLINE, losses, prepared_run

FRAGMENTS = (
    'b\nopen("PWNED","w")\n#', 'q"""+str(open("PWNED","w"))+"""', "'''\nimport os\n'''", "\\", '\\"', "\\\n", "\r",
    "\r\n", "\x0c", "\x0b", "\x1c", "\x85", "\u2028", "\u2029", "\0", "\x1b[2J", "\x7f", "\u202e", "\u2066", "\ufeff",
    "\udcff", "\ud800", '"', "'", '"""', "'''", "{x}", "{{", "%s", "# -*- coding: utf-7 -*-", "coding=latin-1", "`",
    "\\N{BULLET}", "\\x00", "\\u12", "é", "模", "ﬁ", "\U000e0041", "\u115f", "+AGIAZg-", "MODEL", 'r"""MODEL"""', "=",
    '"""ABOUT', "*/", "<!--", "  ", "\t", "def", "None", "$(id)",
)  # fmt: skip
TEXT = st.one_of(
    st.text(st.characters(), min_size=1, max_size=12),
    st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=3)), min_size=1, max_size=5).map("".join),
).filter(lambda text: text.strip() != "")
HONEST = ("a", "b", "c", "y", "table.csv", "run", "red", "blue")
NAMES = st.lists(TEXT, min_size=8, max_size=8, unique_by=str.strip).map(tuple)
CHOICES: dict[str, dict[str, Any]] = {
    "linear": {"normalize": "robust"},
    "network": {"model": "mlp", "hidden": "3", "schedule": "plateau", "dropout": 0.5, "batch_size": 4, "steps": 9},
    "classes": {"class_weight": "balanced", "l2": 0.1, "optimizer": "adam"},
    "half": {"model": "mlp", "hidden": "3", "precision": "fp16"},
    "own": {"model": "nets:Net"},
}


def table(names: tuple[str, ...], rows: int, classes: bool) -> Table:
    """Two columns of numbers, one of categories, and a target, called as said."""
    random = np.random.default_rng(0)
    a, b, c, y, name, _, one, two = names
    codes = np.arange(rows, dtype=np.int32) % 2
    target = Column(y, "categorical", codes, (one, two)) if classes else numeric(y, np.arange(rows) * 1.5)
    columns = (
        numeric(a, random.standard_normal(rows)),
        numeric(b, random.standard_normal(rows)),
        Column(c, "categorical", np.roll(codes, 1), (one, two)),
        target,
    )
    return Table(name, name, columns, rows, y, fingerprint(columns), origin="file")


def made(names: tuple[str, ...], kind: str, rows: int) -> tuple[Recipe, Plan, Prepared]:
    chosen = build({"dataset": "houses", "val": 0.2, "steps": 3} | CHOICES[kind])
    found = replace(table(names, rows, kind == "classes"))
    prepared = prepare(chosen.data, chosen.normalization, found)
    return chosen, make_plan(chosen, prepared, LossSurfaceFacts(), "cpu"), prepared


def shape(text: str) -> tuple[str, int, list[str]]:
    """The syntax tree with every text blanked, how many comments there are, and those texts."""
    content = text.encode("utf-8")  # as it is written
    tree = ast.parse(content)
    texts = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.append(node.value)
            node.value = ""
        elif isinstance(node, ast.Constant) and isinstance(node.value, float):
            node.value = 0.0  # the order of the categories, and so the table, goes by their names
    comments = [token for token in tokenize.tokenize(io.BytesIO(content).readline) if token.type == tokenize.COMMENT]
    return ast.dump(tree), len(comments), texts


def styles(kind: str) -> tuple[code.Style, ...]:
    return ("torch",) if kind in ("half", "own") else ("plain", "torch")


def written(names: tuple[str, ...], kind: str, rows: int, style: code.Style, device: str) -> str:
    chosen, plan, prepared = made(names, kind, rows)
    data = Path(names[4].replace("/", "") + ".npz") if code.needs_table(prepared) else None
    return code.script(chosen, replace(plan, device=device), prepared, style=style, data=data)


@cache
def honest(kind: str, rows: int, style: code.Style, device: str) -> tuple[str, int]:
    """The shape of a script with honest names."""
    return shape(written(HONEST, kind, rows, style, device))[:2]


@pytest.mark.parametrize("kind", CHOICES)
@given(names=NAMES, device=TEXT)
@example(names=tuple(FRAGMENTS[i] * 2 for i in range(8)), device='cuda"; import os #')
@settings(max_examples=10, deadline=None)
def test_a_script_with_any_names_is_the_script_with_honest_ones(kind: str, names: tuple[str, ...], device: str) -> None:
    for rows in (12, 40):
        for style in styles(kind):
            text = written(names, kind, rows, style, device)
            tree, comments, texts = shape(text)
            assert (tree, comments) == honest(kind, rows, style, "cuda" if device.startswith("cuda") else "cpu:0")
            assert printable_lines(text) == text
            assert len(text.splitlines()) == text.count("\n")
            assert not re.search(r"^[ \t\f]*#.*?coding[:=]", text, re.MULTILINE)
            if rows == 40:  # the table's file by its name, exactly
                assert names[4].replace("/", "") + ".npz" in texts


@given(place=TEXT, name=TEXT)
@example(place="os\nopen('PWNED','w')", name="Net")
@example(place="my-nets", name="Net")
@example(place="nets", name="stream")
@example(place="ﬁ.nets", name="ﬁ")
@example(place="import", name="class")
@settings(max_examples=200, deadline=None)
def test_a_module_of_any_name_is_imported_and_nothing_else(place: str, name: str) -> None:
    chosen, plan, prepared = made(HONEST, "own", 12)
    architecture = replace(plan.architecture, module=f"{place}:{name}")
    plan = replace(plan, architecture=architecture)
    tree = ast.parse(code.script(chosen, plan, prepared, style="torch", data=None).encode())
    place, _, name = f"{place}:{name}".partition(":")
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module != "torch"]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "getattr"]
    if calls:
        assert ast.unparse(calls[0]) == f"getattr(import_module({place!r}), {name!r})"
        assert [node.module for node in imports] == ["importlib"]
    else:
        assert [(node.module, node.names[0].name) for node in imports] == [(place, name)]
    honest = made(HONEST, "own", 12)
    other = ast.parse(code.script(*honest, style="torch", data=None))
    assert len(ast.dump(tree).split("Assign(")) - len(calls) == len(ast.dump(other).split("Assign("))


@cache
def trained(kind: str) -> predictor.Predictor:
    """The model of a run with honest names."""
    wishes = {"dataset": "houses", "val": 0, "steps": 3, "tensorboard": False, "name": "run"}
    with TemporaryDirectory() as folder:
        run = prepared_run(build(wishes | {"runs": folder}), table(HONEST, 12, kind == "classes"))
        run.advance(3)
        run.finish("limit")
        assert run.folder is not None
        return predictor.load(run.folder.path)


def called(model: predictor.Predictor, names: tuple[str, ...]) -> predictor.Predictor:
    """The same model with other names."""
    columns = zip(model.encoder.inputs, names[:3], strict=True)
    inputs = [replace(one, name=name, categories=names[6:] if one.categories else ()) for one, name in columns]
    return replace(
        model,
        encoder=replace(model.encoder, inputs=tuple(inputs)),
        classes=names[6:] if model.classes else (),
        target=names[3],
        table_name=names[4],
        path=Path("/" + names[5].replace("\0", "").replace("\ud800", "\udcff")),  # as far as a path can hold it
    )


def in_json(texts: Sequence[str]) -> list[str]:
    """Texts as JSON gives them back: of two lone surrogates that stand together it makes a letter."""
    found = json.loads(json.dumps(list(texts)))
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("kind", ["linear", "classes"])
@given(names=NAMES)
@example(names=tuple(FRAGMENTS[i] * 2 for i in range(8)))
@settings(max_examples=30, deadline=None)
def test_a_predictor_with_any_names_is_the_one_with_honest_ones(kind: str, names: tuple[str, ...]) -> None:
    found = []
    for used in (names, HONEST):
        model = called(trained(kind), used)
        text = standalone.script(model)
        tree, comments, texts = shape(text)
        found.append((tree, comments))
        assert printable_lines(text) == text
        assert not re.search(r"^[ \t\f]*#.*?coding[:=]", text, re.MULTILINE)
        kept = json.loads(next(part for part in texts if part.startswith("\n{")))
        assert [column["name"] for column in kept["inputs"]] == in_json(used[:3])
        assert [kept["target"], *kept["classes"]] == in_json([used[3], *model.classes])
    assert found[0] == found[1]


# From the file to the script that runs.

COLUMNS = ('b\nopen("PWNED","w")\n#', 'c"""\nopen("PWNED","w")\n"""', "d\\", "e\r\x0c\u2028\0\u202e", "y'")
FILE = 'q"""+str(open("PWNED","w"))+"""\n'


def npz(path: Path, columns: dict[str, list[float]]) -> None:
    content = np.array(list(columns.values())).T
    np.savez(path, X=content[:, :-1], y=content[:, -1], feature_names=np.array(list(columns)[:-1]))


def parquet(path: Path, columns: dict[str, list[float]]) -> None:
    polars.DataFrame(columns).write_parquet(path)


def csv_file(path: Path, columns: dict[str, list[float]]) -> None:
    polars.DataFrame(columns).write_csv(path)


@pytest.mark.parametrize("write", [npz, parquet, csv_file])
@pytest.mark.parametrize("rows", [12, 60])
def test_an_exported_script_runs_and_finds_its_runs_losses(write: Any, rows: int, cli: Any, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    names = [name.replace("\0", "") if write is csv_file else name for name in COLUMNS]  # NUL is refused in CSV
    values = {name: random.standard_normal(rows).tolist() for name in names}
    file = tmp_path / (FILE + {npz: ".npz", parquet: ".parquet", csv_file: ".csv"}[write])
    write(file, values)
    target = ["--target", COLUMNS[-1]] if write is not npz else []
    line = "train --steps 20 --backend spectral --val 0.2 --name run --no-tensorboard"
    answer = cli(line, "--dataset", str(file), *target)
    assert answer.code == 0, answer.err
    scripts = []
    for number, words in enumerate(("code", "code --style torch", "predictor")):
        scripts.append(tmp_path / f"script{number}.py")
        assert cli(f"export run --format {words} -o {scripts[-1].name}").code == 0
    before = set(tmp_path.rglob("*"))
    for script in scripts[:2]:
        told = f"import runpy; print(runpy.run_path({str(script)!r})['losses'])"
        done = subprocess.run(
            [sys.executable, "-c", told], cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE
        )
        assert done.returncode == 0, done.stderr
        found = np.array(ast.literal_eval(done.stdout.splitlines()[-1]))
        assert np.allclose(found, losses(tmp_path / "runs/run"), rtol=1e-9)
    line = [sys.executable, "-I", str(scripts[2]), "--columns"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == len(COLUMNS) - 1
    shown = done.stdout.replace("\t", " ")
    assert shown == printable_lines(shown)
    assert set(tmp_path.rglob("*")) == before
