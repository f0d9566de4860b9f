"""Reading blocks of GDELT rows in several processes, which also compress the records."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import cycle
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from kg.errors import StoreFailedError
from kg.processes import end, start_connected
from kg.rdf.compression import frame
from kg.readers.gdelt.blocks import BlockRecords, RowOptions
from kg.readers.gdelt.code_columns import Layout
from kg.readers.gdelt.event_rows import GdeltRows
from kg.readers.reading import NO_OPTIONS, Block, CellOptions, ReadingJob
from kg.resolver import Resolver

LARGE: Final = 8 * 1024 * 1024
"""Size in bytes from which a file is read by several processes."""
_MOST_WORKERS: Final = 4
_NICENESS: Final = 10


def worker_count(path: Path) -> int:
    """Return how many processes read a file or folder; 0 if it is small or only one core is available."""
    files = path.rglob("*") if path.is_dir() else (path,)
    size = sum(one.stat().st_size for one in files if one.is_file())
    cores = len(os.sched_getaffinity(0))
    return min(cores, _MOST_WORKERS) if size >= LARGE and cores > 1 else 0


def read_in_parallel(
    blocks: Iterable[Block],
    workers: int,
    layout: Layout,
    options: RowOptions,
    resolver: Resolver,
    cells: CellOptions = NO_OPTIONS,
) -> Generator[tuple[Block, BlockRecords], None, None]:
    """Yield blocks with their records, in the order of the file; at most `workers` + 1 are held at a time.

    Closing the iterator ends the processes. Raises StoreFailedError when one of them was killed.
    """
    # Not a ProcessPoolExecutor: when a process is killed while it writes a large result, that waits for ever.
    readers = [start_connected(run_row_reader, layout, options, resolver, cells) for _ in range(workers)]
    turns = cycle([connection for _, connection in readers])
    waiting: deque[tuple[Block, Connection]] = deque()
    try:
        for block in blocks:
            connection = next(turns)
            earlier = (waiting.popleft()[0], _receive(connection)) if len(waiting) == workers else None
            with _alive():
                connection.send(block)
            waiting.append((block, connection))
            if earlier is not None:
                yield earlier
        for block, connection in waiting:
            yield block, _receive(connection)
    finally:
        for process, connection in readers:
            connection.close()
            end(process)


def run_row_reader(
    connection: Connection, layout: Layout, options: RowOptions, resolver: Resolver, cells: CellOptions
) -> None:
    """Read the blocks that arrive on a connection, and send back the records of each, or the error."""
    os.nice(_NICENESS)  # queries have priority
    # Faults of rows are returned with the records of their block.
    job = ReadingJob([], "", resolver, lambda fault: None, options=cells)
    reader = GdeltRows(job, layout, options)
    while True:
        try:
            block = connection.recv()
        except EOFError:
            return
        try:
            found: BlockRecords | Exception = _read(reader, block)
        except Exception as error:
            found = error
        connection.send(found)


def _read(reader: GdeltRows, block: Block) -> BlockRecords:
    found = reader.read(block, {})
    found.packed, found.pieces = frame(found.pieces), []
    return found


def _receive(connection: Connection) -> BlockRecords:
    with _alive():
        found: BlockRecords | Exception = connection.recv()
    if isinstance(found, Exception):
        raise found
    return found


@contextmanager
def _alive() -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError):
        raise StoreFailedError(
            "a process that reads rows was killed",
            mend="Check that there is enough free memory, then load the file again.",
        ) from None
