"""The list of runs without its screen: columns, order, what differs, and the language of its filter."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from engine.base.errors import InputError
from engine.recipe import choices
from engine.runs.store import RunInfo
from tests.conftest import message
from tui.screens.runs.columns import ColumnView, differing, fields, find, fitting, ordered
from tui.screens.runs.filter import DIGITS, parse


def info(name: str = "r", **more: Any) -> RunInfo:
    values: dict[str, Any] = {
        "state": "ended",
        "ended": "limit",
        "created": 1.0,
        "dataset": "houses",
        "normalization": "zscore",
    }
    values["model"] = "linear"
    return RunInfo(**{"name": name, "path": Path(name), **values, **more})


def passing(text: str, *runs: RunInfo) -> list[str]:
    wanted = parse(text)
    return [run.name for run in runs if wanted.accepts(run)]


# Columns.


def test_every_choice_of_the_recipe_and_every_figure_is_a_column() -> None:
    for choice in choices():
        if choice.name not in ("runs", "name"):
            assert find(choice.name) is not None, choice.name
    for name in ("gap", "kappa", "κ", "r2", "accuracy", "train_loss", "val_loss", "normalization", "batch-size", "Tag"):
        assert find(name) is not None, name
    assert len({one.heading for one in fields().values()}) == len(fields())
    for one in fields().values():
        assert len(one.heading) <= one.width, one.name


def test_a_choice_shows_what_the_run_had_or_the_default() -> None:
    known = fields()
    assert known["batch_size"].text(info(choices={"batch_size": 32})) == "32"
    assert known["seed"].text(info()) == "0"
    assert known["hidden"].text(info(model="mlp", choices={"hidden": [8, 4]})) == "8,4"
    assert known["hidden"].text(info(model="linear")) == ""
    assert known["r2"].text(info(figures={"r2": 0.98765})) == "0.9877"
    assert known["seed"].text(info(state="damaged")) == ""
    assert known["tags"].text(info(tags=("a", "b"))) == "a, b"


def test_as_many_columns_as_find_room_and_always_one() -> None:
    names = ("lr", "loss", "gap")
    assert fitting(names, 100, 0).names == names
    assert fitting(names, 22, 0) == fitting(names, 22, -3)
    found = fitting(names, 14, 1)
    assert (found.names, found.before, found.after) == (("loss",), 1, 1)
    assert fitting(names, 1, 9).names == ("gap",)


def test_a_view_is_kept_as_plain_data_and_what_is_no_good_is_left_out() -> None:
    view = ColumnView(("lr", "kappa"), True, "loss", False)
    assert ColumnView.of(view.state()) == view
    assert ColumnView.of({"columns": ["lr", "nonsense", 5], "sort": "nonsense", "down": "x"}) == ColumnView(("lr",))
    for state in (None, 5, [], {}, {"columns": 5, "sort": []}):
        assert ColumnView.of(state) == ColumnView()


# Order.


def test_live_runs_come_first_whatever_the_order_and_missing_values_last() -> None:
    runs = [
        info("old", created=1.0, train_loss=3.0),
        info("none", created=2.0),
        info("live", created=0.5, state="running", train_loss=9.0),
        info("new", created=3.0, train_loss=1.0),
        info("foreign", state="no run", created=0.0),
    ]

    def names(view: ColumnView) -> list[str]:
        return [run.name for run in ordered(runs, view)]

    assert names(ColumnView()) == ["live", "new", "none", "old", "foreign"]
    assert names(ColumnView(sort="age", down=False)) == ["live", "old", "none", "new", "foreign"]
    assert names(ColumnView(sort="loss", down=False)) == ["live", "new", "old", "none", "foreign"]
    assert names(ColumnView(sort="loss", down=True)) == ["live", "old", "new", "none", "foreign"]
    assert names(ColumnView(sort="run", down=False)) == ["live", "new", "none", "old", "foreign"]


def test_only_what_differs() -> None:
    runs = [
        info("a", lr=0.1, train_loss=1.0, choices={"batch_size": 8, "device": "cpu"}),
        info("b", lr=0.1, train_loss=2.0, choices={"batch_size": 9, "device": "cpu"}),
        info("c", lr=0.1, train_loss=2.0, choices={"batch_size": 9, "device": "cpu", "seed": 3}),
        info("damaged", state="damaged", choices={}),
    ]
    assert differing(runs, ("loss", "gap", "lr")) == ("batch_size", "seed", "loss")
    assert differing(runs[:1], ("loss",)) == ()
    assert differing([], ("loss",)) == ()


# The filter.


RUNS = [
    info("a", lr=0.1, normalization="zscore", train_loss=0.5, tags=("good", "first try"), choices={"batch_size": 32}),
    info("b", lr=0.01, normalization="none", ended="diverged", note="too fast", choices={"batch_norm": True}),
    info("kitchen", lr=0.4712345, normalization="robust", dataset="/data/my shops.csv", val_loss=2.0),
    info("big", normalization="max", steps=12_000, choices={"hidden": [64, 64], "loss": "huber"}, model="mlp"),
    info("live", state="running", created=time.time() - 60, normalization="minmax"),
]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "a b kitchen big live"),
        ("lr<0.1", "b"),
        ("lr<=0.1 normalize=zscore", "a"),
        ("normalize=zscore,robust", "a kitchen"),
        ("normalize!=zscore,robust", "b big live"),
        ("!normalize=zscore !diverged", "kitchen big live"),
        ("KITCHEN", "kitchen"),
        ('"too fast"', "b"),
        ('tag="first try"', "a"),
        ("tag=first", ""),
        ("tag=fir*", "a"),
        ("good", "a"),
        ("state=done", "a kitchen big"),
        ("state=ended", "a b kitchen big"),
        ("diverged", "b"),
        ("state=running", "live"),
        ("lr=0.4712", "kitchen"),
        ("lr=0.471", ""),
        ("lr=0.1,0.01", "a b"),
        ("steps>10k", "big"),
        ("steps>=1.2e4", "big"),
        ("hidden=64,64", "big"),
        ("batch_size=32", "a"),
        ("batch-size=full", ""),
        ("batch_norm=true", "b"),
        ("loss=huber", "big"),
        ("loss<1", "a"),
        ('dataset="my shops"', "kitchen"),
        ("dataset=/data/*", "kitchen"),
        ("dataset=houses", "a b big live"),
        ("age<2h", "live"),
        ("age>1d", "a b kitchen big"),
        ("val_loss>1", "kitchen"),
        ("epochs=auto", "a b kitchen big live"),
        ("val=auto lr<0.05", "b"),
        ("val = auto  lr < 0.05", "b"),
    ],
)  # fmt: skip
def test_the_filter_says_which_runs(text: str, wanted: str) -> None:
    assert passing(text, *RUNS) == wanted.split()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("speeed<3", "There is no column speeed; did you mean speed?"),
        ("zzzz=3", "There is no column zzzz; h lists them all."),
        ("lr<", "After lr< the value is missing."),
        ("lr<fast", "lr< takes a number like lr<0.1, and fast is none."),
        ("normalize<zscore", "normalize is a word and has no order; write normalize=zscore."),
        ("age<soon", "age< takes a time like age<2h, and soon is none."),
        ("lr<1,2", "lr< takes one number; several go with lr=."),
        ('tag="good', 'A quote is not closed: "a name with spaces" has two.'),
        ("<3", "Before < the name of a column is missing: lr<3."),
        (
            "normalize=zscore,zs",
            "normalize is one of none, max, minmax, zscore, robust, and zs is none of them.",
        ),
        ("!", "After ! the word is missing that the runs shall not have."),
    ],
)
def test_a_mistake_is_told_in_one_sentence(text: str, told: str) -> None:
    assert message(lambda: parse(text)) == told


def test_sizes_may_be_typed_as_the_list_shows_them() -> None:
    small, big = info("small", bytes=334_000), info("big", bytes=2_000_000)
    assert passing("size<1MB", small, big) == ["small"]
    assert passing("size>400kB size<1G", small, big) == ["big"]
    assert passing("size=334kB", small, big) == ["small"]
    assert "2MB" in message(lambda: parse("size<x"))


# The same, against a plain evaluation.

WORDS = ("zscore", "none", "max", "minmax", "robust")
NUMBERS = some.sampled_from([0.0, 1e-3, 0.1, 0.5, 1.0, 32.0, 1e4]) | some.floats(1e-6, 1e6).map(
    lambda x: float(f"{x:.3g}")
)
SIGNS = ("=", "!=", "<", "<=", ">", ">=")


@some.composite
def runs(draw: Any) -> RunInfo:
    return info(
        draw(some.text("ab", max_size=3)),
        normalization=draw(some.sampled_from(WORDS)),
        lr=draw(some.none() | NUMBERS),
        train_loss=draw(some.none() | NUMBERS),
        note=draw(some.text("abc ", max_size=4)),
        tags=tuple(draw(some.lists(some.sampled_from(["x", "y", "ab"]), max_size=2, unique=True))),
        choices=draw(some.fixed_dictionaries({}, optional={"batch_size": some.integers(1, 40)})),
        figures=draw(some.fixed_dictionaries({}, optional={"r2": NUMBERS})),
    )


@some.composite
def terms(draw: Any) -> tuple[str, Any]:
    """A word of a filter, and what it means."""
    kind = draw(some.sampled_from(["number", "word", "free", "tag"]))
    if kind == "number":
        name, get = draw(some.sampled_from([
            ("lr", lambda run: run.lr), ("loss", lambda run: run.train_loss), ("r2", lambda run: run.figures.get("r2")),
            ("batch_size", lambda run: run.choices.get("batch_size")),
        ]))  # fmt: skip
        sign, number = draw(some.sampled_from(SIGNS)), draw(NUMBERS)

        def plain(run: RunInfo) -> bool:
            value = get(run)
            if value is None:
                return bool(sign == "!=")
            near = float(f"{value:.{DIGITS}g}") == float(f"{number:.{DIGITS}g}")
            return bool({
                "=": near, "!=": not near, "<": value < number, "<=": value <= number, ">": value > number,
                ">=": value >= number,
            }[sign])  # fmt: skip

        found, meant = f"{name}{sign}{number!r}", plain
    elif kind == "word":
        some_words = draw(some.lists(some.sampled_from(WORDS), min_size=1, max_size=3))
        turned = draw(some.booleans())
        found = f"normalize{'!=' if turned else '='}{','.join(some_words)}"
        meant = lambda run: (run.normalization in some_words) != turned  # noqa: E731
    elif kind == "tag":
        tag = draw(some.sampled_from(["x", "y", "ab", "q"]))
        found, meant = f"tag={tag}", lambda run: tag in run.tags
    else:
        word = draw(some.sampled_from(["a", "ab", "ba", "x", "houses"]))
        found = word
        meant = lambda run: any(word in part for part in (run.name, run.dataset, run.note, *run.tags, "done"))  # noqa: E731
    if draw(some.booleans()):
        return f"!{found}", lambda run: not meant(run)
    return found, meant


@given(some.lists(terms(), max_size=4), some.lists(runs(), max_size=6))
def test_all_words_of_a_filter_must_hold_as_plain_code_says(words: list[tuple[str, Any]], found: list[RunInfo]) -> None:
    wanted = parse("  ".join(text for text, _ in words))
    for run in found:
        assert wanted.accepts(run) == all(meant(run) for _, meant in words), (words, run)


@given(some.text(max_size=20))
def test_whatever_is_typed_is_understood_or_told_in_one_sentence(text: str) -> None:
    try:
        wanted = parse(text)
    except InputError:
        assert message(lambda: parse(text)).endswith((".", "?"))
        return
    for run in RUNS:
        wanted.accepts(run)


def test_losses_that_differ_by_rounding_stand_with_the_newest_first_and_are_told_as_zero() -> None:
    base = {"baseline_loss": 2500.0}
    losses = {"a": 6e-26, "b": 0.0, "c": 2e-26, "d": 3.0, "e": 3.0 * (1 + 4e-16)}
    rest = [
        info(name, created=float(at), train_loss=loss, gap=loss / 2500, figures=base)
        for at, (name, loss) in enumerate(losses.items())
    ]
    for column in ("loss", "gap"):
        assert [run.name for run in ordered(rest, ColumnView(sort=column, down=False))] == ["c", "b", "a", "e", "d"]
        assert [fields()[column].text(run) for run in rest[:3]] == ["≈ 0"] * 3
    assert fields()["loss"].text(info(train_loss=6e-26)) == "6e-26", "of an old run, which does not say its size"
    assert fields()["accuracy"].text(info(figures={"accuracy": 0.0})) == "0"
    assert fields()["r2"].text(info(figures={"r2": -2e-16})) == "≈ 0"
    assert fields()["rmse"].text(info(figures={"rmse": 1e-13, **base})) == "≈ 0"
