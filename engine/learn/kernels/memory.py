"""Running out of memory: told from other errors, survived, and answered with the batch size that fits.

Imports no torch: whoever drives a kernel can catch `OutOfMemory` without it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

from engine.learn import sentences

T = TypeVar("T")

# What torch's allocators and cuBLAS say (c10/core/impl/alloc_cpu.cpp, c10/cuda/CUDACachingAllocator.cpp, MPSAllocator).
WORDS = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "cublas_status_alloc_failed",
    "buffer size too big",
)


class OutOfMemory(Exception):
    """A step did not fit. The kernel stands where its last whole block of steps ended, and can still be asked.

    Attributes:
        step: updates taken.
        batch: rows of the batch that did not fit.
        fits: the largest batch that was tried and fitted; None where not even one row does.
        remedy, remedy_text: the recipe field to change, and the same in words; as `Ending` has them.

    Args:
        neighbour: another process that holds memory of the device, in words (see `engine.devices.driver`).
    """

    def __init__(self, device: str, step: int, batch: int, fits: int | None, neighbour: str = "") -> None:
        self.step, self.batch, self.fits = step, batch, fits
        self.remedy: dict[str, str] = {}
        self.remedy_text = ""
        beside = sentences.BESIDE_THIS_RUN(neighbour=neighbour) if neighbour else ""
        if fits is None:
            said = sentences.NO_ROW_FITS(device=device, rows=batch, beside=beside, step=step)
        elif fits >= batch:
            said = sentences.FITS_NOW(device=device, rows=batch, beside=beside, step=step)
        else:
            self.remedy, self.remedy_text = {"batch_size": str(fits)}, sentences.BATCH_SIZE(rows=fits)
            said = sentences.FEWER_FIT(device=device, rows=batch, fits=fits, size=str(fits), beside=beside, step=step)
        super().__init__(said)


def is_exhausted(error: BaseException) -> bool:
    """Whether an error says that memory has run out, on a device or on the host."""
    if isinstance(error, MemoryError):
        return True
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in WORDS)


def release() -> None:
    """Give back to the device what torch holds but does not use."""
    import gc

    gc.collect(1)  # what has just failed is young; old objects take a third of a second to go through
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def fits(attempt: Callable[[], object]) -> bool:
    """Whether some work fits into memory. Any other error is passed on."""
    exhausted = False
    try:
        attempt()
    except (RuntimeError, MemoryError) as error:
        if not is_exhausted(error):
            raise
        exhausted = True
    # Only here has the error gone, and with it the frames that held on to what had been allocated.
    if exhausted:
        release()
    return not exhausted


def halved(work: Callable[[int], T], size: int) -> T:
    """What `work(size)` gives, with half the size as often as memory runs out."""
    while True:
        try:
            return work(size)
        except (RuntimeError, MemoryError) as error:
            if size == 1 or not is_exhausted(error):
                raise
        release()
        size //= 2


def largest_batch(attempt: Callable[[int], object], above: int) -> int | None:
    """The largest power of two below `above` that fits, found by trying; None where one row does not."""
    size = 1 << max(0, (above - 1).bit_length() - 1)
    while size >= 1:
        if size < above and fits(lambda rows=size: attempt(rows)):  # type: ignore[misc]
            return size
        size //= 2
    return None
