"""What TensorBoard itself, asked through its HTTP API, makes of the runs. One server answers for all tests."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest

from engine.base import children
from engine.data.prepare import prepare
from engine.data.sources import load
from engine.recipe import build, read_toml
from engine.runs import predictor, tunnel
from engine.runs.folder import read_evaluations, read_facts
from engine.runs.origin import Origin
from engine.runs.tensorboard import EventFile, histogram_steps
from engine.training.run import Run
from tests.conftest import DEADLINE, losses, wait_for

LINEAR = {"dataset": "linear3", "steps": 300, "val": 0.2, "test": 0.1, "log_every": "all"}
CASES: dict[str, dict[str, Any]] = {
    "linear": LINEAR,
    "binary": {"dataset": "titanic", "steps": 400, "normalize": "robust"},
    "network": {"dataset": "moons", "model": "mlp", "hidden": "8,4", "dropout": 0.1, "batch_norm": True, "steps": 200},
}


def begin(runs: Path, name: str, wishes: dict[str, Any], origin: Origin | None = None) -> Run:
    recipe = read_toml(origin.run) if origin is not None else build(wishes | {"runs": str(runs), "name": name})
    if origin is not None and origin.branch:
        recipe = recipe.replace({"name": name})
    run = Run(recipe, origin=origin)
    run.prepare(lambda _: None, lambda: False)
    run.clock(True)
    return run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five runs: three that went through, one interrupted twice, and a branch of it."""
    folder = tmp_path_factory.mktemp("board") / "runs"
    for name, wishes in CASES.items():
        run = begin(folder, name, wishes)
        while run.advance(1000):
            pass
        run.finish("limit")
    run = begin(folder, "resumed", LINEAR | {"checkpoint_every": 100})
    for stop in (100, 130):
        run.advance(stop - run.step)
        run.finish("interrupted")
        run = begin(folder, "resumed", {}, Origin.read(folder / "resumed"))
    # This part dies at step 250 without a word; its last checkpoint is that of step 200.
    run.advance(250 - run.step)
    run = begin(folder, "resumed", {}, Origin.read(folder / "resumed"))
    assert run.step == 200
    run.advance(1000)
    run.finish("limit")
    branch = begin(folder, "branch", {}, Origin.read(folder / "resumed", 200, branch=True))
    branch.change("lr", 0.003)
    branch.advance(1000)
    branch.finish("limit")
    return folder


@pytest.fixture(scope="module")
def server(runs: Path) -> Iterator[str]:
    """The address of a TensorBoard that has read all of it."""
    port = tunnel.free_port()
    address = f"http://{tunnel.HOST}:{port}/"
    words = ["--logdir", str(runs), "--host", tunnel.HOST, "--port", str(port), "--reload_interval", "5"]
    with subprocess.Popen(
        [*children.command("tensorboard.main"), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=children.environment(),
    ) as process:
        try:
            # The words about the ending are the last thing in a run's newest file.
            wanted = {*CASES, "resumed", "branch"}

            def read() -> bool:
                assert process.poll() is None
                try:
                    told = ask(address, "text/tags")
                except OSError:
                    return False  # it is still starting
                return {run for run, tags in told.items() if "ending" in tags} == wanted

            wait_for(read, "TensorBoard has read the runs")
            yield address
        finally:
            process.kill()


def ask(address: str, what: str, *, body: dict[str, Any] | None = None, **query: Any) -> Any:
    url = f"{address}data/plugin/{what}?{urlencode(query, doseq=True)}"
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
        return json.load(answer)


def curve(address: str, run: str, tag: str) -> list[list[float]]:
    return ask(address, "scalars/scalars", run=run, tag=tag)  # type: ignore[no-any-return]


# Scalars.


def test_every_curve_has_the_name_that_a_person_would_choose(server: str) -> None:
    tags = ask(server, "scalars/tags")
    assert set(tags) == {*CASES, "resumed", "branch"}  # no run within a run
    common = {"loss/train", "loss/validation", "learning_rate", "gradient_norm"}
    figures = {f"metrics/{name}/validation" for name in ("mse", "rmse", "mae", "r2")}
    assert common | figures | {f.replace("validation", "test") for f in figures} <= set(tags["linear"])
    words = ("accuracy", "precision", "recall", "f1", "roc_auc", "pr_auc", "log_loss")
    assert common | {f"metrics/{w}/{s}" for w in words for s in ("train", "validation")} <= set(tags["binary"])


def test_the_last_metrics_are_those_of_the_saved_weights(server: str, runs: Path) -> None:
    result = read_facts(runs / "linear")["result"]
    for split in ("train", "test"):
        points = curve(server, "linear", f"metrics/mse/{split}")
        assert [p[1:] for p in points] == [[300, pytest.approx(result["metrics"][split]["mse"], rel=1e-6)]]


@pytest.mark.parametrize("run", ["resumed", "branch"])
def test_a_run_in_several_parts_is_one_clean_curve(run: str, server: str, runs: Path) -> None:
    points = curve(server, run, "loss/train")
    assert [step for _, step, _ in points] == list(range(300))
    assert np.array_equal(np.float32([value for *_, value in points]), np.float32(losses(runs / run)))
    walls = np.array([wall for wall, *_ in points])
    assert (walls > read_facts(runs / "linear")["created"] - 1).all()
    kept = dict(read_evaluations(runs / run))
    for tag in ("loss/validation", "gradient_norm", "metrics/r2/validation"):
        points = curve(server, run, tag)
        assert [step for _, step, _ in points] == list(kept)
        assert np.float32([p[2] for p in points]).tolist() == np.float32([v[tag] for v in kept.values()]).tolist()


def read(run: Path) -> dict[str, list[int]]:
    """The steps of every tag, as TensorBoard's own reader in Python has them where its data server is not to be had."""
    from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator

    found = EventAccumulator(str(run), size_guidance={"tensors": 0})
    found.Reload()
    return {tag: [event.step for event in found.Tensors(tag)] for tag in found.Tags()["tensors"]}


def test_the_first_interruption_leaves_one_clean_curve_in_every_reader(tmp_path: Path) -> None:
    # The one in Python does not take a run's first start of a session for a restart.
    run = begin(tmp_path, "resumed", LINEAR)
    run.advance(131)  # no step of an evaluation: the one of the end of this part does not belong to the curve
    run.finish("interrupted")
    run = begin(tmp_path, "resumed", {}, Origin.read(tmp_path / "resumed"))
    run.advance(1000)
    run.finish("limit")
    steps = read(tmp_path / "resumed")
    assert steps["loss/train"] == list(range(300))
    kept = [step for step, _ in read_evaluations(tmp_path / "resumed")]
    assert steps["loss/validation"] == steps["gradient_norm"] == kept
    assert steps["learning_rate"] == steps["recipe"] == [0]


def test_a_run_interrupted_before_its_first_step_is_told_of_once(tmp_path: Path) -> None:
    run = begin(tmp_path, "resumed", LINEAR)
    run.finish("interrupted")
    run = begin(tmp_path, "resumed", {}, Origin.read(tmp_path / "resumed"))
    run.advance(1000)
    run.finish("limit")
    steps = read(tmp_path / "resumed")
    assert steps["loss/train"] == list(range(300))
    assert steps["loss/validation"] == [step for step, _ in read_evaluations(tmp_path / "resumed")]
    assert steps["learning_rate"] == steps["recipe"] == [0]
    assert steps["weights/weight"][0] == 0


@pytest.mark.parametrize("schedule", ["cosine", "onecycle"])
def test_a_moving_rate_has_one_point_a_step(schedule: str, tmp_path: Path) -> None:
    run = begin(tmp_path, "moving", LINEAR | {"schedule": schedule, "backend": "compiled"})
    run.advance(100)
    run.change("lr", 0.001)
    run.advance(1000)
    run.finish("limit")
    assert read(tmp_path / "moving")["learning_rate"] == list(range(300))


def test_the_rate_that_a_plateau_lowered_last_is_told_again_after_a_restart(tmp_path: Path) -> None:
    wishes = {"dataset": "moons", "schedule": "plateau", "lr": 1e-9, "batch_size": "full", "eval_every": 1, "steps": 40}
    run = begin(tmp_path, "whole", wishes)
    run.advance(1000)
    run.finish("limit")
    rated = read(tmp_path / "whole")["learning_rate"]
    assert len(rated) > 2
    run = begin(tmp_path, "resumed", wishes)
    run.advance(rated[1])
    run.finish("interrupted")
    run = begin(tmp_path, "resumed", {}, Origin.read(tmp_path / "resumed"))
    run.advance(1000)
    run.finish("limit")
    assert read(tmp_path / "resumed")["learning_rate"] == rated


def test_a_branch_has_a_learning_rate_from_its_first_step(tmp_path: Path) -> None:
    parent = begin(tmp_path, "parent", LINEAR | {"checkpoint_every": 100})
    parent.advance(1000)
    parent.finish("limit")
    branch = begin(tmp_path, "branch", {}, Origin.read(tmp_path / "parent", 200, branch=True))
    branch.advance(1000)
    branch.finish("limit")
    assert read(tmp_path / "branch")["learning_rate"] == [200]


def test_a_resumed_run_has_the_histograms_of_an_undisturbed_one(server: str) -> None:
    steps = [
        [p[1] for p in ask(server, "histograms/histograms", run=r, tag="weights/weight")] for r in ("linear", "resumed")
    ]
    assert steps[0] == steps[1]


# Histograms.


@pytest.mark.parametrize(("run", "count"), [("linear", 2), ("network", 14)])
def test_weights_and_gradients_are_shown_as_histograms(run: str, count: int, server: str, runs: Path) -> None:
    tags = ask(server, "histograms/tags")[run]
    parameters = predictor.load(runs / run).parameters.arrays
    assert {f"weights/{name}" for name in parameters} == {t for t in tags if t.startswith("weights/")}
    assert len([t for t in tags if t.startswith("weights/")]) == count
    assert {t.replace("gradients/", "weights/") for t in tags if t.startswith("gradients/")} <= set(tags)
    for name, array in parameters.items():
        points = ask(server, "histograms/histograms", run=run, tag=f"weights/{name}")
        assert 3 <= len(points) <= 51
        for _, _, buckets in points:
            assert sum(b[2] for b in buckets) == array.size
            assert all(left <= right for left, right, _ in buckets)


def test_the_last_histogram_is_that_of_the_last_weights(server: str, runs: Path) -> None:
    weight = predictor.load(runs / "linear").parameters.weight
    _, step, buckets = ask(server, "histograms/histograms", run="linear", tag="weights/weight")[-1]
    assert step == 300
    assert (buckets[0][0], buckets[-1][1]) == (pytest.approx(weight.min()), pytest.approx(weight.max()))


def test_a_run_has_at_most_some_fifty_histograms() -> None:
    for steps, every in ((300, 1), (250, 1), (1_000_000, 4000), (7, 10), (51, 1)):
        period = histogram_steps(steps, every)
        assert period % every == 0
        assert len(range(0, steps + 1, period)) <= 51


# Hyperparameters.


def test_the_hparams_page_shows_choices_and_metrics_of_every_run(server: str, runs: Path) -> None:
    told = ask(server, "hparams/experiment", body={"experimentName": ""})
    names = {info["name"] for info in told["hparamInfos"]}
    assert {"lr", "normalize", "optimizer", "batch_size", "dataset", "seed", "model"} <= names
    metrics = [info["name"] for info in told["metricInfos"]]
    tags = {metric["tag"] for metric in metrics}
    # A tree of regressions and classifiers has the figures of both.
    assert {"loss/train", "loss/validation", "metrics/r2/validation", "metrics/f1/validation"} <= tags
    body = {
        "colParams": [{"metric": metric} for metric in metrics],
        "startIndex": 0,
        "sliceSize": 100,
        "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"],
    }
    groups = {g["name"]: g for g in ask(server, "hparams/session_groups", body=body)["sessionGroups"]}
    assert set(groups) == {*CASES, "resumed", "branch"}
    linear = groups["linear"]
    assert linear["hparams"]["dataset"] == "linear3"
    assert linear["hparams"]["batch_size"] == read_facts(runs / "linear")["choices"]["batch_size"]  # auto made definite
    assert linear["hparams"]["normalize"] == "zscore"
    assert linear["sessions"][0]["status"] == "STATUS_SUCCESS"
    values = {v["name"]["tag"]: v["value"] for v in linear["metricValues"]}
    result = read_facts(runs / "linear")["result"]
    assert values["metrics/r2/validation"] == pytest.approx(result["metrics"]["validation"]["r2"], rel=1e-6)
    assert groups["resumed"]["sessions"][0]["status"] == "STATUS_SUCCESS"  # its interruptions were no ending
    assert groups["branch"]["hparams"]["lr"] == groups["resumed"]["hparams"]["lr"]  # the change is in the curve


# Text, graph, curves of precision and recall.


def test_recipe_and_ending_are_shown_as_text(server: str, runs: Path) -> None:
    shown = ask(server, "text/text", run="binary", tag="recipe", markdown="false")
    assert (runs / "binary" / "recipe.toml").read_text() in shown[0]["text"]
    assert "| normalization | `robust` |" in shown[0]["text"]
    ending = ask(server, "text/text", run="binary", tag="ending", markdown="false")
    assert ending[0]["text"] == read_facts(runs / "binary")["ending"]
    assert len(ask(server, "text/text", run="resumed", tag="ending")) == 1


def test_the_graph_names_inputs_layers_and_loss(server: str) -> None:
    told = ask(server, "graphs/info")
    assert all(told[run]["run_graph"] for run in (*CASES, "resumed", "branch"))
    url = f"{server}data/plugin/graphs/graph?{urlencode({'run': 'network'})}"
    with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
        text = answer.read().decode()
    names = ["inputs/00_x1", "encode", "normalize", "hidden0/weight", "hidden0/batch_norm", "hidden0/relu"]
    names += ["hidden0/dropout", "hidden1/add", "output/add", "probability", "target", "loss/bce"]
    for name in names:
        assert f'name: "{name}"' in text, name
    assert text.count('op: "Variable"') == 6


def test_precision_against_recall_of_a_binary_target(server: str, runs: Path) -> None:
    tags = ask(server, "pr_curves/tags")
    assert set(tags) >= {"binary", "network"}
    assert "linear" not in tags or not tags["linear"]
    entries = ask(server, "pr_curves/pr_curves", run="binary", tag="precision_recall/validation")["binary"]
    assert len(entries) >= 3
    last = entries[-1]
    assert last["step"] == 400
    thresholds = np.array(last["thresholds"])
    recipe = read_toml(runs / "binary")
    prepared = prepare(recipe.data, recipe.normalization, load(recipe.data))
    y = prepared.validation.y
    assert last["true_positives"][0] == y.sum()
    at = int(np.argmin(abs(thresholds - 0.5)))
    table = load(recipe.data)
    chance = predictor.load(runs / "binary").predict(table)[0][prepared.validation.index, 1]
    if np.abs(chance - thresholds[at]).min() > 1e-9:
        hits = int(((chance >= thresholds[at]) & (y == 1)).sum())
        assert last["true_positives"][at] == hits
        assert last["recall"][at] == pytest.approx(hits / y.sum())


# The server itself.


def test_the_tunnel_is_the_line_to_type_on_ones_own_machine() -> None:
    import getpass
    import socket

    user = getpass.getuser()
    inside = {"SSH_CONNECTION": "203.0.113.5 51000 198.51.100.7 2222"}
    assert tunnel.tunnel(6006, inside) == f"ssh -N -L 6006:127.0.0.1:6006 -p 2222 {user}@198.51.100.7"
    usual = {"SSH_CONNECTION": "203.0.113.5 51000 198.51.100.7 22"}
    assert tunnel.tunnel(7, usual) == f"ssh -N -L 7:127.0.0.1:7 {user}@198.51.100.7"
    assert tunnel.tunnel(7, {}) == f"ssh -N -L 7:127.0.0.1:7 {user}@{socket.gethostname()}"


def test_a_port_in_use_is_passed_over() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind((tunnel.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert tunnel.free_port([port]) != port


def test_parts_of_one_second_are_read_in_their_order(tmp_path: Path) -> None:
    names = []
    for _ in range(12):
        file = EventFile(tmp_path, 1_700_000_000.5)
        file.close()
        names.append(file.path.name)
    assert sorted(names) == names
