"""A curve of somebody's log as CSV, with TensorBoard's own columns."""

from __future__ import annotations

from collections.abc import Iterator

from engine.watch.curve import LoggedCurve

BLOCK = 1 << 16  # lines made at once


def csv(curve: LoggedCurve) -> Iterator[str]:
    """The lines: Wall time, Step, Value; every point that was logged."""
    steps, walls, values = curve.points()
    yield "Wall time,Step,Value\n"
    for start in range(0, len(steps), BLOCK):
        part = slice(start, start + BLOCK)
        rows = zip(walls[part].tolist(), steps[part].tolist(), values[part].tolist(), strict=True)
        yield "".join(f"{wall!r},{step},{value!r}\n" for wall, step, value in rows)
