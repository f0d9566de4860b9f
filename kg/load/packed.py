"""What undoing a load takes, compressed: written with Zstandard, read with gzip too, as it was earlier."""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path
from typing import IO, Final, cast

import zstandard

_LEVEL: Final = 1
_BUFFER: Final = 1024 * 1024
_ENDINGS: Final = (".zst", ".gz")


def pack_file(path: Path) -> None:
    """Put a compressed file in the place of a file; after a crash one of both is whole."""
    unfinished = path.with_name(path.name + ".part")
    with path.open("rb") as plain, unfinished.open("wb") as out:
        zstandard.ZstdCompressor(level=_LEVEL).copy_stream(plain, out, read_size=_BUFFER, write_size=_BUFFER)
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(path.with_name(path.name + _ENDINGS[0]))
    path.unlink()


def find_packed(path: Path) -> Path:
    """Find a file: as it was written, else compressed; its own path where there is none."""
    ways = (path, *(path.with_name(path.name + ending) for ending in _ENDINGS))
    return next((way for way in ways if way.exists()), path)


def open_packed(path: Path) -> IO[bytes]:
    """Open a file that may be compressed."""
    if path.suffix == ".gz":
        return cast(IO[bytes], gzip.open(path, "rb"))
    if path.suffix == ".zst":
        return cast(IO[bytes], io.BufferedReader(zstandard.open(path, "rb"), _BUFFER))
    return path.open("rb", buffering=_BUFFER)


def drop_packed(path: Path) -> None:
    """Remove what is compressed of a file."""
    for ending in _ENDINGS:
        path.with_name(path.name + ending).unlink(missing_ok=True)
