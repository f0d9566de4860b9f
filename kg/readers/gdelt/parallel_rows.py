"""Reading blocks of GDELT rows in several processes, which also compress the records."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Final

from kg.errors import StoreFailedError
from kg.processes import process_pool
from kg.rdf.compression import frame
from kg.readers.gdelt.blocks import BlockRecords, RowOptions
from kg.readers.gdelt.code_columns import Layout
from kg.readers.gdelt.event_rows import GdeltRows
from kg.readers.reading import Block, ReadingJob
from kg.resolver import Resolver

LARGE: Final = 8 * 1024 * 1024
"""Size in bytes from which a file is read by several processes."""
_MOST_WORKERS: Final = 4
_NICENESS: Final = 10

_reader: GdeltRows | None = None
"""Reader of a worker process; it keeps what it looked up for the blocks that follow."""


def worker_count(path: Path) -> int:
    """Return how many processes read a file or folder; 0 if it is small or only one core is available."""
    files = path.rglob("*") if path.is_dir() else (path,)
    size = sum(one.stat().st_size for one in files if one.is_file())
    cores = len(os.sched_getaffinity(0))
    return min(cores, _MOST_WORKERS) if size >= LARGE and cores > 1 else 0


def read_in_parallel(
    blocks: Iterable[Block], workers: int, layout: Layout, options: RowOptions, resolver: Resolver
) -> Generator[tuple[Block, BlockRecords], None, None]:
    """Yield blocks with their records, in the order of the file; at most `workers` + 1 are held at a time.

    Closing the iterator ends the processes. Raises StoreFailedError when one of them was killed.
    """
    waiting: deque[tuple[Block, Future[BlockRecords]]] = deque()
    pool = process_pool(workers, _prepare, layout, options, resolver)
    try:
        for block in blocks:
            waiting.append((block, pool.submit(_read, block)))
            if len(waiting) > workers:
                block, future = waiting.popleft()
                yield block, future.result()
        for block, future in waiting:
            yield block, future.result()
    except BrokenProcessPool:
        raise StoreFailedError(
            "a process that reads rows was killed",
            mend="Check that there is enough free memory, then load the file again.",
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare(layout: Layout, options: RowOptions, resolver: Resolver) -> None:
    global _reader
    os.nice(_NICENESS)  # queries have priority
    # Faults of rows are returned with the records of their block.
    _reader = GdeltRows(ReadingJob([], "", resolver, lambda fault: None), layout, options)


def _read(block: Block) -> BlockRecords:
    assert _reader is not None  # noqa: S101
    found = _reader.read(block, {})
    found.packed, found.pieces = frame(found.pieces), []
    return found
