"""Files that declare a thousand times what they weigh are refused before they are unpacked."""

from __future__ import annotations

import gzip
import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest

from engine.base.errors import InputError
from engine.data.sources import load
from engine.recipe import Data


@pytest.fixture(autouse=True)
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.devices.room.free_memory", lambda: 100_000_000)


def refused(path: Path, words: str) -> None:
    with pytest.raises(InputError, match=words) as told:
        load(Data(dataset=str(path)))
    assert "\n" not in str(told.value)


def header(shape: tuple[int, ...], form: str = "<f8") -> bytes:
    held = io.BytesIO()
    np.lib.format.write_array_header_1_0(held, {"descr": form, "fortran_order": False, "shape": shape})
    return held.getvalue()


def test_an_archive_whose_arrays_do_not_fit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("X.npy", "y.npy"):
            with archive.open(name, "w") as member:
                member.write(header((4_000_000,)))
                for _ in range(32):
                    member.write(bytes(1_000_000))
    assert path.stat().st_size < 200_000
    refused(path, r"bomb\.npz unpacks to 0\.1 GB, and 0\.1 GB of memory are free")


@pytest.mark.parametrize("shape", [(10**12,), (10**9, 10**9), (3, 2**40)])
def test_a_header_that_lies_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = tmp_path / "lie.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", header(shape) + bytes(24))
    refused(path, "is declared as .* but holds something else")


def test_unequal_rows_are_seen_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / "unequal.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", header((10**12,), "|V0"))
        archive.writestr("y.npy", header((3,)) + bytes(24))
    refused(path, "unequal numbers of rows")


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "objects.npz", x=np.array([print, {}], dtype=object))
    refused(tmp_path / "objects.npz", "Python objects")


def test_a_packed_text_whose_rows_do_not_fit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"a,b,c,d\n")
        for _ in range(40):
            file.write(b"1,2,3,4\n" * 100_000)
    refused(path, r"has some .* rows, which take 0\.1 GB")


def test_a_packed_line_without_an_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "line.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"a,b\n" + b"1,2\n" * 400_000)
        for _ in range(160):
            file.write(b"x" * 1_000_000)
    refused(path, "a line of more than")


@pytest.mark.skipif(shutil.which("zstd") is None, reason="needs the zstd program to make the file")
def test_a_zstd_file_that_declares_too_much_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "bomb.csv"
    text.write_bytes(b"a,b\n" + b"1,2\n" * 10_000_000)
    subprocess.run(["zstd", "-q", "--rm", str(text)], check=True)
    refused(tmp_path / "bomb.csv.zst", r"unpacks to 0\.2 GB")


def test_a_parquet_that_declares_too_much_is_refused(tmp_path: Path) -> None:
    import polars as pl

    path = tmp_path / "bomb.parquet"
    pl.DataFrame({"a": pl.repeat(1, 6_000_000, eager=True)}).write_parquet(path)
    refused(path, r"bomb\.parquet unpacks to 0\.1 GB")


def test_what_polars_panics_at_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import polars as pl

    pl.DataFrame({"a": [1, 2], "b": [3, 4]}).write_parquet(tmp_path / "x.parquet")

    def panic(*given: object, **more: object) -> None:
        raise pl.exceptions.PanicException("called `Result::unwrap()` on an `Err` value")

    monkeypatch.setattr(pl, "read_parquet", panic)
    refused(tmp_path / "x.parquet", "cannot be read as Parquet: it is damaged")


def test_characters_that_there_are_not_are_said(tmp_path: Path) -> None:
    names = np.array(["a", "bc"])
    names.view(np.uint32)[0] = 0x110000  # as a flipped bit makes it
    np.savez(tmp_path / "odd.npz", X=np.zeros((3, 2)), y=np.arange(3.0), feature_names=names)
    with pytest.raises(InputError, match="characters that do not exist"):
        load(Data(dataset=str(tmp_path / "odd.npz")))
