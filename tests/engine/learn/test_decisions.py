"""Decisions between two classes: the positive class, the threshold, and that names change nothing."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

import engine
from engine.analysis.evaluation import evaluate
from engine.base.errors import InputError
from engine.cli import main
from engine.data import positive
from engine.runs.export import whole
from engine.training.session import Session
from tests.conftest import DEADLINE, prepared_run, recipe, wait_for

Rows = list[tuple[float, ...]]
pytestmark = pytest.mark.filterwarnings("ignore::engine.runs.model.PredictionWarning")


def rows_of(count: int = 400, rare: float = 0.25, seed: int = 0) -> tuple[Rows, list[int]]:
    """Rows of two numbers and labels of which 1 is the rarer."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((count, 2)).round(3)
    score = x[:, 0] - 0.5 * x[:, 1] + random.standard_normal(count)
    y = (score > np.quantile(score, 1 - rare)).astype(int)
    return [tuple(row) for row in x.tolist()], y.tolist()


def write(path: Path, rows: Rows, labels: Sequence[object]) -> Path:
    """A CSV of rows and their labels."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*(f"x{j + 1}" for j in range(len(rows[0]))), "y"])
        writer.writerows([*row, label] for row, label in zip(rows, labels, strict=True))
    return path


def trained(capsys: pytest.CaptureFixture[str], path: Path, *flags: str) -> dict[str, Any]:
    """What `train --json` prints of a table whose target is y."""
    capsys.readouterr()
    runs = str(path.parent / "runs")
    words = ["train", str(path), "--target", "y", "--runs", runs, "--json", "--no-tensorboard", *flags]
    assert main(words) == 0, capsys.readouterr().err
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def refused(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> str:
    """The one sentence with which a command line is refused."""
    capsys.readouterr()
    assert main(["train", *words, "--runs", str(folder / "runs")]) == 2
    said = capsys.readouterr().err.strip()
    assert said.count("\n") == 0
    return said


# The positive class.


@pytest.mark.parametrize(
    ("names", "counts", "wanted"),
    [
        (("no", "yes"), (10, 90), "yes"),
        (("No", "Yes"), (10, 90), "Yes"),
        (("FALSE", "TRUE"), (10, 90), "TRUE"),
        (("0", "1"), (10, 90), "1"),
        (("absent", "Present"), (10, 90), "Present"),
        (("neg", "pos"), (10, 90), "pos"),
        (("control", "positive"), (10, 90), "positive"),
        (("positive", "unknown"), (90, 10), "positive"),
        (("N", "Y"), (10, 90), "Y"),
        (("F", "T"), (10, 90), "T"),
        (("fraud", "ok"), (10, 90), "fraud"),
        (("ok", "z_fraud"), (90, 10), "z_fraud"),
        (("1", "yes"), (10, 90), "1"),  # both are called so: the rarer
        (("a", "b"), (50, 50), "b"),  # neither is, and none is rarer: the second
    ],
)
def test_the_positive_class_is_the_one_called_so_else_the_rarer(
    names: tuple[str, str], counts: tuple[int, int], wanted: str
) -> None:
    found = positive.find(None, names, counts, "y")
    assert found is not None
    assert names[found] == wanted
    for index, name in enumerate(names):
        assert positive.find(name, names, counts, "y") == index
        assert positive.find(f" {name.upper()} ", names, counts, "y") == index


def test_a_class_called_auto_can_be_the_positive_one() -> None:
    assert positive.find("auto", ("auto", "manual"), (90, 10), "y") == 0
    assert positive.find("auto", ("a", "b"), (90, 10), "y") == 1
    assert positive.find("1.0", ("0", "1"), (10, 90), "y") == 1
    with pytest.raises(InputError, match=r"no class “c” .* a and b"):
        positive.find("c", ("a", "b"), (1, 1), "y")


def test_an_unknown_class_and_a_target_without_two_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rows, labels = rows_of(60)
    path = write(tmp_path / "t.csv", rows, ["spam" if one else "ham" for one in labels])
    said = refused(capsys, tmp_path, str(path), "--target", "y", "--positive", "eggs")
    assert "eggs" in said
    assert "ham and spam" in said
    said = refused(capsys, tmp_path, str(path), "--target", "x1", "--positive", "spam")
    assert "Positive class (--positive) does not apply: a regression target has no positive class" in said
    assert "a multiclass target has no positive" in refused(capsys, tmp_path, "iris", "--positive", "setosa")


@pytest.mark.parametrize("value", ["0", "1", "nan", "2", "-0.1", "inf", "often"])
def test_a_threshold_lies_between_0_and_1(capsys: pytest.CaptureFixture[str], tmp_path: Path, value: str) -> None:
    assert "auto or a number above 0 and below 1" in refused(capsys, tmp_path, "titanic", "--threshold", value)


# Names change nothing.

PAIRS = [
    ("ok", "fraud"),
    ("ok", "z_fraud"),
    ("b_ok", "a_fraud"),
    ("no", "yes"),
    ("zz no", "Yes"),
    ("0", "1"),
    ("True", "False"),  # the words say that the more frequent class is the positive one
]


def told(result: dict[str, Any], names: tuple[str, str]) -> tuple[list[float], str]:
    """Losses, metrics and threshold as one list, and the positive class as 0 or 1."""
    found = [result["train_loss"], result["val_loss"], result["threshold"]]
    for split in ("train", "validation", "test"):
        found += [float("nan") if value is None else value for value in result["metrics"][split].values()]
    return found, str(names.index(result["positive"]))


@pytest.mark.parametrize("flags", [(), ("--threshold", "0.3"), ("--threshold", "auto")])
def test_renaming_the_classes_changes_no_figure_and_no_decision(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, flags: tuple[str, ...]
) -> None:
    rows, labels = rows_of()
    wanted: dict[str, tuple[list[float], list[int]]] = {}
    for number, names in enumerate(PAIRS):
        path = write(tmp_path / f"t{number}.csv", rows, [names[one] for one in labels])
        result = trained(capsys, path, "--test", "0.25", "--epochs", "30", *flags)
        figures, which = told(result, names)
        decided = [names.index(name) for name in engine.load(result["run"]).predict([list(row) for row in rows])]
        assert set(decided) == {0, 1}
        known = wanted.setdefault(which, (figures, decided))
        np.testing.assert_allclose(figures, known[0], rtol=1e-9, atol=1e-12)
        assert decided == known[1]
    assert sorted(wanted) == ["0", "1"]


def test_the_positive_class_that_is_chosen_changes_the_figures_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rows, labels = rows_of()
    path = write(tmp_path / "t.csv", rows, ["fraud" if one else "ok" for one in labels])
    one = trained(capsys, path)
    other = trained(capsys, path, "--positive", "OK")
    assert (one["positive"], other["positive"]) == ("fraud", "ok")
    for name in ("train_loss", "val_loss", "weights_raw", "bias_raw", "classes"):
        assert one[name] == other[name]
    assert one["metrics"]["train"]["accuracy"] == other["metrics"]["train"]["accuracy"]
    assert one["metrics"]["train"]["recall"] != other["metrics"]["train"]["recall"]


@pytest.mark.parametrize("which", ["fraud", "ok"])
def test_figures_are_those_of_scikit_learn_with_its_pos_label(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, which: str
) -> None:
    rows, labels = rows_of()
    names = ["fraud" if one else "ok" for one in labels]
    path = write(tmp_path / "t.csv", rows, names)
    result = trained(capsys, path, "--positive", which, "--threshold", "0.4", "--val", "0")
    model = engine.load(result["run"])
    assert (model.positive, model.threshold) == (which, 0.4)
    given = [list(row) for row in rows]
    decided, chances = model.predict(given).tolist(), model.probabilities(given)
    chance = chances[:, model.classes.index(which)]
    assert decided == [which if one >= 0.4 else next(n for n in model.classes if n != which) for one in chance]
    found = result["metrics"]["train"]
    for name in ("precision", "recall", "f1"):
        assert found[name] == pytest.approx(getattr(oracle, f"{name}_score")(names, decided, pos_label=which))
    actual = [name == which for name in names]
    assert found["roc_auc"] == pytest.approx(oracle.roc_auc_score(actual, chance))
    assert found["pr_auc"] == pytest.approx(oracle.average_precision_score(actual, chance))


# Thresholds.


def test_noise_is_decided_as_if_nothing_was_tuned(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    rows = [tuple(row) for row in random.standard_normal((600, 3)).round(3).tolist()]
    labels = ["yes" if one else "no" for one in random.random(600) < 0.1]
    path = write(tmp_path / "noise.csv", rows, labels)
    plain = trained(capsys, path, "--epochs", "20")
    tuned = trained(capsys, path, "--epochs", "20", "--threshold", "auto")
    for split in ("train", "validation"):
        assert tuned["metrics"][split]["accuracy"] > plain["metrics"][split]["accuracy"] - 0.02
    assert plain["threshold"] == 0.5
    assert tuned["threshold_reason"]


@pytest.mark.parametrize("name", ["fraud", "z_fraud"])
def test_fifty_of_three_thousand_are_found_whatever_they_are_called(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    rows, labels = rows_of(3000, 50 / 3000)
    path = write(tmp_path / "t.csv", rows, [name if one else "ok" for one in labels])
    plain = trained(capsys, path, "--epochs", "20")
    tuned = trained(capsys, path, "--epochs", "20", "--threshold", "auto")
    assert plain["positive"] == tuned["positive"] == name
    assert plain["threshold"] == 0.5
    assert 0.01 < tuned["threshold"] < 0.5
    assert tuned["metrics"]["validation"]["recall"] > plain["metrics"]["validation"]["recall"]
    assert tuned["train_loss"] == plain["train_loss"]
    assert "chosen for F1" in tuned["threshold_reason"]


@pytest.mark.parametrize(
    "flags", [("--model", "mlp", "--hidden", "8"), ("--model", "softmax"), ("--optimizer", "lbfgs")]
)
def test_auto_is_for_every_model_and_the_same_each_time(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, flags: tuple[str, ...]
) -> None:
    rows, labels = rows_of(300, 0.15)
    path = write(tmp_path / "t.csv", rows, labels)
    one = trained(capsys, path, "--threshold", "auto", "--epochs", "15", *flags)
    other = trained(capsys, path, "--threshold", "auto", "--epochs", "15", *flags)
    assert one["threshold"] == other["threshold"]
    assert one["threshold_reason"] == other["threshold_reason"]
    assert "F1 out of fold" in one["threshold_reason"]


def test_names_in_the_same_order_change_no_bit_of_a_network(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows, labels = rows_of(200)
    found = []
    for number, names in enumerate((("b_ok", "fraud"), ("0", "1"), ("ok", "z_fraud"))):
        path = write(tmp_path / f"t{number}.csv", rows, [names[one] for one in labels])
        result = trained(capsys, path, "--model", "mlp", "--hidden", "6", "--epochs", "10")
        assert result["positive"] == names[1]
        found.append([result["train_loss"], result["val_loss"], result["metrics"]])
    assert found[0] == found[1] == found[2]


def test_a_choice_that_is_stopped_leaves_one_half(tmp_path: Path) -> None:
    rows, labels = rows_of(400)
    path = write(tmp_path / "t.csv", rows, labels)
    chosen = recipe(tmp_path, dataset=str(path), target="y", threshold="auto", model="mlp", epochs=60)
    session = Session(chosen)
    session.start()
    wait_for(lambda: session.snapshot().activity.startswith("choosing the threshold"), "the first fold")
    session.stop()
    assert session.join(DEADLINE)
    assert session.result["ended"] == "limit"
    assert session.result["threshold"] == 0.5
    assert "stopped" in session.result["threshold_reason"]


def test_a_run_that_is_stopped_chooses_no_threshold(tmp_path: Path) -> None:
    rows, labels = rows_of(100)
    path = write(tmp_path / "t.csv", rows, labels)
    run = prepared_run(recipe(tmp_path, dataset=str(path), target="y", threshold="auto"))
    run.advance(3)
    run.finish("stopped")
    assert run.decision is not None
    assert run.decision.threshold == 0.5
    assert "the run was stopped" in run.decision.sentence


def test_a_run_without_two_classes_has_no_threshold(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows, _ = rows_of(100)
    path = write(tmp_path / "t.csv", rows, [f"class {j % 3}" for j in range(100)])
    found = trained(capsys, path, "--threshold", "auto", "--epochs", "2")
    assert found["threshold"] is None
    assert found["positive"] is None


# Labels, and what is told.


@pytest.mark.parametrize(
    ("pair", "wanted"),
    [
        (("No", "Yes"), ("No", "Yes")),
        (("FALSE", "TRUE"), ("FALSE", "TRUE")),
        (("False", "True"), ("False", "True")),
        (("N", "Y"), ("N", "Y")),
        (("no", "yes"), ("no", "yes")),
        (("OFF", "On"), ("OFF", "On")),
    ],
)
def test_predictions_have_the_letters_of_the_table(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, pair: tuple[str, str], wanted: tuple[str, str]
) -> None:
    rows, labels = rows_of(120, 0.4)
    path = write(tmp_path / "t.csv", rows, [pair[one] for one in labels])
    result = trained(capsys, path, "--epochs", "5")
    assert tuple(result["classes"]) == wanted
    assert result["positive"] == wanted[1]
    assert set(engine.load(result["run"]).predict([list(row) for row in rows])) == set(wanted)


def test_the_most_frequent_spelling_stands_for_a_word(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows, labels = rows_of(120, 0.4)
    names = [("No", "Yes")[one] for one in labels]
    names[names.index("Yes")] = "YES"
    result = trained(capsys, write(tmp_path / "t.csv", rows, names), "--epochs", "5")
    assert result["classes"] == ["No", "Yes"]


@pytest.mark.parametrize("which", ["fraud", "ok"])
def test_every_way_to_predict_decides_alike(capsys: pytest.CaptureFixture[str], tmp_path: Path, which: str) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed here")
    rows, labels = rows_of(200)
    path = write(tmp_path / "t.csv", rows, ["fraud" if one else "ok" for one in labels])
    result = trained(capsys, path, "--positive", which, "--threshold", "0.2")
    run = Path(result["run"])
    wanted = engine.load(run).predict([list(row) for row in rows]).tolist()
    assert set(wanted) == {"fraud", "ok"}
    assert main(["predict", str(run), "--input", str(path)]) == 0
    out = capsys.readouterr()
    assert f"The positive class is {which}, decided from a probability of 0.2 on" in out.err
    assert [line["prediction"] for line in csv.DictReader(io.StringIO(out.out))] == wanted
    script = tmp_path / "predict.py"
    script.write_bytes(whole(run, "predictor"))
    assert f"The positive class is {which}" in script.read_text()
    answer = subprocess.run(
        [sys.executable, "-I", str(script), str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert [line["prediction"] for line in csv.DictReader(io.StringIO(answer.stdout))] == wanted
    session = onnxruntime.InferenceSession(whole(run, "onnx"))
    columns = {f"x{j + 1}": np.array([row[j] for row in rows]) for j in range(2)}
    assert session.run(["prediction"], columns)[0].tolist() == wanted
    about = session.get_modelmeta().custom_metadata_map
    assert (about["positive"], float(about["threshold"])) == (which, 0.2)
    report = whole(run, "report").decode()
    assert f"The positive class is {which}, decided from a probability of 0.2 on" in report
    assert json.loads((run / "run.json").read_text())["result"]["positive"] == which


@pytest.mark.parametrize("which", ["fraud", "ok"])
def test_the_script_of_a_run_decides_as_the_run_does(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, which: str
) -> None:
    rows, labels = rows_of(200)
    path = write(tmp_path / "t.csv", rows, ["fraud" if one else "ok" for one in labels])
    run = Path(trained(capsys, path, "--positive", which, "--threshold", "0.2", "--epochs", "5")["run"])
    found = evaluate(run)
    assert found.decision is not None
    wanted = int((found.parts["validation"].predicted == found.decision.positive).sum())
    script = tmp_path / "script.py"
    script.write_bytes(whole(run, "code", script))
    answer = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=DEADLINE)
    assert answer.stdout.splitlines()[-1] == f"{wanted} of 40 validation rows are decided for {which}"


def test_a_model_of_format_1_decides_for_the_class_that_sorts_last(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from safetensors import safe_open
    from safetensors.numpy import save_file

    rows, labels = rows_of(200)
    path = write(tmp_path / "t.csv", rows, ["fraud" if one else "ok" for one in labels])
    run = Path(trained(capsys, path)["run"])
    file = run / "model.safetensors"
    with safe_open(file, framework="np") as opened:
        schema = json.loads(opened.metadata()["schema"])
        arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    del schema["positive"], schema["threshold_reason"]
    save_file(arrays, file, {"schema": json.dumps(schema | {"format": 1, "threshold": 0.8})})
    model = engine.load(run)
    given = [list(row) for row in rows]
    chance = model.probabilities(given)[:, 1]
    assert model.positive == "ok"
    assert model.predict(given).tolist() == ["ok" if one >= 0.8 else "fraud" for one in chance]


@settings(max_examples=40, deadline=None)
@given(
    counts=st.tuples(st.integers(1, 99), st.integers(1, 99)),
    names=st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8), min_size=2, max_size=2, unique=True),
)
def test_the_rule_knows_no_order(counts: tuple[int, int], names: list[str]) -> None:
    one = positive.find(None, names, counts, "y")
    other = positive.find(None, names[::-1], counts[::-1], "y")
    assert one is not None
    assert other is not None
    words = {name.strip().lower() in positive.WORDS for name in names}
    if counts[0] != counts[1] or len(words) == 2:
        assert names[one] == names[::-1][other]
