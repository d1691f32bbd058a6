"""Published figures: certified regressions and a logistic maximum likelihood."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.engine.data.helpers import ready, write

MODES: tuple[str, ...] = ("none", "max", "minmax", "zscore", "robust")

# NIST Statistical Reference Datasets, Longley (J. W. Longley, JASA 62, 1967): deflator, GNP, unemployed, armed forces,
# population, year -> employed; certified estimates B0 (intercept) to B6. https://www.itl.nist.gov/div898/strd/lls/data/Longley.shtml
LONGLEY = """deflator,gnp,unemployed,forces,population,year,employed
83.0,234289,2356,1590,107608,1947,60323
88.5,259426,2325,1456,108632,1948,61122
88.2,258054,3682,1616,109773,1949,60171
89.5,284599,3351,1650,110929,1950,61187
96.2,328975,2099,3099,112075,1951,63221
98.1,346999,1932,3594,113270,1952,63639
99.0,365385,1870,3547,115094,1953,64989
100.0,363112,3578,3350,116219,1954,63761
101.2,397469,2904,3048,117388,1955,66019
104.6,419180,2822,2857,118734,1956,67857
108.4,442769,2936,2798,120445,1957,68169
110.8,444546,4681,2637,121950,1958,66513
112.6,482704,3813,2552,123366,1959,68655
114.2,502601,3931,2514,125368,1960,69564
115.7,518173,4806,2572,127852,1961,69331
116.9,554894,4007,2827,130081,1962,70551
"""
CERTIFIED = (
    15.0618722713733,
    -0.358191792925910e-01,
    -2.02022980381683,
    -1.03322686717359,
    -0.511041056535807e-01,
    1829.15146461355,
    -3482258.63459582,
)


@pytest.mark.parametrize("target", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_longley_in_raw_units_under_every_normalization(tmp_path: Path, mode: str, target: bool) -> None:
    prepared = ready(write(tmp_path / "longley.csv", LONGLEY), mode, target="employed", val=0, normalize_target=target)
    design = np.column_stack([prepared.train.x, np.ones(16)])
    solution = np.linalg.lstsq(design, prepared.train.y, rcond=1e-20)[0]
    weights, bias = prepared.normalizer.fold(solution[:-1], solution[-1], prepared.target_scale)
    digits = 1e-6 if mode in ("none", "max") else 1e-9
    assert np.allclose([*weights, bias], CERTIFIED, rtol=digits, atol=0)


def test_logistic_maximum_likelihood_of_the_titanic() -> None:
    """n = 1,046 passengers of known age; the figures are those of R's glm for survived ~ sex + age + class."""
    prepared = ready("titanic", features=("sex", "age", "pclass"), missing="drop", val=0)
    assert len(prepared.train) == 1046
    design = np.column_stack([prepared.train.x, np.ones(1046)])
    y, beta = prepared.train.y, np.zeros(design.shape[1])
    for _ in range(25):  # Newton's method
        p = 1 / (1 + np.exp(-design @ beta))
        beta += np.linalg.solve(design.T @ (design * (p * (1 - p))[:, None]), design.T @ (y - p))
    p = 1 / (1 + np.exp(-design @ beta))
    weights, bias = prepared.normalizer.fold(beta[:-1], beta[-1])
    found = dict(zip(prepared.features, weights, strict=True))
    assert bias == pytest.approx(3.522074, abs=1e-6)
    assert found["sex=male"] == pytest.approx(-2.497845, abs=1e-6)
    assert found["age"] == pytest.approx(-0.034393, abs=1e-6)
    assert found["pclass=2"] == pytest.approx(-1.280570, abs=1e-6)
    assert found["pclass=3"] == pytest.approx(-2.289661, abs=1e-6)
    assert -2 * np.log(np.where(y == 1, p, 1 - p)).sum() == pytest.approx(982.45, abs=0.005)
