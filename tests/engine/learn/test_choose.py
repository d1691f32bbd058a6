"""Which backend is chosen, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from engine.base.errors import InputError
from engine.learn.kernels.choose import choose, open_kernel
from tests.conftest import made
from tests.engine.learn.descent import case, classes


@pytest.mark.parametrize(
    ("rows", "fields", "backend"),
    [
        (made(), {}, "spectral"),
        (made(), {"l2": 0.1}, "spectral"),
        (made(), {"schedule": "plateau"}, "spectral"),
        (made(), {"optimizer": "adam"}, "compiled"),
        (made(), {"batch_size": 8}, "compiled"),
        (made(), {"precision": "float32"}, "compiled"),
        (made(), {"loss": "huber"}, "compiled"),
        (made(), {"model": "mlp"}, "compiled"),
        (made(10, 40), {"l2": 0.1}, "compiled"),  # a step on ten rows is less work than one on 41 directions
        (classes(2), {}, "compiled"),
        (classes(3), {}, "compiled"),
        (made(), {"model": "mlp", "dropout": 0.1}, "autograd"),
        (made(), {"model": "mlp", "batch_norm": True}, "autograd"),
        (made(), {"optimizer": "lbfgs"}, "autograd"),
        (made(), {"precision": "bf16"}, "autograd"),
    ],
)
def test_the_fastest_that_is_right(rows: Any, fields: dict[str, Any], backend: str) -> None:
    plan = case(rows, **fields).plan
    assert plan.backend == backend
    assert plan.backend_reason.startswith(f"{backend}: ")
    assert plan.backend_reason.endswith(".")


def test_autograd_says_why_the_faster_ones_were_left_aside() -> None:
    assert "dropout" in case(made(), model="mlp", dropout=0.1).plan.backend_reason


@pytest.mark.parametrize("backend", ["spectral", "compiled", "autograd"])
def test_a_wish_is_granted_where_it_can_be(backend: str) -> None:
    of = case(made(), backend=backend, lr=0.01)
    assert of.plan.backend == backend
    assert "as asked for" in of.plan.backend_reason
    assert len(of.kernel().advance(5)) == 5


@pytest.mark.parametrize(
    ("backend", "fields"),
    [
        ("spectral", {"optimizer": "adam"}),
        ("spectral", {"batch_size": 4}),
        ("compiled", {"optimizer": "lbfgs"}),
        ("compiled", {"precision": "fp16"}),
    ],
)
def test_a_wish_that_cannot_be_granted_is_one_sentence_with_a_remedy(backend: str, fields: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        case(made(), backend=backend, **fields)
    said = str(caught.value)
    assert said.startswith(f"The {backend} backend ")
    assert said.endswith(".")
    assert "--" in said


@pytest.mark.parametrize("family", ["linear", "logistic"])
def test_a_linear_model_takes_one_thread(family: str) -> None:
    rows = made() if family == "linear" else classes(2)
    assert case(rows, threads="auto").plan.threads == 1


def test_opening_tells_what_takes_a_while() -> None:
    of, told = case(made(), batch_size=8), list[str]()
    open_kernel(of.plan, of.prepared, of.facts, told.append)
    assert told[0] == "loading the compiled loops"


def test_the_choice_depends_on_nothing_but_the_plan() -> None:
    from engine.recipe import build

    of = case(made(), batch_size=8)
    assert choose(build({}), of.plan, of.facts) == choose(build({}), of.plan, of.facts)
