"""What a newcomer gets who changes nothing: every built-in set trains well with the defaults alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

from engine.recipe import build
from engine.training.run import Run

CONVEX = [
    "houses",
    "scales",
    "linear3",
    "titanic",
    "iris",
    "wine",
    "breast_cancer",
    "diabetes",
    "digits",
    "linear",
    "blobs",
]
SEEDS = range(5)


def trained(tmp_path: Path, **wishes: Any) -> Run:
    run = Run(build(wishes | {"runs": str(tmp_path), "tensorboard": False}))
    run.prepare(lambda _: None, lambda: False)
    run.clock(True)
    while run.advance(10_000):
        pass
    run.finish("limit")
    return run


@pytest.mark.parametrize("dataset", CONVEX)
def test_every_convex_set_reaches_its_optimum(dataset: str, tmp_path: Path) -> None:
    run = trained(tmp_path, dataset=dataset)
    # Below 0 the loss without its penalty can be a little less than at the penalised optimum.
    assert abs(run.result["gap"]) < 1e-3


@pytest.mark.parametrize(
    ("wishes", "share"),
    [
        # The share of the class shares' log loss, or of the mean's squared error, that may be left at most.
        ({"dataset": "moons", "model": "mlp"}, 0.15),
        ({"dataset": "circles", "model": "mlp"}, 0.10),
        ({"dataset": "spiral", "model": "mlp"}, 0.40),
        ({"dataset": "xor", "model": "mlp"}, 0.25),
        ({"dataset": "digits", "model": "mlp"}, 0.10),
        ({"dataset": "titanic", "model": "mlp"}, 0.75),
        ({"dataset": "diabetes", "model": "mlp"}, 0.75),
        ({"dataset": "poly", "degree": 3}, 0.30),
    ],
    ids=str,
)
def test_every_other_beats_the_baseline(wishes: dict[str, Any], share: float, tmp_path: Path) -> None:
    run = trained(tmp_path, **wishes)
    assert run.result["val_loss"] < share * run.facts.baseline_loss


@pytest.mark.parametrize(
    ("dataset", "model"),
    [(name, "auto") for name in ("titanic", "iris", "breast_cancer", "wine", "digits")]
    + [(name, "mlp") for name in ("titanic", "moons", "digits")],
)
def test_the_validation_loss_is_that_of_scikit_learn(dataset: str, model: str, tmp_path: Path) -> None:
    """The mean over five splits is at most 1.02 times that of scikit-learn's defaults on the same arrays."""
    ours, theirs = [], []
    for seed in SEEDS:
        run = trained(tmp_path, dataset=dataset, model=model, split_seed=seed)
        train, held = run.prepared.train, run.prepared.validation
        peer: Any = LogisticRegression(C=1, max_iter=10_000)
        if model == "mlp":
            peer = MLPClassifier(run.plan.architecture.hidden, random_state=seed)
        peer.fit(train.x, train.y.astype(int))
        labels = range(len(run.prepared.classes))
        theirs.append(log_loss(held.y.astype(int), peer.predict_proba(held.x), labels=labels))
        ours.append(run.result["val_loss"])
    assert np.mean(ours) <= 1.02 * np.mean(theirs)
