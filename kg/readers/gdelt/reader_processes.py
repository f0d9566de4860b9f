"""Reading blocks of rows in several processes, which compress the records, too."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import astuple
from pathlib import Path
from typing import IO, Any, Final

from kg.actors import Resolver
from kg.errors import StoreFailedError
from kg.readers.gdelt.blocks import Rows, Told
from kg.readers.gdelt.code_columns import Layout
from kg.readers.gdelt.reader_process import receive, send, told_again
from kg.readers.reading import Block

LARGE: Final = 8 * 1024 * 1024
"""Bytes of a file from which on several processes pay."""
_MOST: Final = 4
# Linux gives no more to those without rights; a block fits but for its edges.
_PIPE: Final = 1024 * 1024


def worth_it(path: Path) -> int:
    """Tell how many processes are to read a file or a folder; 0 where it is too small, or no core is free."""
    files = path.rglob("*") if path.is_dir() else (path,)
    size = sum(one.stat().st_size for one in files if one.is_file())
    cores = len(os.sched_getaffinity(0))
    return min(cores, _MOST) if size >= LARGE and cores > 1 else 0


class ReaderProcesses:
    """Processes that read blocks in turn; use it as a context, and none is left when it ends.

    They end with this process, too, however it ends.
    """

    def __init__(self, count: int, layout: Layout, rows: Rows, resolver: Resolver) -> None:
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "kg.readers.gdelt.reader_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pipesize=_PIPE,
                stderr=subprocess.DEVNULL,
                # Ctrl-C reaches this process alone; a session of its own would undo its low priority.
                process_group=0,
                cwd=Path(__file__).parents[3],
            )
            for _ in range(count)
        ]
        task = [layout.slug, list(astuple(rows)), resolver.state()]
        try:
            for process in self._processes:
                _say(process, task)
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> ReaderProcesses:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._processes:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                try:
                    if pipe is not None:
                        pipe.close()
                except BrokenPipeError:
                    continue
            process.wait()

    def read(self, blocks: Iterable[Block]) -> Iterator[tuple[Block, Told]]:
        """Read blocks, and give them in their order; raises StoreFailedError where a process is gone."""
        under_way: deque[tuple[Block, subprocess.Popen[bytes]]] = deque()
        for number, block in enumerate(blocks):
            process = self._processes[number % len(self._processes)]
            taken = None
            if len(under_way) == len(self._processes):
                taken = under_way.popleft()[0], told_again(_hear(process))
            # It works on while what it told is taken.
            _say(process, list(astuple(block)))
            under_way.append((block, process))
            if taken is not None:
                yield taken
        for block, process in under_way:
            yield block, told_again(_hear(process))


def _say(process: subprocess.Popen[bytes], message: Any) -> None:
    try:
        send(_pipe(process.stdin), message)
    except BrokenPipeError:
        raise _gone() from None


def _hear(process: subprocess.Popen[bytes]) -> Any:
    try:
        return receive(_pipe(process.stdout))
    except EOFError:
        raise _gone() from None


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101
    return pipe


def _gone() -> StoreFailedError:
    return StoreFailedError(
        "a process that read rows ended unexpectedly",
        mend="See whether there is memory left, and load again.",
    )
