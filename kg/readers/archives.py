"""Input files: plain, .gz, .zip, .zst or a folder of them, unpacked as a stream within limits of size."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from kg.errors import DataSyntaxError, TooLargeError, UnsupportedFormatError
from kg.rdf.compression import zstd

MAX_EXPANDED: Final = 64 << 30
"""Most bytes that one compressed file may unpack to."""
MAX_RATIO: Final = 200
"""Highest ratio of unpacked to packed size; event tables have a ratio of 5 to 15."""
_FREE: Final = 32 << 20  # the ratio is not checked below this unpacked size
_CHUNK: Final = 1 << 16
_NESTING: Final = 2


@dataclass(frozen=True)
class Part:
    """One input file: its name for messages, a function that opens it, and its name inside the archive."""

    name: str
    open: Callable[[], BinaryIO]
    inside: str = ""


def parts(path: Path, name: str, *, limit: int = MAX_EXPANDED) -> Iterator[Part]:
    """Yield the file at a path, or the files of a folder or archive in the order of their names.

    Hidden files are left out. Raises DataSyntaxError for a damaged archive; reading a part raises
    DataSyntaxError where it is cut off and TooLargeError beyond `limit` or `MAX_RATIO`.
    """
    if path.is_dir():
        inside = [p for p in sorted(path.rglob("*")) if p.is_file() and not _hidden(p.relative_to(path))]
        if not inside:
            raise DataSyntaxError(
                "the folder holds no files", where=name, mend="Choose the folder of the data."
            )
        for one in inside:
            yield from _parts(one, f"{name}/{one.relative_to(path).as_posix()}", limit)
    else:
        yield from _parts(path, name, limit)


def the_one_part(path: Path, name: str, *, limit: int) -> Part:
    """Return the only file at a path. Raises as `parts` does, UnsupportedFormatError for several."""
    found = list(parts(path, name, limit=limit))
    if len(found) != 1:
        raise UnsupportedFormatError(
            f"it holds {len(found)} files",
            where=name,
            mend="Load the files one by one, or a folder of tables.",
        )
    return found[0]


def plain_name(part: Part) -> str:
    """Return the name of a part without folders and without .gz or .zst."""
    return (part.inside or part.name).rpartition("/")[2].removesuffix(".gz").removesuffix(".zst")


def _hidden(path: Path) -> bool:
    return any(piece.startswith((".", "__MACOSX")) for piece in path.parts)


def _parts(path: Path, name: str, limit: int) -> Iterator[Part]:
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PK\x03\x04" and not _is_workbook(path, name):
        with _zip(path, name) as archive:
            members = sorted(
                (i for i in archive.infolist() if not i.is_dir() and not _hidden(Path(i.filename))),
                key=lambda i: i.filename,
            )
        if not members:
            raise DataSyntaxError("the zip holds no files", where=name, mend="Choose the zip of the data.")
        for member in members:
            label = name if len(members) == 1 else f"{name}/{member.filename}"
            yield _member(path, label, member, limit)
    else:
        yield Part(name, lambda: _unpacked(path.open("rb"), path.stat().st_size, name, limit))


def _member(path: Path, label: str, member: zipfile.ZipInfo, limit: int) -> Part:
    def open_member() -> BinaryIO:
        with _zip(path, label) as archive:
            try:
                stream = archive.open(member)
            except RuntimeError:
                raise DataSyntaxError(
                    "the zip is encrypted", where=label, mend="Unpack it with its password first."
                ) from None
        size = member.compress_size
        bounded = _Bounded(cast(BinaryIO, stream), "zip", size, label, limit)
        return _unpacked(io.BufferedReader(bounded, _CHUNK), size, label, limit, inside=1)

    return Part(label, open_member, member.filename)


@contextmanager
def _zip(path: Path, name: str) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise DataSyntaxError(
            f"the zip is damaged or cut off ({error})", where=name, mend="Download the file again."
        ) from None


def _is_workbook(path: Path, name: str) -> bool:
    with _zip(path, name) as archive:
        return "[Content_Types].xml" in archive.namelist()


def _unpacked(stream: BinaryIO, size: int, name: str, limit: int, inside: int = 0) -> BinaryIO:
    """Decompress gzip and Zstandard, recognised by their first bytes, up to two levels deep."""
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream, _CHUNK)  # type: ignore[type-var]
    start = buffered.peek(4)[:4]
    unpacking: gzip.GzipFile | zstd.ZstdFile
    if start[:2] == b"\x1f\x8b":
        kind, unpacking = "gzip file", gzip.GzipFile(fileobj=buffered)
    elif start == b"\x28\xb5\x2f\xfd":
        kind, unpacking = "zst file", zstd.ZstdFile(buffered)
    else:
        return buffered
    if inside >= _NESTING:
        raise TooLargeError(
            "the archive is packed more than twice", where=name, mend="Unpack it before loading."
        )
    bounded = _Bounded(cast(BinaryIO, unpacking), kind, size, name, limit, buffered)
    return _unpacked(io.BufferedReader(bounded, _CHUNK), size, name, limit, inside + 1)


class _Bounded(io.RawIOBase):
    """A stream being unpacked; reading stops at a limit of size or ratio and reports damage.

    `packed` is the compressed stream, closed with this one. Raises DataSyntaxError, TooLargeError.
    """

    def __init__(
        self, stream: BinaryIO, kind: str, size: int, name: str, limit: int, packed: BinaryIO | None = None
    ) -> None:
        self._stream, self._kind, self._name, self._packed = stream, kind, name, packed
        self._size, self._limit = max(size, 1), limit
        self._count = 0

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._stream.close()
        if self._packed is not None:
            self._packed.close()
        super().close()

    def readinto(self, buffer: object) -> int:
        target = memoryview(buffer)  # type: ignore[arg-type]
        try:
            piece = self._stream.read(min(len(target), _CHUNK))
        except EOFError:
            raise self._damaged("cut off") from None
        except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, zstd.ZstdError) as error:
            raise self._damaged(f"damaged ({error})") from None
        target[: len(piece)] = piece
        self._count += len(piece)
        self._check()
        return len(piece)

    def _damaged(self, how: str) -> DataSyntaxError:
        detail = f"the {self._kind} is {how}"
        return DataSyntaxError(detail, where=self._name, mend="Download the file again.")

    def _check(self) -> None:
        if self._count > self._limit:
            raise TooLargeError(
                f"it unpacks to more than {self._limit} bytes", where=self._name, mend="Split the file."
            )
        if self._count > _FREE and self._count > MAX_RATIO * self._size:
            raise TooLargeError(
                f"it unpacks to more than {MAX_RATIO} times its size, as a decompression bomb does",
                where=self._name,
                mend="If the data are what you expect, unpack the file first and load that.",
            )
