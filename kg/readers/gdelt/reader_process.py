"""A process that reads blocks of rows for another: python -m kg.readers.gdelt.reader_process, on its pipes.

A message is eight bytes of length and plain values as `marshal` writes them. The first says what to read;
then come blocks, each answered by what it told, with its records compressed. It ends with its input.
"""

from __future__ import annotations

import marshal
import os
import sys
from typing import IO, Any, Final

from kg.actors import Resolver
from kg.rdf.compression import frame
from kg.readers.gdelt.blocks import Rows, Told
from kg.readers.gdelt.code_columns import V1, V2
from kg.readers.gdelt.event_rows import GdeltRows
from kg.readers.reading import Block, Reading

_NICENESS: Final = 10
_LAYOUTS: Final = {layout.slug: layout for layout in (V1, V2)}


def send(pipe: IO[bytes], message: Any) -> None:
    """Send one message; raises BrokenPipeError."""
    data = marshal.dumps(message)
    pipe.write(len(data).to_bytes(8))
    pipe.write(data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """Take one message; raises EOFError when the other side is gone."""
    head = pipe.read(8)
    data = pipe.read(int.from_bytes(head)) if len(head) == 8 else b""
    if not data:
        raise EOFError
    # Both sides are ours.
    return marshal.loads(data)  # noqa: S302


def told_values(told: Told) -> list[Any]:
    """Give what was told as plain values, without the records themselves."""
    return [getattr(told, name) for name in Told.__slots__ if name != "pieces"]


def told_again(values: list[Any]) -> Told:
    """Make what was told from its values."""
    told = Told()
    for name, value in zip((name for name in Told.__slots__ if name != "pieces"), values, strict=True):
        setattr(told, name, value)
    return told


def main(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Read blocks until there are no more."""
    # Those who ask the graph meanwhile come first.
    os.nice(_NICENESS)
    layout, rows, known = receive(requests)
    # Faults of rows travel with what a block told.
    job = Reading([], "", Resolver.restored(known), lambda fault: None)
    reader = GdeltRows(job, _LAYOUTS[layout], Rows(*rows))
    while True:
        told = reader.read(Block(*receive(requests)), {})
        told.packed = frame(told.pieces)
        send(answers, told_values(told))


if __name__ == "__main__":
    try:
        main(sys.stdin.buffer, sys.stdout.buffer)
    except (EOFError, BrokenPipeError):
        # Who asked is gone: so is what was asked for.
        os._exit(0)
