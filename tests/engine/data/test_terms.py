"""Terms of higher degree: which there are, how many, and their values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.preprocessing import PolynomialFeatures

from engine import recipe
from engine.base.errors import InputError
from engine.data import terms
from engine.data.prepare import prepare
from engine.data.terms import Base
from tests.engine.data.helpers import ready, table, write


@pytest.mark.parametrize("degree", [1, 2, 3, 5])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_terms_of_numbers_are_scikit_learns(degree: int, width: int) -> None:
    found = ready(f"linear:features={width},rows=50", "none", degree=degree, val=0)
    raw = ready(f"linear:features={width},rows=50", "none", val=0).train.x
    theirs = PolynomialFeatures(degree, include_bias=False)
    assert np.allclose(found.train.x, theirs.fit_transform(raw), rtol=1e-13)
    names = [name.replace(" ", "*") for name in theirs.get_feature_names_out([f"x{j + 1}" for j in range(width)])]
    assert list(found.features) == names


def test_no_duplicates(tmp_path: Path) -> None:
    text = "n,c,f,m,y\n" + "".join(
        f"{i},{'uvw'[i % 3]},{(i * i) % 2},{'' if i % 5 == 0 else i * 0.7},{i * 1.5}\n" for i in range(60)
    )
    path = write(tmp_path / "t.csv", text)
    found = ready(path, "none", target="y", degree=2, val=0)
    assert found.features[:6] == ("n", "c=v", "c=w", "f", "m", "m is missing")
    assert set(found.features[6:]) == {
        *("n^2", "n*c=v", "n*c=w", "n*f", "n*m", "n*m is missing", "c=v*f", "c=v*m", "c=v*m is missing"),
        *("c=w*f", "c=w*m", "c=w*m is missing", "f*m", "f*m is missing", "m^2"),
    }
    columns = found.train.x
    assert len({tuple(column) for column in columns.T}) == columns.shape[1]
    assert any(f"make {len(found.features)} columns" in note for note in found.notes)


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_the_count_is_the_number_of_terms(degree: int) -> None:
    base = [Base(0, False), Base(1, True), Base(2, True), Base(2, True), Base(3, False), Base(3, True), Base(4, False)]
    found = list(terms.terms(base, degree))
    assert terms.count(base, degree) == len(found) == len(set(found))
    assert [len(term) for term in found] == sorted(len(term) for term in found)


def test_what_could_never_be_built_is_refused_by_its_count() -> None:
    data = recipe.Data(dataset="breast_cancer", degree=20)
    with pytest.raises(InputError, match="47,129,212,243,959"):
        prepare(data, recipe.Normalization(), table("breast_cancer"))


def test_terms_are_built_from_raw_columns_and_then_normalized() -> None:
    found = ready("houses", "zscore", degree=2)
    size = table("houses")["size"].numbers
    squares = size**2
    assert np.allclose(
        found.train.x[:, found.features.index("size^2")], (squares - squares.mean()) / squares.std(ddof=1)
    )


def test_folded_weights_of_terms_are_for_raw_terms() -> None:
    scaled = ready("poly:rows=60", "zscore", degree=3, val=0)
    raw = ready("poly:rows=60", "none", degree=3, val=0)
    design = np.column_stack([scaled.train.x, np.ones(60)])
    solution = np.linalg.lstsq(design, scaled.train.y, rcond=None)[0]
    weights, bias = scaled.normalizer.fold(solution[:-1], solution[-1], scaled.target_scale)
    direct = np.linalg.lstsq(np.column_stack([raw.train.x, np.ones(60)]), raw.train.y, rcond=None)[0]
    assert np.allclose([*weights, bias], direct, rtol=1e-9)
