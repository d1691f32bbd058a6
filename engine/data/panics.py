"""What polars says of a file, told in one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from engine.base.errors import InputError
from engine.data import sentences


@contextmanager
def told(what: str) -> Iterator[None]:
    """Have what polars says told in a sentence: its errors, and its panics, which are no Exceptions.

    Args:
        what: the beginning of the sentence, such as "sales.csv cannot be read".
    """
    import polars as pl

    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        # What follows is for those who write the library: "Error { source_location: …".
        line = re.split(r":?\s*\w*\s*[{]", (str(error).strip().splitlines() or [""])[0])[0].rstrip(".")[:200]
        if not line or isinstance(error, pl.exceptions.PanicException):
            line = sentences.IS_DAMAGED()
        raise InputError(sentences.POLARS_FAILED(what=what, reason=line)) from None
