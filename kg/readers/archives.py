"""Input files: plain, .gz, .bz2, .xz, .zst, .zip, .tar or a folder of them, unpacked within limits."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import shutil
import tarfile
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, cast

from kg.errors import DataSyntaxError, TooLargeError, UnsupportedFormatError
from kg.rdf.compression import zstd

MAX_EXPANDED: Final = 64 << 30
"""Most bytes that one compressed file may unpack to."""
MAX_RATIO: Final = 200
"""Highest ratio of unpacked to packed size; event tables have a ratio of 5 to 15."""
UNCHECKED: Final = 32 << 20
"""Unpacked size below which the ratio is not checked."""
_CHUNK: Final = 1 << 16
_NESTING: Final = 2
_PACKED: Final = (".gz", ".zst", ".bz2", ".xz")
_ZIP: Final = b"PK\x03\x04"
_TAR: Final = slice(257, 262)  # where a tar archive has its magic (POSIX.1, ustar)


@dataclass(frozen=True)
class Part:
    """One input file: its name for messages, a function that opens it, and its name inside the archive.

    `share` returns how much of it was read since it was opened, from 0 to 1; always 0 if that is not known.
    """

    name: str
    open: Callable[[], BinaryIO]
    inside: str = ""
    share: Callable[[], float] = float


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
    """Return the name of a part without folders and without the ending of a compressed file."""
    name = (part.inside or part.name).rpartition("/")[2]
    for ending in _PACKED:
        name = name.removesuffix(ending)
    return name


def _hidden(path: Path) -> bool:
    return any(piece.startswith((".", "__MACOSX")) for piece in path.parts)


def _parts(path: Path, name: str, limit: int) -> Iterator[Part]:
    size = path.stat().st_size
    # A weak reference, so that a reading that is dropped closes the file.
    opened: list[weakref.ref[BinaryIO]] = []

    def open_file() -> BinaryIO:
        file = path.open("rb")
        opened[:] = [weakref.ref(file)]
        return _unpacked(file, size, name, limit)

    def share() -> float:
        file = opened[0]() if opened else None
        return 0.0 if file is None or file.closed else file.tell() / max(size, 1)

    with path.open("rb") as file:
        start = file.read(_TAR.stop)
    if start.startswith(_ZIP) and not _is_workbook(path, name):
        yield from _zipped(path, name, limit)
        return
    is_tar = start[_TAR] == b"ustar"
    copy: _TemporaryCopy | None = None
    if not is_tar and _unpacker(start) is not None:
        with open_file() as stream:
            is_tar = stream.read(_TAR.stop)[_TAR] == b"ustar"
        copy = _TemporaryCopy(open_file) if is_tar else None
    if is_tar:
        yield from _tarred(copy.path if copy else path, name, limit, copy)
    else:
        yield Part(name, open_file, share=share)


# Zip


def _zipped(path: Path, name: str, limit: int) -> Iterator[Part]:
    members: list[tuple[int, zipfile.ZipInfo]] = []
    end = path.stat().st_size
    while end:
        with _zip(path, name, end) as archive:
            inside = archive.infolist()
        members += ((end, one) for one in inside if not one.is_dir() and not _hidden(Path(one.filename)))
        # A zip whose first member does not stand at the beginning was written after another one.
        begin = min((one.header_offset for one in inside), default=0)
        with path.open("rb") as file:
            end = begin if file.read(len(_ZIP)) == _ZIP else 0
    if not members:
        raise DataSyntaxError("the zip holds no files", where=name, mend="Choose the zip of the data.")
    for end, member in sorted(members, key=lambda found: (found[1].filename, found[0])):
        label = name if len(members) == 1 else f"{name}/{member.filename}"
        yield _member(path, label, end, member, limit)


def _member(path: Path, label: str, end: int, member: zipfile.ZipInfo, limit: int) -> Part:
    def open_member() -> BinaryIO:
        file = _Beginning(path, end)
        with _zip_in(file, label) as archive:
            try:
                stream = archive.open(member)
            except RuntimeError:
                file.close()
                raise DataSyntaxError(
                    "the zip is encrypted", where=label, mend="Unpack it with its password first."
                ) from None
        size = member.compress_size
        bounded = _Bounded(cast(BinaryIO, stream), "zip", size, label, limit, cast(BinaryIO, file))
        return _unpacked(io.BufferedReader(bounded, _CHUNK), size, label, limit, inside=1)

    return Part(label, open_member, member.filename)


@contextmanager
def _zip(path: Path, name: str, end: int) -> Iterator[zipfile.ZipFile]:
    with _Beginning(path, end) as file, _zip_in(file, name) as archive:
        yield archive


@contextmanager
def _zip_in(file: _Beginning, name: str) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(cast(BinaryIO, file)) as archive:
            yield archive
    except (zipfile.BadZipFile, NotImplementedError) as error:
        file.close()
        raise DataSyntaxError(
            f"the zip is damaged or cut off ({error})", where=name, mend="Download the file again."
        ) from None


def _is_workbook(path: Path, name: str) -> bool:
    with _zip(path, name, path.stat().st_size) as archive:
        return "[Content_Types].xml" in archive.namelist()


class _Beginning(io.RawIOBase):
    """The first bytes of a file, up to `end`."""

    def __init__(self, path: Path, end: int) -> None:
        self._file, self._end = path.open("rb"), end

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(*((self._end + offset, 0) if whence == os.SEEK_END else (offset, whence)))

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: object) -> int:
        target = memoryview(buffer)  # type: ignore[arg-type]
        piece = self._file.read(min(len(target), max(self._end - self._file.tell(), 0)))
        target[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._file.close()
        super().close()


# Tar


def _tarred(path: Path, name: str, limit: int, copy: _TemporaryCopy | None) -> Iterator[Part]:
    try:
        with tarfile.open(path, "r:") as archive:
            members = [one for one in archive if one.isreg() and not _hidden(Path(one.name))]
    except tarfile.TarError as error:
        raise DataSyntaxError(
            f"the tar archive is damaged or cut off ({error})", where=name, mend="Download the file again."
        ) from None
    if not members:
        raise DataSyntaxError(
            "the tar archive holds no files", where=name, mend="Choose the archive of the data."
        )
    for member in sorted(members, key=lambda one: one.name):
        label = name if len(members) == 1 else f"{name}/{member.name}"
        yield Part(label, partial(_open_tarred, path, label, member, limit, copy), member.name)


def _open_tarred(
    path: Path, label: str, member: tarfile.TarInfo, limit: int, copy: _TemporaryCopy | None
) -> BinaryIO:
    """Open a member; the `copy` at the path exists as long as the part that holds these arguments."""
    archive = tarfile.open(path, "r:")  # noqa: SIM115 (closed with the stream)
    stream = cast(BinaryIO, archive.extractfile(member))
    bounded = _Bounded(stream, "tar archive", member.size, label, limit, archive)
    return _unpacked(io.BufferedReader(bounded, _CHUNK), member.size, label, limit, inside=1)


class _TemporaryCopy:
    """An unpacked file, so that members of a tar archive are read in any order; removed with this object."""

    def __init__(self, open_file: Callable[[], BinaryIO]) -> None:
        with tempfile.NamedTemporaryFile(prefix="diplograph-", suffix=".tar", delete=False) as out:
            self.path = Path(out.name)
            self._finalizer = weakref.finalize(self, self.path.unlink, missing_ok=True)
            with open_file() as stream:
                shutil.copyfileobj(stream, out, _CHUNK)


# Compressed files


def _unpacker(start: bytes) -> tuple[str, Callable[[BinaryIO], BinaryIO]] | None:
    """Return the name of a compression and what unpacks it, by the first bytes of a file."""
    if start.startswith(b"\x1f\x8b"):
        return "gzip file", lambda stream: cast(BinaryIO, gzip.GzipFile(fileobj=stream))
    if start.startswith(b"\x28\xb5\x2f\xfd"):
        return "zst file", lambda stream: cast(BinaryIO, zstd.ZstdFile(stream))
    if start.startswith(b"BZh") and start[4:10] == b"1AY&SY":
        return "bz2 file", lambda stream: cast(BinaryIO, bz2.BZ2File(stream))
    if start.startswith(b"\xfd7zXZ\0"):
        return "xz file", lambda stream: cast(BinaryIO, lzma.LZMAFile(stream))
    return None


def _unpacked(stream: BinaryIO, size: int, name: str, limit: int, inside: int = 0) -> BinaryIO:
    """Decompress a stream, by its first bytes, up to two levels deep."""
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream, _CHUNK)  # type: ignore[type-var]
    found = _unpacker(buffered.peek(10)[:10])
    if found is None:
        return buffered
    kind, unpack = found
    if inside >= _NESTING:
        buffered.close()
        raise TooLargeError(
            "the archive is packed more than twice", where=name, mend="Unpack it before loading."
        )
    bounded = _Bounded(unpack(buffered), kind, size, name, limit, buffered)
    try:
        return _unpacked(io.BufferedReader(bounded, _CHUNK), size, name, limit, inside + 1)
    except BaseException:
        bounded.close()
        raise


class _Bounded(io.RawIOBase):
    """A stream being unpacked; reading stops at a limit of size or ratio and reports damage.

    `packed` is the compressed stream or archive, closed with this one. Raises DataSyntaxError, TooLargeError.
    """

    def __init__(
        self,
        stream: BinaryIO,
        kind: str,
        size: int,
        name: str,
        limit: int,
        packed: BinaryIO | tarfile.TarFile | None = None,
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
        except tarfile.ReadError:
            raise self._damaged("cut off") from None
        except (zipfile.BadZipFile, zlib.error, zstd.ZstdError, lzma.LZMAError) as error:
            raise self._damaged(f"damaged ({error})") from None
        except OSError as error:
            if error.errno is not None:  # the disk
                raise
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
        if self._count > UNCHECKED and self._count > MAX_RATIO * self._size:
            raise TooLargeError(
                f"it unpacks to more than {MAX_RATIO} times its size, as a decompression bomb does",
                where=self._name,
                mend="If the data are what you expect, unpack the file first and load that.",
            )
