"""Sentences as data: templates, fields, numbers, plurals and lists."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from engine.base.errors import InputError
from engine.base.sentence import Phrase, Sentence, Told, entitle, record

SKIPPED = Sentence("{rows:count empty line} of {file} {rows:was|were} skipped.")
NO_COLUMN = Sentence("{table} has no column {name!r}; it has {names:and}.")
FAILED = Sentence("{what} failed{said:if : *}.")
WHY = Phrase("it holds {n:count entry|entries}")

entitle({"__name__": "engine.data.sentences", "SKIPPED": SKIPPED, "NO_COLUMN": NO_COLUMN, "FAILED": FAILED, "WHY": WHY})


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (0, "0 empty lines of a.csv were skipped."),
        (1, "1 empty line of a.csv was skipped."),
        (2, "2 empty lines of a.csv were skipped."),
        (12345, "12,345 empty lines of a.csv were skipped."),
    ],
)
def test_numbers_and_plurals(rows: int, text: str) -> None:
    """One template says one and many."""
    assert SKIPPED(rows=rows, file="a.csv") == text


@pytest.mark.parametrize(
    ("template", "value", "text"),
    [
        ("{x:and}", [], "none"),
        ("{x:and}", ["a"], "a"),
        ("{x:and}", ("a", "b"), "a and b"),
        ("{x:and}", ["a", "b", "c"], "a, b and c"),
        ("{x:or}", ["a", "b", "c"], "a, b or c"),
        ("{x}", ["a", "b", "c"], "a, b, c"),
        ("{x}", [], "none"),
        ("{x:some}", [*"abcdefgh"], "a, b, c, d, e, f, g, h"),
        ("{x:some}", [*"abcdefghij"], "a, b, c, d, e, f, g, h and 2 more"),
        ("{x:bytes}", 999, "999 B"),
        ("{x:bytes}", 1_200_000_000, "1.2 GB"),
        ("{x:bytes}", 3e12, "3.0 TB"),
        ("{x:memory}", 80 * 2**20, "80 MiB"),
        ("{x:memory}", 10 * 2**30, "10.0 GiB"),
        ("{x:count}", 2000, "2,000"),
        ("{x:count entry|entries}", 1, "1 entry"),
        ("{x:count entry|entries}", 2000, "2,000 entries"),
        ("{x:.3g}", 0.12345, "0.123"),
        ("{x:if  (* more)}", 1234, " (1,234 more)"),
        ("{x:if  (* more)}", 0, ""),
        ("{x:if : *}", None, ""),
        ("{x:if : *}", "why", ": why"),
        ("{x:if  on *}", ["a", "b"], " on a, b"),
        ("{x!r}", "a b", "'a b'"),
        ("{{{x}}}", "a", "{a}"),
    ],
)
def test_what_stands_after_the_colon(template: str, value: object, text: str) -> None:
    """Every specification of the formatter."""
    assert Sentence(template)(x=value) == text


def test_a_sentence_keeps_its_id_and_fields() -> None:
    """Also in an error, in a copy and in another process."""
    told = NO_COLUMN(table=Path("a.csv"), name="x", names=("y", "z"))
    assert told.id == "data.no_column"
    assert told.fields == {"table": "a.csv", "name": "x", "names": ["y", "z"]}
    for same in (InputError(told).args[0], copy.deepcopy(told), pickle.loads(pickle.dumps(told))):
        assert same == "a.csv has no column 'x'; it has y and z."
        assert (same.id, same.fields) == (told.id, told.fields)
    assert InputError(told).sentence is told
    assert str(InputError(told)) == told


def test_a_plain_text_is_a_sentence_without_id() -> None:
    """What comes from elsewhere is kept as text."""
    assert InputError("from elsewhere").sentence == "from elsewhere"
    assert InputError("from elsewhere").sentence.id == ""
    assert record("from elsewhere") == {"text": "from elsewhere"}


def test_the_fields_are_exactly_those_of_the_template() -> None:
    """A field that is missing, or one too many, is a mistake in the program."""
    with pytest.raises(TypeError, match="skipped"):
        SKIPPED(rows=1)
    with pytest.raises(TypeError, match="more"):
        SKIPPED(rows=1, file="a.csv", more=2)


def test_a_record_holds_phrases_within_sentences() -> None:
    """As JSON, with every phrase as its own id and fields."""
    told = FAILED(what="a.csv", said=WHY(n=np.int64(2)))
    assert told == "a.csv failed: it holds 2 entries."
    kept = record(told)
    assert json.loads(json.dumps(kept)) == kept
    assert kept == {
        "id": "data.failed",
        "fields": {
            "what": "a.csv",
            "said": {"id": "data.why", "fields": {"n": 2}, "text": "it holds 2 entries"},
        },
        "text": "a.csv failed: it holds 2 entries.",
    }


def test_names_are_not_read_as_templates() -> None:
    """Braces and colons in a name stay as they are."""
    assert FAILED(what="{x}", said="{said:if *}") == "{x} failed: {said:if *}."
    assert isinstance(FAILED(what="", said=""), Told)
