"""What the app asks of a run, and how it gets one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from engine.recipe import Recipe
    from engine.training.snapshot import Snapshot


class RunHandle(Protocol):
    """The part of `engine.training.session.Session` that is used. Every command returns at once."""

    @property
    def recipe(self) -> Recipe: ...
    def start(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def step(self) -> None: ...
    def stop(self, reason: Any = ...) -> None: ...
    def change(self, field: str, value: Any) -> None: ...
    def checkpoint(self) -> None: ...
    def pace(self, seconds: float | None) -> None: ...
    def snapshot(self) -> Snapshot: ...
    def join(self, timeout: float) -> bool: ...


@runtime_checkable
class Failable(RunHandle, Protocol):
    """A run that keeps the exception that ended it."""

    @property
    def failure(self) -> BaseException | None: ...


Opener = Callable[..., RunHandle]


def open_session(recipe: Recipe, **options: Any) -> RunHandle:
    """A real run. The engine is imported at the first one."""
    from engine.training.session import Session

    return Session(recipe, **options)
