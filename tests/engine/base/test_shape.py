"""The shapes of JSON values: what fits, and the phrase for what does not."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.base import shape
from engine.base.shape import Misshapen

RUN = shape.record(
    {"format": shape.whole}, {"steps": shape.count, "names": shape.listed(shape.text), "loss": shape.number}
)


@pytest.mark.parametrize(
    ("value", "phrase"),
    [
        ([], "it is a list, not an object"),
        ({}, "format is missing"),
        ({"format": True}, "format is true, not a whole number"),
        ({"format": 1.0}, "format is 1.0, not a whole number"),
        ({"format": 2**64}, "format is 18446744073709551616, not a whole number"),
        ({"format": 10**5000}, "format is a very long number, not a whole number"),
        ({"format": 1, "steps": -1}, "steps is -1, not a whole number, at least 0"),
        ({"format": 1, "names": ["a", None]}, "names[1] is null, not a text"),
        ({"format": 1, "names": {"a": 1}}, "names is an object, not a list"),
        ({"format": 1, "loss": float("nan")}, "loss is nan, not a number"),
        ({"format": 1, "loss": 10**400}, "loss is a very long number, not a number"),
        ({"format": 1, "loss": "x" * 100}, "loss is '" + "x" * 39 + "…, not a number"),
    ],
)
def test_what_does_not_fit_is_said_in_a_phrase(value: Any, phrase: str) -> None:
    with pytest.raises(Misshapen) as told:
        RUN(value, "")
    assert str(told.value) == phrase


def test_null_and_unknown_fields_are_nothing_wrong() -> None:
    RUN({"format": 1, "steps": None, "new": {"of": ["a", "later", "version"]}}, "")


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "1" * 5000, b"\xff", "", '"\x01"'])
def test_a_text_that_is_no_json_is_misshapen(text: str | bytes) -> None:
    with pytest.raises(Misshapen):
        shape.parse(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_no_value_makes_a_shape_fail_in_another_way(value: Any) -> None:
    every = (RUN, shape.number, shape.floating, shape.text, shape.switch, shape.table(shape.maybe(shape.count)))
    for judge in (*every, shape.one_of("a", "b"), shape.either(shape.text, shape.number, wanted="a word")):
        with suppress(Misshapen):
            judge(value, "place")
