"""Compressed files: written with Zstandard; gzip, as earlier versions wrote, is read too.

A file may hold several frames, one after the other (RFC 8878 section 3.1), so frames can be appended to it.
"""

from __future__ import annotations

import errno
import gzip
import io
import os
import shutil
import sys
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Final, cast

if sys.version_info >= (3, 14):
    from compression import zstd as zstd
else:
    from backports import zstd as zstd

_BUFFER: Final = 1024 * 1024
_ENDINGS: Final = (".zst", ".gz")
# The checksum makes a damaged file recognisable.
_OPTIONS: Final = {
    int(zstd.CompressionParameter.compression_level): 1,
    int(zstd.CompressionParameter.checksum_flag): 1,
}


def frame(pieces: Iterable[bytes]) -> bytes:
    """Compress pieces of bytes as one frame; equal bytes give equal frames."""
    return zstd.compress(b"".join(pieces), options=_OPTIONS)


def packed_name(path: Path) -> Path:
    """Return the path of the compressed form of a file."""
    return path.with_name(path.name + _ENDINGS[0])


def is_packed(path: Path) -> bool:
    """Return whether a file's name has the ending of a compressed file."""
    return path.suffix in _ENDINGS


def pack_file(path: Path) -> None:
    """Replace a file by its compressed form; after a crash at least one of the two is complete."""
    unfinished = path.with_name(path.name + ".part")
    with path.open("rb") as plain, unfinished.open("wb") as out:
        with zstd.ZstdFile(out, "wb", options=_OPTIONS) as packed:
            packed.write(b"")  # an empty file becomes a frame, too
            shutil.copyfileobj(plain, packed, _BUFFER)
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(packed_name(path))
    path.unlink()


def find_packed(path: Path) -> Path:
    """Return the path under which a file exists, plain or compressed; its own path where it does not."""
    candidates = (path, *(path.with_name(path.name + ending) for ending in _ENDINGS))
    return next((candidate for candidate in candidates if candidate.exists()), path)


def open_packed(path: Path) -> IO[bytes]:
    """Open a file that may be compressed; reading a damaged one raises OSError."""
    # A file of no frames at all is empty.
    if not is_packed(path) or not path.stat().st_size:
        return path.open("rb", buffering=_BUFFER)
    stream = cast(IO[bytes], gzip.GzipFile(path, "rb") if path.suffix == ".gz" else zstd.ZstdFile(path, "rb"))
    return cast(IO[bytes], io.BufferedReader(_DiskErrors(stream, path), _BUFFER))


def drop_packed(path: Path) -> None:
    """Remove the compressed forms of a file."""
    for ending in _ENDINGS:
        path.with_name(path.name + ending).unlink(missing_ok=True)


class _DiskErrors(io.RawIOBase):
    """Reports a damaged or truncated file as OSError, as a failing disk is reported."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self._stream, self._path = stream, str(path)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        try:
            return cast(io.BufferedIOBase, self._stream).readinto(buffer)  # type: ignore[arg-type]
        except EOFError:
            raise OSError(errno.EIO, "the file is cut off", self._path) from None
        except (zstd.ZstdError, zlib.error, gzip.BadGzipFile) as error:
            raise OSError(errno.EIO, f"the file is damaged ({error})", self._path) from None

    def close(self) -> None:
        self._stream.close()
        super().close()
