"""How good predictions are, in the target's own units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def regression(y: Floats, predicted: Floats) -> dict[str, float]:
    """mse, rmse, mae and r2 of predictions [n] of targets [n]; empty for n = 0, r2 NaN where the targets do not vary.

    r2 = 1 - sum of squared errors / sum of squared deviations from the mean of these targets, as scikit-learn has it.
    """
    if y.shape != predicted.shape:
        raise ValueError(f"targets {y.shape} against predictions {predicted.shape} would broadcast")
    if not len(y):
        return {}
    error = y - predicted
    mse = float(np.mean(error**2))
    spread = float(np.mean((y - y.mean()) ** 2))
    return {
        "mse": mse,
        "rmse": float(np.sqrt(mse)),
        "mae": float(np.mean(np.abs(error))),
        "r2": 1 - mse / spread if spread > 0 else float("nan"),
    }
