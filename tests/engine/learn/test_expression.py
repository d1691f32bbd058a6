"""Gradients of expressions, held to torch's."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.base.errors import InputError
from engine.learn.expression import Gradient, Node, differentiate, variables
from tests.conftest import message


def nodes(tree: Node) -> Iterator[Node]:
    yield tree
    for child in tree.children:
        yield from nodes(child)


def test_the_notes_example() -> None:
    found = differentiate("log((3x+4y)^2)", {"x": 1, "y": 1})
    assert round(found.gradients["x"], 4) == 0.8571
    assert round(found.gradients["y"], 4) == 1.1429
    assert math.isclose(found.value, math.log(49), rel_tol=1e-15)


def test_the_tree_shows_every_part_with_its_value_and_gradient() -> None:
    tree = differentiate("log((3x+4y)^2)", {"x": 1, "y": 1}).tree
    assert (tree.label, tree.gradient) == ("log((3x+4y)^2)", 1.0)
    assert [(n.label, n.value) for n in nodes(tree)] == [
        ("log((3x+4y)^2)", math.log(49)),
        ("(3x+4y)^2", 49.0),
        ("3x+4y", 7.0),
        ("3x", 3.0),
        ("3", 3.0),
        ("x", 1.0),
        ("4y", 4.0),
        ("4", 4.0),
        ("y", 1.0),
        ("2", 2.0),
    ]
    by_label = {n.label: n.gradient for n in nodes(tree)}
    assert math.isclose(by_label["(3x+4y)^2"] or 0, 1 / 49)
    assert math.isclose(by_label["3x+4y"] or 0, 2 / 7)
    assert by_label["3"] is None  # nothing in it can change


def test_a_variable_in_several_places_gets_the_sum_of_its_shares() -> None:
    found = differentiate("x * x + 2x", {"x": 3, "unused": 1})
    assert found.gradients == {"x": 8.0, "unused": 0.0}
    assert [n.gradient for n in nodes(found.tree) if n.label == "x"] == [3.0, 3.0, 2.0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("2^3^2", 512),
        ("2 ** 3", 8),
        ("-2^2", -4),
        ("2^-1", 0.5),
        ("--3", 3),
        ("+3", 3),
        ("1/2x", 2),  # a product without a sign binds like one with it
        ("2x^2", 32),
        ("x(x + 1)", 20),
        ("(x+1)(x-1)", 15),
        ("2(x)3x", None),
        ("x²", 16),
        ("3·x − 2", 10),
        ("2π", 2 * math.pi),
        ("ln(e)", 1),
        ("1e3 + .5 + 2.", 1002.5),
        ("2e", 2 * math.e),
        ("max(1, x, 3)", 4),
        ("min(x)", 4),
        ("abs(-x)", 4),
        ("relu(-x)", 0),
        ("sigmoid(0)", 0.5),
        ("sigmoid(-800)", 0),
        ("cos(pi)", -1),
        ("log(exp(x))", 4),
        ("sqrt(x)", 2),
        ("0^0", 1),
        ("(-2)^3", -8),
        ("007 + 00.5", 7.5),
        ("2^x(x)", 64),  # a product without a sign ends an exponent
        ("+x - +-x", 8),
        ("-" * 901 + "x", -4),
        ("+".join("x" * 500), 2000),
    ],
)
def test_expressions_are_read_as_they_are_written(text: str, value: float | None) -> None:
    if value is None:
        assert "sign is missing" in message(lambda: differentiate(text, {"x": 4}))
    else:
        assert math.isclose(differentiate(text, {"x": 4}).value, value, rel_tol=1e-14, abs_tol=1e-300)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "There is no expression"),
        ("   ", "There is no expression"),
        ("3 +", "ends after “3 +”"),
        ("* 3", "missing before “* 3”"),
        ("(3 + x", "“(3 + x” is not closed"),
        ("3)", "without an opening one"),
        ("max(1,, 2)", "missing before “, 2)”"),
        ("3, 4", "not expected"),
        ("log x", "log needs parentheses"),
        ("sin(1, 2)", "sin takes one number, not 2"),
        ("z + 1", "z has no value"),
        ("xy", "did you mean x * y?"),
        ("sgmoid(x)", "did you mean sigmoid?"),
        ("foo(x)", "there are log"),
        ("3 $ 4", "“$” has no meaning"),
        ("x = 3", "“=” has no meaning"),
        ("__import__('os')", "no meaning"),
        ("log(x - 1)", "log(x - 1) is not defined at 0"),
        ("log(-x)", "above 0"),
        ("sqrt(-x)", "at least 0"),
        ("1 / (x - 1)", "divides by 0"),
        ("(-x)^0.5", "not whole"),
        ("0^-1", "no negative power"),
        ("exp(1000)", "too large"),
        ("10^200 * 10^200", "too large"),
        ("10^400", "too large"),
        ("1e400", "too large"),
        ("(" * 60 + "x" + ")" * 60, "parentheses inside each other"),
        ("^".join(["x"] * 80), "powers inside each other"),
        ("x+" * 600 + "x", "1,201 characters"),
    ],
)
def test_what_cannot_be_read_or_computed_is_told(text: str, word: str) -> None:
    assert word in message(lambda: differentiate(text, {"x": 1, "y": 1}))


def test_words_of_python_are_names_like_any_other() -> None:
    words = ("lambda", "in", "None", "import", "not")
    found = differentiate(" + ".join(f"2{word}" for word in words), dict.fromkeys(words, 3.0))
    assert found.value == 30
    assert found.gradients == dict.fromkeys(words, 2.0)


@pytest.mark.parametrize(
    "text", ["x.real", "x[0]", "x if x else y", "[x]", "f'{x}'", "x; y", "x == y", "x := y", "~x", "x@y"]
)
def test_nothing_else_of_python_is_read(text: str) -> None:
    assert message(lambda: differentiate(text, {"x": 1.0, "y": 2.0}))


def test_nothing_that_is_typed_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("an expression was run")

    monkeypatch.setattr("builtins.eval", never)
    monkeypatch.setattr("builtins.exec", never)
    assert differentiate("max(x, 2)^2", {"x": 3}).value == 9
    for text in ("eval(x)", "print(x)", "exit()"):
        assert message(lambda text=text: differentiate(text, {"x": 1.0}))


def test_values_are_checked() -> None:
    assert "pi is a constant" in message(lambda: differentiate("x", {"pi": 3}))
    assert "log is a function" in message(lambda: differentiate("x", {"log": 3}))
    assert "finite" in message(lambda: differentiate("x", {"x": math.inf}))


def test_the_names_that_need_a_value() -> None:
    assert variables("log((3x + 4y)^2) + x + pi + max(rate, e)") == ("x", "y", "rate")


@pytest.mark.parametrize(
    ("text", "x", "slope"),
    [("x^-1", 1e-200, -math.inf), ("x^-1", -1e-200, -math.inf), ("x^-2", -1e-150, math.inf), ("sqrt(x)", 0, math.inf)],
)
def test_an_endless_slope_is_infinite(text: str, x: float, slope: float) -> None:
    assert differentiate(text, {"x": x}).gradients["x"] == slope


def test_a_long_sum_needs_no_deep_stack() -> None:
    assert differentiate("+".join(["x"] * 500), {"x": 1}).gradients["x"] == 500


# Against torch: random expressions, written as text and computed by autograd.

SINGLES = ("log", "exp", "sqrt", "sin", "cos", "tan", "tanh", "sigmoid", "relu", "abs")


def expressions() -> st.SearchStrategy[str]:
    leaves = st.one_of(st.sampled_from(["x", "y", "pi"]), st.floats(0.1, 9.9).map(lambda v: f"{v:.2f}"))

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(lambda p: f"({p[0]}) {p[1]} ({p[2]})"),
            st.tuples(st.sampled_from(SINGLES), inner).map(lambda p: f"{p[0]}({p[1]})"),
            st.tuples(inner, st.sampled_from(["2", "3", "-1", "0.5"])).map(lambda p: f"({p[0]})^{p[1]}"),
            st.tuples(inner, inner).map(lambda p: f"({p[0]})^({p[1]})"),
            st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda p: f"{p[0]}({p[1]}, {p[2]})"),
            inner.map(lambda p: f"-({p})"),
        )

    return st.recursive(leaves, grow, max_leaves=8)


def by_torch(text: str, x: float, y: float) -> tuple[float, float, float]:
    """Value and both derivatives by torch.autograd, in float64."""
    import torch

    a, b = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (x, y))

    def tensor(value: object) -> torch.Tensor:
        return value if isinstance(value, torch.Tensor) else torch.tensor(value, dtype=torch.float64)

    def one(function: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[object], torch.Tensor]:
        return lambda value: function(tensor(value))

    def both(function: Callable[..., torch.Tensor]) -> Callable[[object, object], torch.Tensor]:
        return lambda left, right: function(tensor(left), tensor(right))

    names: dict[str, object] = {name: one(getattr(torch, name)) for name in SINGLES}
    names |= {"min": both(torch.minimum), "max": both(torch.maximum)}
    value = tensor(eval(text.replace("^", "**"), {"__builtins__": {}}, {**names, "x": a, "y": b, "pi": math.pi}))
    if value.requires_grad:
        value.backward()
    return value.item(), *(0.0 if v.grad is None else v.grad.item() for v in (a, b))


def close(found: float, wanted: float) -> bool:
    both_undefined = math.isnan(found) and math.isnan(wanted)
    return both_undefined or found == wanted or math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-12)


@settings(max_examples=150, deadline=None)
@given(text=expressions(), x=st.floats(0.2, 3), y=st.floats(-3, 3))
def test_values_and_gradients_are_those_of_torch(text: str, x: float, y: float) -> None:
    refused, found = "", Gradient(0, {}, Node("", 0, None))
    try:
        found = differentiate(text, {"x": x, "y": y})
    except InputError as error:
        refused = str(error)
    if refused:
        assert "not defined" in refused or "too large" in refused
        return
    try:
        value, by_x, by_y = by_torch(text, x, y)
    except (ZeroDivisionError, OverflowError, TypeError):
        assume(False)
        return
    steepest = max((abs(n.gradient or 0.0) for n in nodes(found.tree)), default=0.0)
    assume(steepest < 1e8)  # beyond it rounding decides
    assert close(found.value, value)
    assert close(found.gradients["x"], by_x)
    assert close(found.gradients["y"], by_y)
