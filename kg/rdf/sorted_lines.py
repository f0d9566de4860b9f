"""Files of N-Triples lines as sorted sets: sorting, union, intersection and difference in bounded memory."""

from __future__ import annotations

import bisect
import hashlib
import heapq
import itertools
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from kg.rdf.compression import open_packed

RUN_BYTES: Final = 6 * 1024 * 1024
"""Bytes of lines sorted in memory at once. Sorting blocks other threads: 15 ms, for 64 MiB 240 ms."""

_BUFFER: Final = 1024 * 1024
# Number of files open at once, each with a buffer.
_WAYS: Final = 256
_RUN_BUFFER: Final = 64 * 1024
_BLOCK: Final = 32 * 1024
_KEY: Final = 300
_TICK: Final = 50_000
_NAMED: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|<[^<>\s]*>')

Watch = Callable[[int], None]
"""Called with the number of lines or bytes done so far; may raise an error to stop the work."""


def sort_lines(lines: Iterable[bytes], target: Path, *, watch: Watch | None = None) -> tuple[int, str]:
    """Write lines in byte order without repetitions; return their number and the SHA-256 of the file.

    Temporary files are kept beside the target. Raises OSError if the disk is full.
    """
    count = 0
    digest = hashlib.sha256()
    with tempfile.TemporaryDirectory(prefix=".sort-", dir=target.parent) as folder:
        runs = _runs(lines, Path(folder), watch)
        with target.open("wb", buffering=_BUFFER) as out:
            for count, line in enumerate(_distinct(merge_files(runs, Path(folder))), 1):
                out.write(line)
                digest.update(line)
                if watch and count % _TICK == 0:
                    watch(count)
    return count, digest.hexdigest()


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file, which may be compressed; each keeps its line end."""
    with open_packed(path) as file:
        yield from file


def write_lines(lines: Iterable[bytes], target: Path) -> int:
    """Write lines to a file; return their number."""
    count = 0
    with target.open("wb", buffering=_BUFFER) as out:
        for line in lines:
            out.write(line)
            count += 1
    return count


def union(*files: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of sorted files in order, each once."""
    return _distinct(heapq.merge(*files))


def intersection(one: Path, other: Path) -> Iterator[bytes]:
    """Yield the lines that two sorted files share."""
    return (line for line, shared in _compare(one, other) if shared)


def difference(one: Path, other: Path) -> Iterator[bytes]:
    """Yield the lines of a sorted file that another does not contain."""
    return (line for line, shared in _compare(one, other) if not shared)


def _compare(one: Path, other: Path) -> Iterator[tuple[bytes, bool]]:
    rest = read_lines(other)
    there = next(rest, None)
    for line in read_lines(one):
        while there is not None and there < line:
            there = next(rest, None)
        yield line, there == line


def _distinct(lines: Iterable[bytes]) -> Iterator[bytes]:
    last = b""
    for line in lines:
        if line != last:
            yield line
            last = line


class SortedLines:
    """Finds lines of a sorted file by their beginning; keeps the first line of every 32 KiB in memory."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._keys: list[bytes] = []
        self._places: list[int] = []
        self._at = (-1, b"")
        with path.open("rb", buffering=_BLOCK) as file:
            line = file.readline()
            place = 0
            while line:
                self._keys.append(line[:_KEY])
                self._places.append(place)
                file.seek(place + max(_BLOCK, len(line)) - 1)
                file.readline()
                place = file.tell()
                line = file.readline()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def starting(self, beginning: bytes) -> list[bytes]:
        """Return the lines that begin with some bytes, in order."""
        key = beginning[:_KEY]
        # Lines before the first greater key may have this beginning, too.
        first = max(0, bisect.bisect_left(self._keys, key) - 1)
        last = bisect.bisect_right(self._keys, key + b"\xff")
        text = b"".join([self._block(number) for number in range(first, last)])
        start = 0 if text.startswith(beginning) else text.find(b"\n" + beginning) + 1
        found: list[bytes] = []
        while text.startswith(beginning, start):
            end = text.index(b"\n", start) + 1
            found.append(text[start:end])
            start = end
        return found

    def _block(self, number: int) -> bytes:
        if self._at[0] != number:
            start = self._places[number]
            end = self._places[number + 1] if number + 1 < len(self._places) else None
            size = (os.fstat(self._file.fileno()).st_size if end is None else end) - start
            self._at = (number, os.pread(self._file.fileno(), size, start))
        return self._at[1]


def merge_files(runs: list[Path], folder: Path) -> Iterator[bytes]:
    """Yield the lines of sorted files in order; more than 256 files are merged into fewer first."""
    while len(runs) > _WAYS:
        some, runs = runs[:_WAYS], runs[_WAYS:]
        joined = folder / f"joined-{some[0].name}"
        with joined.open("wb", buffering=_BUFFER) as out:
            out.writelines(heapq.merge(*map(_read_run, some)))
        for run in some:
            run.unlink()
        runs.append(joined)
    return heapq.merge(*map(_read_run, runs))


def by_subject(lines: Iterable[bytes]) -> Iterator[tuple[bytes, list[bytes]]]:
    """Group sorted lines by their subject, written as `<iri>`."""
    return ((subject, list(group)) for subject, group in itertools.groupby(lines, subject_of))


def subject_of(line: bytes) -> bytes:
    """Return the subject of a line of N-Triples."""
    return line[: line.index(b" ")]


def side_by_side(
    old: Iterable[bytes], new: Iterable[bytes]
) -> Iterator[tuple[bytes, list[bytes], list[bytes]]]:
    """Yield each subject of two sorted files with its old and its new lines."""
    nothing: tuple[bytes, list[bytes]] = (b"", [])
    left, right = by_subject(old), by_subject(new)
    before, after = next(left, nothing), next(right, nothing)
    while before[0] or after[0]:
        if after[0] and (not before[0] or _key(after[0]) < _key(before[0])):
            yield after[0], [], after[1]
            after = next(right, nothing)
        elif before[0] and (not after[0] or _key(before[0]) < _key(after[0])):
            yield before[0], before[1], []
            before = next(left, nothing)
        else:
            yield before[0], before[1], after[1]
            before, after = next(left, nothing), next(right, nothing)


def write_difference(
    old: Path, new: Path, removed: BinaryIO, added: BinaryIO, change: Callable[[bytes], bytes]
) -> None:
    """Write the lines removed and added between two sorted files; `change` rewrites each of them.

    A line with a blank node always counts as changed: labels have no meaning outside their file.
    """
    for _, before, after in side_by_side(read_lines(old), read_lines(new)):
        kept = {line for line in set(before).intersection(after) if not has_blank_node(line)}
        removed.writelines(change(line) for line in before if line not in kept)
        added.writelines(change(line) for line in after if line not in kept)


def has_blank_node(line: bytes) -> bool:
    """Return whether a line of N-Triples or N-Quads contains a blank node, triple terms included."""
    return b"_:" in line and b"_:" in _NAMED.sub(b"", line)


def with_graph(line: bytes, graph: bytes) -> bytes:
    """Return a line of N-Quads made from one of N-Triples; `graph` is written as `<iri>`."""
    return line.removesuffix(b".\n") + graph + b" .\n"


def without_graph(line: bytes, graph: bytes) -> bytes:
    """Return a line of N-Triples made from one of N-Quads in the graph `<iri>`."""
    return line.removesuffix(graph + b" .\n") + b".\n"


def _read_run(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=_RUN_BUFFER) as file:
        yield from file


def _key(subject: bytes) -> bytes:
    # Whole lines are sorted, so the space after a shorter subject is part of the key.
    return subject + b" "


def _runs(lines: Iterable[bytes], folder: Path, watch: Watch | None) -> list[Path]:
    runs: list[Path] = []
    held: list[bytes] = []
    size = 0

    def put() -> None:
        held.sort()
        path = folder / f"{len(runs):06}"
        with path.open("wb", buffering=_BUFFER) as file:
            file.writelines(held)
        runs.append(path)

    for number, line in enumerate(lines, 1):
        held.append(line)
        size += len(line)
        if size >= RUN_BYTES:
            put()
            held, size = [], 0
        if watch and number % _TICK == 0:
            watch(number)
    put()
    return runs
