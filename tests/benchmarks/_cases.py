"""Kernels for benchmarks: from flat recipe fields and arrays or a built-in set."""

from __future__ import annotations

from typing import Any

from engine.data.prepare import Prepared, prepare
from engine.data.sources import load
from engine.data.table import Table
from engine.learn.curvature import LossSurfaceFacts
from engine.learn.kernels.choose import choose, open_kernel
from engine.learn.kernels.contract import Kernel
from engine.learn.plan import Plan, make_architecture, make_facts, make_plan
from engine.recipe import build


class Case:
    """A recipe made definite, as `Run.prepare` does."""

    def __init__(self, rows: Table | None = None, **fields: Any) -> None:
        recipe = build({"val": 0, "l2": 0, "schedule": "constant"} | fields)
        table = load(recipe.data) if rows is None else rows
        self.prepared: Prepared = prepare(recipe.data, recipe.normalization, table)
        architecture, loss = make_architecture(recipe, self.prepared)
        self.facts: LossSurfaceFacts = make_facts(recipe, self.prepared, architecture, loss)
        self.plan: Plan = choose(recipe, make_plan(recipe, self.prepared, self.facts, "cpu"), self.facts)

    def kernel(self) -> Kernel:
        """At the initial parameters."""
        return open_kernel(self.plan, self.prepared, self.facts)

    def train(self, steps: int) -> Any:
        """Open a kernel and take the steps; all losses."""
        return self.kernel().advance(steps)
