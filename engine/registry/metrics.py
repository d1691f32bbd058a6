"""The metrics by name: which are errors, and what each is measured against.

Those that are losses too bear their names. What they compute is in `engine.learn.metrics`.
"""

from __future__ import annotations

from math import isfinite, sqrt

from engine.registry.losses import MAE, MSE, REGISTRY

OF_AMOUNTS = (MSE.name, "rmse", MAE.name, "r2")
OF_CLASSES = ("accuracy", "precision", "recall", "f1", "roc_auc", "pr_auc", "log_loss")
ERRORS = (MSE.name, "rmse", MAE.name, "log_loss")  # 0 where everything is right
SQUARES = (MSE.name, "log_loss")  # errors that grow with the square of what the outputs are off, where that is little
SEEN = {MSE.name: (MSE.name, "rmse"), MAE.name: (MAE.name,)}  # by loss: what its size tells without a look at the rows


def size(name: str, baseline: float | None, loss: str = MSE.name) -> float | None:
    """What a metric is measured against; see `engine.base.rounding`.

    Args:
        name: such as "rmse"; what is no error but a share is measured against 1.
        baseline: the loss of the best constant, in the target's own units.
        loss: which loss that is; "auto" in facts of old runs.
    """
    if name not in ERRORS:
        return 1.0
    if baseline is None or not isfinite(baseline) or baseline < 0:
        return None
    squared = loss == "auto" or (loss in REGISTRY and REGISTRY[loss].degree == 2)
    error = sqrt(baseline) if squared else baseline
    return {MSE.name: error * error, "log_loss": baseline}.get(name, error)
