"""Files that may be compressed: written with Zstandard, read with gzip too, as earlier versions wrote.

A file may be made of several frames, one after the other (RFC 8878 section 3.1), so that it can be added to.
"""

from __future__ import annotations

import errno
import gzip
import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Final, cast

import zstandard

_LEVEL: Final = 1
_BUFFER: Final = 1024 * 1024
# Of N-Quads a part comes to some thirty times as much.
_PART: Final = 64 * 1024
_ENDINGS: Final = (".zst", ".gz")


def frame(pieces: Iterable[bytes]) -> bytes:
    """Compress some bytes as one frame; the same bytes give the same frame."""
    return _compressor().compress(b"".join(pieces))


def _compressor() -> zstandard.ZstdCompressor:
    # With a checksum a damaged file is known for one.
    return zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)


def packed_name(path: Path) -> Path:
    """Name the compressed form of a file."""
    return path.with_name(path.name + _ENDINGS[0])


def is_packed(path: Path) -> bool:
    """Tell by its name whether a file is compressed."""
    return path.suffix in _ENDINGS


def pack_file(path: Path) -> None:
    """Put a compressed file in the place of a file; after a crash one of both is whole."""
    unfinished = path.with_name(path.name + ".part")
    with path.open("rb") as plain, unfinished.open("wb") as out:
        _compressor().copy_stream(plain, out, read_size=_BUFFER, write_size=_BUFFER)
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(packed_name(path))
    path.unlink()


def find_packed(path: Path) -> Path:
    """Find a file: as it was written, else compressed; its own path where there is none."""
    ways = (path, *(path.with_name(path.name + ending) for ending in _ENDINGS))
    return next((way for way in ways if way.exists()), path)


def open_packed(path: Path) -> IO[bytes]:
    """Open a file that may be compressed; reading it raises OSError where it is damaged."""
    if path.suffix == ".gz":
        return cast(IO[bytes], gzip.open(path, "rb"))
    if path.suffix == ".zst":
        return cast(IO[bytes], io.BufferedReader(_Frames(path), _BUFFER))
    return path.open("rb", buffering=_BUFFER)


def drop_packed(path: Path) -> None:
    """Remove what is compressed of a file."""
    for ending in _ENDINGS:
        path.with_name(path.name + ending).unlink(missing_ok=True)


def unpack(stream: IO[bytes], size: int) -> Iterator[bytes]:
    """Undo Zstandard, frame by frame, reading `size` bytes at a time.

    Raises ZstdError for what is damaged, EOFError where the last frame is cut off.
    """
    rest = b""
    while rest or (rest := stream.read(size)):
        engine = zstandard.ZstdDecompressor().decompressobj()
        while not engine.eof:
            if piece := engine.decompress(rest):
                yield piece
            if not engine.eof and not (rest := stream.read(size)):
                raise EOFError
        rest = engine.unused_data


class _Frames(io.RawIOBase):
    """The bytes of all frames of a file."""

    def __init__(self, path: Path) -> None:
        self._name = str(path)
        self._file = path.open("rb")
        self._pieces = unpack(self._file, _PART)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        if not self._rest:
            try:
                self._rest = memoryview(next(self._pieces, b""))
            except EOFError:
                raise OSError(errno.EIO, "it is cut off", self._name) from None
            except zstandard.ZstdError as error:
                raise OSError(errno.EIO, f"it is damaged ({error})", self._name) from None
        target = memoryview(buffer)  # type: ignore[arg-type]
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        self._file.close()
        super().close()
