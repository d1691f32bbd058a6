"""The screens in the states that a person meets them in: each the same whenever and wherever it is made."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from engine.devices import DeviceInfo
from engine.training.snapshot import Phase
from tests.tui.still import Opener

SIZES = ((160, 45), (120, 36), (80, 24))
DEVICES = (
    DeviceInfo("cpu", "8 cores", True, "usable", memory=64 << 30, free=48 << 30),
    DeviceInfo("cuda:0", "NVIDIA H100", True, "usable", memory=80 << 30, free=78 << 30),
    DeviceInfo("cuda:1", "Tesla K80", False, "its sm_37 is older than this torch was built for (sm_50 and newer)"),
)
CHINESE = "面积,房龄,城市,价格\n" + "".join(
    f"{40 + 7 * i % 90},{i % 12},{('北京', '上海', '广州')[i % 3]},{60 + 2 * (40 + 7 * i % 90) - 3 * (i % 12)}\n"
    for i in range(40)
)
SALES = "shop,visitors,weekday,sales\n" + "".join(
    f"{('Ost', 'West')[i % 2]},{100 + 37 * i % 400},{('Mo', 'Di', 'Mi', 'Do', 'Fr')[i % 5]},{900 + 11 * i % 1700}\n"
    for i in range(60)
)
AGE = 3.2 * 3600  # seconds before now that runs seem to be from, so that a slow machine does not make them older
FAST = {"pace": "max", "threads": 1, "backend": "auto", "tensorboard": False}

Play: TypeAlias = Callable[[Any], Awaitable[None]]


async def nothing(_driver: Any) -> None:
    """As it opens."""


@dataclass(frozen=True)
class Scene:
    """A state of the app: what the panels begin with, and the keys that lead there."""

    values: dict[str, Any] = field(default_factory=dict)
    play: Play = nothing
    opener: Opener | None = None
    files: dict[str, str] = field(default_factory=dict)  # in the present folder

    def write(self, folder: Path) -> None:
        """Its files."""
        for name, text in self.files.items():
            (folder / name).write_text(text, encoding="utf-8")


def calm(path: Path) -> None:
    """Take what the clock says out of a run folder."""
    facts = json.loads((path / "run.json").read_text())
    facts["created"] -= AGE
    if facts.get("result"):
        facts["result"] |= {"seconds": 2.0, "steps_per_second": 500.0}
    (path / "run.json").write_text(json.dumps(facts))


async def ended(driver: Any) -> None:
    """A run from beginning to end."""
    await driver.press("space")
    await driver.done()
    calm(driver.app.workspace.snapshot.run)
    await driver.see("steps", pane="top")


async def question(driver: Any) -> None:
    """Code that nobody asked for is asked about."""
    await driver.until(lambda: "run this code?" in driver.text(), "the question")


async def standing(driver: Any) -> None:
    """A run that stands still."""
    await driver.press("space")
    await driver.until(lambda: driver.app.workspace.phase in ("training", "paused", "failed"), "the run")
    await driver.until(lambda: "appear with the first step" not in driver.text("weights"), "the weights")


def then(first: Play, *keys: str, sees: tuple[str, ...] = (), mode: str = "") -> Play:
    """Play, press keys, wait for words."""

    async def play(driver: Any) -> None:
        await first(driver)
        await driver.press(*keys)
        if mode:
            await driver.until(lambda: driver.app.current_mode == mode, mode)
        await driver.see(*sees)

    return play


async def three_runs(driver: Any) -> None:
    """A few runs to list."""
    for values in (
        {"name": "first"},
        {"name": "second", "normalize": "minmax", "lr": 0.05},
        {"name": "third", "normalize": "none", "lr": 0.5},
    ):
        driver.app.workspace.set(values)
        await driver.ready()
        await ended(driver)


async def marked_runs(driver: Any) -> None:
    """Runs over each other, and a filter with a mistake."""
    await three_runs(driver)
    await driver.press("r")
    await driver.see("3 runs", "optimum")
    await driver.press("m", "m", "L")
    await driver.see("2 marked", "log x")
    await driver.until(lambda: len(driver.app.screen.curves.curves) == 2, "both curves")
    await driver.press("slash")
    await driver.until(lambda: driver.app.screen.prompt.ask is not None, "the filter")
    await driver.type("lr")
    await driver.press("less_than_sign")
    await driver.see("the value is missing")


async def typed_target(driver: Any) -> None:
    """A wrong learning rate, half typed."""
    await driver.press("3", "enter", "minus", "1")
    await driver.see("must be")


async def waiting_choice(driver: Any) -> None:
    """A normalization chosen during a run."""
    await standing(driver)
    await driver.press("2", "up", "enter")
    await driver.until(lambda: driver.app.workspace.later, "the choice that waits")


async def chinese_prediction(driver: Any) -> None:
    """Predict with a Chinese table, one category unknown."""
    await ended(driver)
    await driver.press("p")
    await driver.see("面积", pane="form")


async def outside(driver: Any) -> None:
    """Predict classes with a value outside of the training range."""
    await ended(driver)
    await driver.press("p")
    await driver.see("petal", pane="form")
    await driver.press("enter")
    await driver.type("99")
    await driver.press("enter")
    await driver.see("outside", pane="way")


async def scratchpad(driver: Any) -> None:
    """The scratchpad, as it opens."""
    await driver.palette("gradient of", "Gradient of an expression")
    await driver.until(lambda: driver.app.current_mode == "scratchpad", "the scratchpad")


async def crosshair(driver: Any) -> None:
    """A chart shown alone, with its crosshair."""
    await ended(driver)
    while getattr(driver.app.focused, "id", "") != "chart":
        await driver.press("tab")
    await driver.press("enter", *(["comma"] * 60))
    await driver.see("step ", "validation", pane="chart")


async def raced(driver: Any) -> None:
    """A race under every normalization, at its end."""
    await driver.press("N")
    await driver.until(lambda: driver.app.current_mode == "race", "the race")
    await driver.until(
        lambda: not driver.app.workspace.live and driver.text().count("done") >= 4, "the end of the race"
    )


HOUSES = {**FAST, "dataset": "houses", "name": "houses-run"}
TITANIC = {**FAST, "dataset": "titanic", "name": "titanic-run", "epochs": 30}
IRIS = {**FAST, "dataset": "iris", "name": "iris-run", "epochs": 40}
SHOP = {**FAST, "dataset": "房价.csv", "target": "价格", "name": "房价-run", "epochs": 200}
MLP = {**FAST, "dataset": "moons", "model": "mlp", "precision": "float64", "name": "moons-run", "epochs": 20}
DIABETES = {**FAST, "dataset": "diabetes", "name": "diabetes-run", "epochs": 50}
CHINA = {"房价.csv": CHINESE}

SCENES: dict[str, Scene] = {
    "train-empty": Scene(HOUSES),
    "train-training": Scene({**TITANIC, "epochs": "auto", "steps": 3300}, standing, Opener(1400)),
    "train-paused": Scene({**HOUSES, "lr": 0.05}, standing, Opener(60, Phase.PAUSED)),
    "train-choice-waits": Scene(HOUSES, waiting_choice, Opener(100)),
    "train-diverged": Scene({**HOUSES, "normalize": "none", "lr": 0.002}, ended),
    "train-finished": Scene(HOUSES, ended),
    "train-classes": Scene(IRIS, ended),
    "train-network": Scene(MLP, ended),
    "train-failed": Scene(HOUSES, standing, Opener(50, Phase.FAILED, "The runs folder is full: free some space.")),
    "train-no-file": Scene({**FAST, "dataset": "sales.csv"}),
    "train-no-target": Scene({**FAST, "dataset": "sales.csv"}, files={"sales.csv": SALES}),
    "train-wrong-number": Scene(HOUSES, typed_target),
    "train-chinese": Scene(SHOP, ended, files=CHINA),
    "train-crosshair": Scene(TITANIC, crosshair),
    "race": Scene({**FAST, "dataset": "houses", "steps": 200}, raced),
    "data": Scene(TITANIC, then(nothing, "d", sees=("columns of titanic",))),
    "data-chinese": Scene(SHOP, then(nothing, "d", sees=("columns of",)), files=CHINA),
    "data-error": Scene(
        {**FAST, "dataset": "sales.csv"}, then(nothing, "d", sees=("Choose which column",)), files={"sales.csv": SALES}
    ),
    "runs-empty": Scene(HOUSES, then(nothing, "r", sees=("No runs",))),
    "runs": Scene(FAST, then(three_runs, "r", sees=("3 runs", "optimum"))),
    "runs-marked": Scene(FAST, marked_runs),
    "predict-empty": Scene(HOUSES, then(nothing, "p", sees=("no trained run",))),
    "predict": Scene(HOUSES, then(ended, "p", sees=("adds", "price"))),
    "predict-classes": Scene(IRIS, outside),
    "predict-chinese": Scene(SHOP, chinese_prediction, files=CHINA),
    "evaluate-empty": Scene(HOUSES, then(nothing, "a", mode="evaluate")),
    "evaluate": Scene(DIABETES, then(ended, "a", sees=("rmse",))),
    "evaluate-classes": Scene(TITANIC, then(ended, "a", sees=("accuracy",))),
    "code": Scene(HOUSES, then(nothing, "o", sees=("import",))),
    "finder": Scene({**TITANIC, "seed": 1}, then(nothing, "F", sees=("Suggested",))),
    "rewind": Scene({**HOUSES, "checkpoint_every": 200}, then(ended, "w", sees=("checkpoints of", "400"))),
    "log": Scene(HOUSES, then(ended, "G", mode="log", sees=("All 1,000 steps",))),
    "scratchpad": Scene(HOUSES, scratchpad),
    "ending": Scene({**HOUSES, "normalize": "none", "lr": 0.002}, then(ended, "i", sees=("saved to",))),
    "quit": Scene(HOUSES, then(standing, "q", sees=("save it and quit",)), Opener(100)),
    "trust": Scene({**FAST, "dataset": "notes:load", "model": "notes:Net"}, question, files={"notes.py": "\n"}),
    "picker": Scene(HOUSES, then(nothing, "1", "home", "enter", sees=("path",)), files={"sales.csv": SALES, **CHINA}),
    "help": Scene(HOUSES, then(nothing, "question_mark", mode="help")),
}  # fmt: skip
