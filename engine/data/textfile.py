"""A text file as UTF-8 bytes in pieces that end where a record ends, whatever it is written in.

Plain, gzip or zstd; UTF-8 (with or without byte order mark), UTF-16, UTF-32, or Windows-1252 where it is none of these;
lines ended by \\n, \\r\\n or the old \\r.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from engine.base.errors import InputError
from engine.base.files import open_regular, unreadable
from engine.data import sentences
from engine.data.panics import told
from engine.devices.room import check_room

PIECE = 8 * 2**20
"""Bytes parsed at once. Memory of this size is used again by the next piece; from 32 MiB on glibc gives it back to the
system each time, and touching fresh pages costs more than reading the file."""

HEAD = 2**20
"""Bytes looked at before anything is decided."""

_TAIL = 2**16
_TIMES_UNPACKED = 4  # copies of the text that unpacking zstd makes on its way
_MOST_HELD = 16  # pieces held back while waiting for a quote to close

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"

_OTHER_FORMATS = (
    (b"PK\x03\x04", sentences.EXCEL()),
    (b"\xd0\xcf\x11\xe0", sentences.OLD_EXCEL()),
    (b"%PDF", sentences.PDF()),
    (b"\x89PNG", sentences.IMAGE()),
    (b"\xff\xd8\xff", sentences.IMAGE()),
    (b"GIF8", sentences.IMAGE()),
    (b"\x89HDF", sentences.HDF5()),
    (b"SQLite format 3", sentences.SQLITE()),
    (b"\x7fELF", sentences.PROGRAM()),
    (b"BZh", sentences.BZIP2()),
    (b"\xfd7zXZ", sentences.XZ()),
    (b"ARROW1", sentences.ARROW()),
    (b"\x80\x04\x95", sentences.PICKLE()),
)


@dataclass(frozen=True)
class TextFile:
    """Where a text comes from and how it is written.

    Attributes:
        path: of the file.
        packed: "gzip", "zstd" or "".
        encoding: a name that `codecs` knows.
        old_lines: whether lines end with \\r alone.
        head: its first bytes, as UTF-8 with \\n.
        note: what a person should know about how it is read; "" for nothing.
    """

    path: Path
    packed: str
    encoding: str
    old_lines: bool
    head: bytes
    note: str

    @classmethod
    def open(cls, path: Path, encoding: str = "") -> TextFile:
        """Look at the beginning of a file. `encoding` overrules what it looks like.

        Raises:
            InputError: it is not there, is empty, or is no text.
        """
        raw, packed = _beginning(path)
        if not raw:
            raise InputError(sentences.EMPTY_TABLE(file=path.name))
        if not packed:
            _refuse_other_formats(path, raw)
        encoding = encoding or _encoding(raw)
        text = codecs.getincrementaldecoder(encoding)("replace").decode(raw)
        _refuse_binary(path, text)
        old_lines = "\r" in text and "\n" not in text
        note = ""
        if encoding == "cp1252":
            note = sentences.WINDOWS(file=path.name)
        elif encoding.startswith(("utf-16", "utf-32")):
            note = sentences.OTHER_ENCODING(file=path.name, encoding=encoding[:6].upper())
        head = text.replace("\r", "\n") if old_lines else text
        return cls(path, packed, encoding, old_lines, head.encode("utf-8", "replace"), note)

    def pieces(self, skip_lines: int) -> Iterator[tuple[bytes, float | None]]:
        """The text after some lines, as UTF-8 in pieces of whole records, each with the share read so far.

        Raises:
            InputError: the archive is broken.
            UnicodeDecodeError: the file is not in its encoding after all (only where it is not UTF-8).
        """
        size = max(self.path.stat().st_size, 1)
        if self.encoding in ("utf-8", "utf-8-sig") and not self.old_lines and not self.packed:
            yield from self._slices(skip_lines, size)
            return
        held = b""
        to_skip = skip_lines
        with self.path.open("rb", buffering=0) as file:
            stream = _unpacked(self.path, self.packed, file)
            for piece in self._decoded(stream):
                held = held + piece if held else piece
                while to_skip:
                    end = held.find(b"\n")
                    if end < 0:
                        break
                    held, to_skip = held[end + 1 :], to_skip - 1
                cut = _record_end(held) if not to_skip else 0
                if not cut and len(held) > _MOST_HELD * PIECE:
                    cut = held.rfind(b"\n") + 1
                    if not cut:
                        raise InputError(sentences.LONG_LINE(file=self.path.name, megabytes=len(held) / 1e6))
                if cut:
                    ready, held = (held, b"") if cut == len(held) else (held[:cut], held[cut:])
                    yield ready, min(1.0, file.tell() / size)
                    del ready
        if held and not to_skip:
            yield held, 1.0

    def _slices(self, skip_lines: int, size: int) -> Iterator[tuple[bytes, float | None]]:
        """The pieces of a plain UTF-8 file: parts of it as they stand, each read once."""
        with self.path.open("rb", buffering=0) as file:
            begin = 3 if self.encoding == "utf-8-sig" else 0
            after = 0
            for _ in range(skip_lines):
                after = self.head.find(b"\n", after) + 1 or len(self.head)
            begin += after
            length = PIECE
            while begin < size:
                end = min(begin + length, size)
                if end < size:
                    # Looking for the end of the last line first saves copying the whole piece to cut it there.
                    tail = min(_TAIL, length)
                    file.seek(end - tail)
                    end -= tail - (file.read(tail).rfind(b"\n") + 1 or tail)
                file.seek(begin)
                piece = file.read(end - begin)
                if not piece:
                    return
                if end < size:
                    cut = _record_end(piece)
                    if not cut and length < _MOST_HELD * PIECE:
                        length *= 2
                        continue
                    if 0 < cut < len(piece):
                        piece = piece[:cut]
                begin += len(piece)
                length = PIECE
                yield piece, min(1.0, begin / size)

    def _decoded(self, stream: BinaryIO) -> Iterator[bytes]:
        plain = self.encoding in ("utf-8", "utf-8-sig") and not self.old_lines
        decoder = codecs.getincrementaldecoder(self.encoding)("strict" if self.encoding != "cp1252" else "ravine-latin")
        first = True
        while True:
            try:
                raw = stream.read(PIECE)
            except (OSError, EOFError, zlib.error) as error:
                raise InputError(sentences.NOT_UNPACKED_WHOLE(file=self.path.name, reason=error)) from None
            if plain:
                if first and raw.startswith(codecs.BOM_UTF8):
                    raw = raw[3:]
                if raw:
                    yield raw
            else:
                text = decoder.decode(raw, final=not raw)
                if self.old_lines:
                    text = text.replace("\r", "\n")
                if text:
                    yield text.encode("utf-8", "replace")
            first = False
            if not raw:
                return


def _latin(error: UnicodeError) -> tuple[str, int]:
    """The five bytes that Windows-1252 does not have, as Latin-1 reads them."""
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("ravine-latin", _latin)


def _beginning(path: Path) -> tuple[bytes, str]:
    try:
        with open_regular(path) as file:
            first = file.read(4)
            packed = "gzip" if first[:2] == _GZIP else "zstd" if first == _ZSTD else ""
            file.seek(0)
            return _unpacked(path, packed, file).read(HEAD), packed
    except FileNotFoundError:
        raise InputError(sentences.NO_FILE(path=path)) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(sentences.NOT_UNPACKED(file=path.name, reason=error)) from None
    except OSError as error:
        raise unreadable(path, error) from None


def _unpacked(path: Path, packed: str, file: BinaryIO) -> BinaryIO:
    if packed == "gzip":
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    if packed == "zstd":
        return io.BytesIO(_unpack_zstd(path))
    return file


def _unpack_zstd(path: Path) -> bytes:
    """The whole text, line by line through polars, which brings the decoder that Python < 3.14 lacks."""
    import polars as pl

    size = _declared(path)
    if size is not None:
        check_room(_TIMES_UNPACKED * size, partial(sentences.TEXT_NEEDS_MEMORY, file=path.name))
    with told(sentences.CANNOT_BE_UNPACKED(file=path.name)), path.open("rb") as file:
        # A path would be taken for a pattern, and has to be UTF-8.
        try:
            lines = pl.read_csv(
                file,
                has_header=False,
                separator="\x01",
                quote_char=None,
                schema={"line": pl.String},
                encoding="utf8-lossy",
            )
        except pl.exceptions.NoDataError:
            return b""
    text: str = lines["line"].fill_null("").str.join("\n").item()
    return (text + "\n").encode() if len(lines) else b""


def _declared(path: Path) -> int | None:
    """The size that the first frame of a zstd file says its content has; None where it does not say."""
    with open_regular(path) as file:
        head = file.read(18)
    if len(head) < 6:
        return None
    flags = head[4]  # RFC 8878, 3.1.1.1
    width = (1 if flags & 0x20 else 0, 2, 4, 8)[flags >> 6]
    at = 5 + (0 if flags & 0x20 else 1) + (0, 1, 2, 4)[flags & 3]
    return int.from_bytes(head[at : at + width], "little") + (256 if width == 2 else 0) if width else None


def _refuse_other_formats(path: Path, raw: bytes) -> None:
    for magic, words in _OTHER_FORMATS:
        if raw.startswith(magic):
            raise InputError(sentences.OTHER_FORMAT(file=path.name, kind=words))


def _encoding(raw: bytes) -> str:
    """Return what a text is written in: one of the UTF encodings, else Windows-1252, and a note says so.

    No guess is made between the many one-byte encodings: a table has too few words for one. charset-normalizer 3.5
    takes French and Spanish tables in Windows-1252 for cp1250, cp852 or mac_latin2, and reads other letters.
    """
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if raw.startswith(mark):
            return encoding
    even, odd = raw[0::2].count(0), raw[1::2].count(0)
    if len(raw) >= 8 and max(even, odd) > 0.3 * len(raw) / 2 and min(even, odd) < 0.1 * max(even, odd):
        return "utf-16-le" if odd > even else "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(raw)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _refuse_binary(path: Path, text: str) -> None:
    nul = text.find("\0")
    strange = sum(text.count(chr(code)) for code in range(32) if chr(code) not in "\t\n\r\f")
    if strange > 0.02 * len(text):
        raise InputError(sentences.BINARY(file=path.name))
    if nul >= 0:
        line = text.count("\n", 0, nul) + 1
        raise InputError(sentences.NUL_IN_LINE(file=path.name, line=line))


def _record_end(text: bytes) -> int:
    """Just after the last line end that stands outside quotes; 0 where there is none."""
    end = text.rfind(b"\n") + 1
    if not end or text.find(b'"', 0, end) < 0 or (quotes := text.count(b'"', 0, end)) % 2 == 0:
        return end
    while end and quotes % 2:
        before = text.rfind(b"\n", 0, end - 1) + 1
        quotes -= text.count(b'"', before, end)
        end = before
    return end
