"""A run as a Markdown page: what was asked, what the data were, what came out, and the curves as text."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.base.errors import InputError
from engine.base.loss_history import History
from engine.base.rounding import ZERO, is_rounding, raised, vanishes
from engine.learn.rounded import Rounded, reach
from engine.recipe import choices, read_toml
from engine.registry import metrics
from engine.registry.losses import MSE
from engine.runs import braille, predictor, sentences, tags
from engine.runs.choices import idle, known
from engine.runs.curves import left_out, read_evaluations
from engine.runs.facts import decision, read_facts, went_on
from engine.runs.markup import code, code_line, escaped, line, row, toml

WIDTH, HEIGHT = 64, 10  # of a chart, in characters
MOST_WEIGHTS = 40  # rows of the table of weights
FIGURES = {
    "train_loss": sentences.TRAIN_LOSS(),
    "val_loss": sentences.VALIDATION_LOSS(),
    "optimum_loss": sentences.OPTIMUM_LOSS(),
    "gap": sentences.GAP(),
    "baseline_loss": sentences.BASELINE_LOSS(),
    "condition_number": sentences.CONDITION_NUMBER(),
    "lr": sentences.LAST_RATE(),
    "lr_bound": sentences.STABLE_RATE(),
    "steps": sentences.STEPS(),
    "epochs": sentences.EPOCHS(),
    "seconds": sentences.SECONDS(),
    "steps_per_second": sentences.PACE(),
}


def markdown(run: Path) -> str:
    """The page. Raises InputError where the folder is no run."""
    facts = read_facts(run)
    parts = [f"# {escaped(run.resolve().name)}\n", _head(facts), _result(facts), _metrics(facts), _weights(run, facts)]
    parts += [_curves(run), _choices(run, facts), _data(facts)]
    return "\n".join(part for part in parts if part)


def _head(facts: Mapping[str, Any]) -> str:
    lines = [line(facts.get("ending") or sentences.NOT_ENDED()), ""]
    made = facts.get("created")
    if isinstance(made, int | float):
        lines.append(
            sentences.BEGUN(
                time=time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(made)), host=escaped(facts.get("host", "?"))
            )
        )
    parts = [f"{step:,}" for step in went_on(facts)]
    lines += [sentences.RESUMED_AT(steps=parts)] if parts else []
    versions = facts.get("versions") or {}
    backend, precision, device, threads = (
        escaped(facts.get(name, "?")) for name in ("backend", "precision", "device", "threads")
    )
    numbers = [f"{escaped(name)} {escaped(value)}" for name, value in versions.items()]
    lines.append(
        sentences.MADE_WITH(backend=backend, precision=precision, device=device, threads=threads, versions=numbers)
    )
    if facts.get("command"):
        lines += ["", code_line(str(facts["command"]))]
    if facts.get("git_commit"):
        lines += ["", sentences.GIT_COMMIT(commit=escaped(facts["git_commit"]))]
    return "\n".join(lines) + "\n"


def _result(facts: Mapping[str, Any]) -> str:
    result = facts.get("result") or {}
    base = result.get("baseline_loss")
    sizes = {"gap": 1.0} | dict.fromkeys(("train_loss", "val_loss", "optimum_loss"), base)
    rows = [
        (words, ZERO if vanishes(result[key], sizes.get(key)) else _figure(result[key]))
        for key, words in FIGURES.items()
        if result.get(key) is not None
    ]
    return _table(sentences.RESULT(), ("", ""), rows)


def _metrics(facts: Mapping[str, Any]) -> str:
    found = (facts.get("result") or {}).get("metrics") or {}
    splits = [split for split in ("train", "validation", "test") if found.get(split)]
    names = list(dict.fromkeys(name for split in splits for name in found[split]))
    base = (facts.get("result") or {}).get("baseline_loss")
    loss = str((facts.get("choices") or {}).get("loss", MSE.name))
    rows = []
    for name in names:
        of, nothing = metrics.size(name, base, loss), vanishes if name in metrics.ERRORS else is_rounding
        values = [found[split].get(name) for split in splits]
        rows.append((name, *(ZERO if nothing(value, of) else _figure(value) for value in values)))
    text = _table(sentences.METRICS(), ("", *splits), rows)
    how = decision(facts)
    return f"{text}\n{sentences.METRICS_OF_IT(decision=escaped(how.sentence))}\n" if text and how else text


def _weights(run: Path, facts: Mapping[str, Any]) -> str:
    result = facts.get("result") or {}
    raw, scaled, features = result.get("weights_raw"), result.get("weights_scaled"), result.get("features") or []
    if raw is None or scaled is None:
        return ""
    classes = result.get("classes") or []
    normalized, own = _reach(run)
    raws = _shown(raw, result["bias_raw"], own)
    names = [*features, "bias"]
    if raw and isinstance(raw[0], list):
        rows = [(name, *row) for name, row in zip(names, raws, strict=True)]
        return _table(sentences.RAW_WEIGHTS(), ("feature", *classes), _short(rows))
    scales = _shown(scaled, result["bias_scaled"], normalized)
    rows = [(name, *raw_one, *one) for name, raw_one, one in zip(names, raws, scales, strict=True)]
    return _table(sentences.WEIGHTS(), ("feature", sentences.RAW(), "normalized"), _short(rows))


def _reach(run: Path) -> tuple[Any, Any]:
    """How large the features are about; (None, None) where that is not known."""
    try:
        model = predictor.load(run)
        return reach(model.normalizer, model.inputs)
    except InputError:
        return None, None


def _shown(weights: list[Any], bias: Any, reach: Any) -> list[list[str]]:
    """The texts of weights [d] or [d][k], and of the bias, a row for each."""
    w, b = np.array(weights, np.float64), np.atleast_1d(np.array(bias, np.float64))
    w = w.reshape(len(w), len(b))
    small = Rounded.of(w, b, reach)
    values, nothing = np.vstack([w, b]), np.vstack([small.weights, small.bias])
    return [
        [ZERO if tiny else _figure(None if value != value else value) for value, tiny in zip(row, flags, strict=True)]
        for row, flags in zip(values.tolist(), nothing.tolist(), strict=True)
    ]


def _short(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    if len(rows) <= MOST_WEIGHTS:
        return rows
    left_out = len(rows) - MOST_WEIGHTS
    return [*rows[: MOST_WEIGHTS - 1], (sentences.MORE_ROWS(rows=left_out), *[""] * (len(rows[0]) - 1)), rows[-1]]


def _curves(run: Path) -> str:
    parts = []
    try:
        history = History.open(run / "loss.f64")
    except (FileNotFoundError, InputError):
        history = None
    if history is not None and len(history) > 1:
        edges = np.linspace(0, len(history), min(2 * WIDTH, len(history)) // 2 * 2 + 1).astype(np.int64)
        cut = history.columns(edges)
        low, high = raised(cut.low, history.first), raised(cut.high, history.first)
        log = _spans_decades(low, high)
        lines = braille.chart(low, high, height=HEIGHT, log=log, span=(0, len(history) - 1))
        parts.append(_drawing(tags.TRAIN, lines, log))
    tracks: dict[str, tuple[list[int], list[float]]] = {}
    for step, values in read_evaluations(run):
        for tag, value in values.items():
            steps, found = tracks.setdefault(tag, ([], []))
            steps.append(step)
            found.append(value)
    for tag, (steps, found) in sorted(tracks.items()):
        if len(steps) > 1:
            low, high = braille.columns(steps, raised(np.array(found), found[0]), 2 * WIDTH)
            log = tag.startswith("loss/") and _spans_decades(low, high)
            lines = braille.chart(low, high, height=HEIGHT, log=log, span=(steps[0], steps[-1]))
            parts.append(_drawing(tag, lines, log))
    bad = left_out(run)
    parts += [f"{line(bad)}\n"] if bad else []
    return "\n".join(["## Curves\n", *parts]) if parts else ""


def _spans_decades(low: Any, high: Any) -> bool:
    known = np.isfinite(low)
    return bool(known.any()) and float(low[known].min()) > 0 and float(high[known].max()) > 20 * float(low[known].min())


def _drawing(tag: str, lines: list[str], log: bool) -> str:
    title = (sentences.LOGARITHMIC_BY_STEP if log else sentences.BY_STEP)(tag=escaped(tag))
    return f"{title}\n\n```text\n" + "\n".join(lines) + "\n```\n"


def _choices(run: Path, facts: Mapping[str, Any]) -> str:
    try:
        recipe = read_toml(run)
    except InputError as error:
        return f"## Recipe\n\n{line(error)}\n"
    changed = recipe.changed().keys() - idle(facts, recipe).keys()
    rows = [(c.label, code(c.show(recipe.get(c.name)))) for c in choices() if c.name in changed]
    text = _table(sentences.CHOICES(), ("", ""), rows)
    events = [(f"{e.step:,}", e.field, str(e.value)) for e in recipe.events]
    text += "\n" + _table(sentences.CHANGES(), (sentences.BEFORE_UPDATE(), "field", "value"), events) if events else ""
    return f"{text}\n<details><summary>recipe.toml</summary>\n\n{toml(known(facts, recipe).to_toml())}\n</details>\n"


def _data(facts: Mapping[str, Any]) -> str:
    data = facts.get("data") or {}
    rows = [(name, str(data[name])) for name in ("source", "table", "target", "fingerprint") if data.get(name)]
    counted = ", ".join(f"{count:,} {split}" for split, count in (data.get("rows") or {}).items())
    rows += [("rows", counted)] if counted else []
    rows += [("features", ", ".join(data["features"][:MOST_WEIGHTS]))] if data.get("features") else []
    notes = "".join(f"- {line(note)}\n" for note in data.get("notes") or [])
    return _table(sentences.DATA(), ("", ""), rows) + (f"\n{notes}" if notes else "")


def _table(title: str, head: tuple[str, ...], rows: list[Any]) -> str:
    if not rows:
        return ""
    lines = [f"## {title}\n", row(head), "|---" * len(head) + "|", *map(row, rows)]
    return "\n".join(lines) + "\n"


def _figure(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.6g}"
    return f"{value:,.0f}" if isinstance(value, int | float) and abs(value) < 1e15 else f"{value}"
