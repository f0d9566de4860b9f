"""Results that a worker holds, read in a thread or in an event loop; then the worker is free."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pyoxigraph
from pyoxigraph import QueryResultsFormat, QuerySolutions, RdfFormat, Triple

from kg.rdf.formats import Format, Kind
from kg.store.interface import Row
from kg.store.isolated.messages import Head, WriteRequest
from kg.store.isolated.pool import Lease


class IsolatedAnswer:
    """A result, read in a thread; see `Answer`."""

    def __init__(self, lease: Lease, head: Head) -> None:
        self._lease = lease
        self._head = head

    def __del__(self) -> None:
        self._lease.close()

    @property
    def kind(self) -> Kind:
        """Kind of result."""
        return self._head.kind

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self._head.variables

    def rows(self) -> Iterator[Row]:
        """Yield the solutions."""
        pieces = io.BufferedReader(_PieceFile(self._pieces("json")))
        solutions = pyoxigraph.parse_query_results(pieces, format=QueryResultsFormat.JSON)
        assert isinstance(solutions, QuerySolutions)  # noqa: S101
        for solution in solutions:
            yield {name: term for name in self.variables if (term := solution[name]) is not None}

    def truth(self) -> bool:
        """Return the boolean."""
        return b"true" in b"".join(self._pieces("json"))

    def triples(self) -> Iterator[Triple]:
        """Yield the triples."""
        pieces = io.BufferedReader(_PieceFile(self._pieces("nt")))
        for quad in pyoxigraph.parse(pieces, format=RdfFormat.N_TRIPLES):
            yield quad.triple

    def serialize(self, form: Format) -> Iterator[bytes]:
        """Yield the result in pieces as the engine writes them; early failures precede the first."""
        return self._pieces(form.name)

    def close(self) -> None:
        """Free the worker; what is not read yet is lost."""
        self._lease.close()

    def _pieces(self, form: str) -> Iterator[bytes]:
        try:
            self._lease.send(WriteRequest(form))
            while (piece := self._lease.receive()) is not None:
                yield piece
            self._lease.finish()
        finally:
            self._lease.close()


class AsyncAnswer:
    """A result in the format that was asked for with the query, read in an event loop."""

    def __init__(self, lease: Lease, head: Head) -> None:
        self._lease = lease
        self.kind: Kind = head.kind
        self.variables = head.variables
        self.whole = head.body
        """The result, if it came in one message; the worker is free then."""
        self._ended = head.body is not None

    async def piece(self) -> bytes:
        """Return the next piece; empty at the end. Raises QueryStoppedError, StoreFailedError."""
        if self._ended:
            return b""
        piece: bytes | None = await self._lease.receive_async()
        if piece is None:
            self._ended = True
            self._lease.finish()
        return piece or b""

    def close(self) -> None:
        """Free the worker; one that is still at work is killed. Safe to call twice."""
        self._lease.close()


class _PieceFile(io.RawIOBase):
    """The pieces as a file to read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._left = self._left or next(self._pieces, b"")
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
