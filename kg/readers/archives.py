"""Files as they come: plain, .gz, .zip, .zst or a folder of them, read in pieces and never beyond a limit."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Final

import zstandard

from kg.errors import DataSyntaxError, TooLargeError, UnsupportedFormatError
from kg.rdf.compression import unpack

MAX_EXPANDED: Final = 64 << 30
"""How many bytes one compressed file may hold."""
MAX_RATIO: Final = 200
"""How many times larger than itself a compressed file may be; event tables come to 5 to 15 times."""
_FREE: Final = 32 << 20  # below this size a high ratio harms nobody
_CHUNK: Final = 1 << 16
# A block of 4 bytes can stand for 128 KiB (RFC 8878 section 3.1.1.2), so that little is fed at once.
_ZSTD_CHUNK: Final = 1 << 10
_NESTING: Final = 2


@dataclass(frozen=True)
class Part:
    """One file inside what was given: its name for messages, and how to open it, as often as needed.

    `inside` is what an archive calls it.
    """

    name: str
    open: Callable[[], BinaryIO]
    inside: str = ""


def parts(path: Path, name: str, *, limit: int = MAX_EXPANDED) -> Iterator[Part]:
    """List the files of a path in the order of their names: itself, or what a folder or archive holds.

    Hidden files are passed over. Raises DataSyntaxError for a damaged archive; reading a part raises
    DataSyntaxError where it is cut off and TooLargeError over `limit` or the ratio of a bomb.
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
    """Give the one file that a path holds. Raises as `parts` does, UnsupportedFormatError for several."""
    found = list(parts(path, name, limit=limit))
    if len(found) != 1:
        raise UnsupportedFormatError(
            f"it holds {len(found)} files",
            where=name,
            mend="Load the files one by one, or a folder of tables.",
        )
    return found[0]


def plain_name(part: Part) -> str:
    """Give the name of a part without folders and .gz and the like."""
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
        whole = _Bounded(_zip_pieces(stream, label), stream, size, label, limit)
        return _unpacked(io.BufferedReader(whole, _CHUNK), size, label, limit, inside=1)

    return Part(label, open_member, member.filename)


@contextmanager
def _zip(path: Path, name: str) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise DataSyntaxError(
            f"the zip is damaged or cut off ({error})", where=name, mend="Fetch the file again, whole."
        ) from None


def _is_workbook(path: Path, name: str) -> bool:
    with _zip(path, name) as archive:
        return "[Content_Types].xml" in archive.namelist()


def _unpacked(stream: BinaryIO, size: int, name: str, limit: int, inside: int = 0) -> BinaryIO:
    """Undo gzip and Zstandard as the first bytes tell them, twice at most."""
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream, _CHUNK)  # type: ignore[type-var]
    start = buffered.peek(4)[:4]
    pieces: Iterator[bytes]
    if start[:2] == b"\x1f\x8b":
        pieces = _gzip_pieces(buffered, name)
    elif start == b"\x28\xb5\x2f\xfd":
        pieces = _zstd_pieces(buffered, name)
    else:
        return buffered
    if inside >= _NESTING:
        raise TooLargeError("archives lie inside archives", where=name, mend="Unpack it first.")
    opened = io.BufferedReader(_Bounded(pieces, buffered, size, name, limit), _CHUNK)
    return _unpacked(opened, size, name, limit, inside + 1)


class _Bounded(io.RawIOBase):
    """A stream of pieces that stops at a limit of size or ratio."""

    def __init__(self, pieces: Iterator[bytes], packed: IO[bytes], size: int, name: str, limit: int) -> None:
        self._packed = packed
        self._pieces, self._name, self._size, self._limit = pieces, name, max(size, 1), limit
        self._rest = memoryview(b"")
        self._given = 0

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._packed.close()
        super().close()

    def readinto(self, buffer: object) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
            self._given += len(piece)
            self._check()
        target = memoryview(buffer)  # type: ignore[arg-type]
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def _check(self) -> None:
        if self._given > self._limit:
            raise TooLargeError(
                f"it unpacks to more than {self._limit} bytes", where=self._name, mend="Split the file."
            )
        if self._given > _FREE and self._given > MAX_RATIO * self._size:
            raise TooLargeError(
                f"it unpacks to more than {MAX_RATIO} times its size, as a decompression bomb does",
                where=self._name,
                mend="If the data are what you expect, unpack the file first and load that.",
            )


def _cut_off(name: str, what: str) -> DataSyntaxError:
    return DataSyntaxError(f"the {what} file is cut off", where=name, mend="Fetch the file again, whole.")


def _gzip_pieces(stream: BinaryIO, name: str) -> Iterator[bytes]:
    rest = b""
    while rest or (rest := stream.read(_CHUNK)):
        if rest.strip(b"\0") == b"":
            return  # zeros may pad the end of a gzip file
        engine = zlib.decompressobj(wbits=31)
        while not engine.eof:
            try:
                piece = engine.decompress(rest, _CHUNK * 16)
            except zlib.error as error:
                raise DataSyntaxError(
                    f"the gzip file is damaged ({error})", where=name, mend="Fetch the file again, whole."
                ) from None
            if piece:
                yield piece
            rest = engine.unconsumed_tail
            if not engine.eof and not rest and not (rest := stream.read(_CHUNK)):
                raise _cut_off(name, "gzip")
        rest = engine.unused_data


def _zstd_pieces(stream: BinaryIO, name: str) -> Iterator[bytes]:
    try:
        yield from unpack(stream, _ZSTD_CHUNK)
    except EOFError:
        raise _cut_off(name, "zst") from None
    except zstandard.ZstdError as error:
        raise DataSyntaxError(
            f"the zst file is damaged ({error})", where=name, mend="Fetch the file again, whole."
        ) from None


def _zip_pieces(stream: IO[bytes], name: str) -> Iterator[bytes]:
    try:
        while piece := stream.read(_CHUNK):
            yield piece
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DataSyntaxError(
            f"the zip is damaged or cut off ({error})", where=name, mend="Fetch the file again, whole."
        ) from None
