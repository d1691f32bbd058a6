"""Records of a text table that have not as many cells as its header, told by their lines."""

from __future__ import annotations

import csv
import io

from engine.base.errors import InputError
from engine.data import sentences
from engine.data.dialect import Dialect


def refuse_short(piece: bytes, rows: int, layout: Dialect, name: str, above: int) -> None:
    """Raise InputError for the first record of a piece that polars has filled up.

    They leave gaps in the last column, which are worth a count of the separators.

    Args:
        rows: of the piece.
        layout, name, above: see `refuse`.
    """
    separators = piece.count(layout.separator.encode())
    if b'"' in piece or separators != rows * (len(layout.names) - 1):
        refuse(piece, layout, name, above)


def refuse(piece: bytes, layout: Dialect, name: str, above: int) -> None:
    """Raise InputError for the first record of a piece that has not as many cells as the header, if there is one.

    Args:
        layout: of the table.
        name: of its file.
        above: lines of the file above the piece.
    """
    width = len(layout.names)
    reader = csv.reader(io.StringIO(piece.decode("utf-8", "replace"), newline=""), delimiter=layout.separator)
    begin = 0
    try:
        for record in reader:
            if record and len(record) != width:
                line = above + begin + 1
                several = reader.line_num - begin > 1
                remedy = sentences.FILL_ROW() if len(record) < width else sentences.QUOTE_SEPARATORS()
                if several:
                    remedy = sentences.CLOSE_QUOTES()
                raise InputError(sentences.RAGGED(file=name, line=line, cells=len(record), header=width, remedy=remedy))
            begin = reader.line_num
    except csv.Error as error:
        raise InputError(sentences.BAD_QUOTES(file=name, line=above + begin + 1, reason=error)) from None
