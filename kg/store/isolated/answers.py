"""Results that a worker holds, read in a thread or in an event loop; then the worker is given back."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pyoxigraph
from pyoxigraph import QueryResultsFormat, QuerySolutions, RdfFormat, Triple

from kg.errors import StoreFailedError
from kg.rdf.formats import Format, Kind
from kg.rdf.piece_file import PieceFile
from kg.store.interface import Row
from kg.store.isolated.lease import Lease
from kg.store.isolated.messages import Head, WriteRequest


class IsolatedAnswer:
    """A result, read in a thread; see `Answer`."""

    def __init__(self, lease: Lease, head: Head) -> None:
        self._lease = lease
        self.kind: Kind = head.kind
        self.variables = head.variables
        self.engine = head.engine

    def rows(self) -> Iterator[Row]:
        """Yield the solutions."""
        try:
            solutions = pyoxigraph.parse_query_results(self._file("json"), format=QueryResultsFormat.JSON)
            assert isinstance(solutions, QuerySolutions)  # noqa: S101
            for solution in solutions:
                yield {name: term for name in self.variables if (term := solution[name]) is not None}
        except MemoryError as error:
            raise _too_long(error) from None
        finally:
            self._lease.abandon()

    def truth(self) -> bool:
        """Return the boolean."""
        return b"true" in b"".join(ResultPieces(self._lease, "json"))

    def triples(self) -> Iterator[Triple]:
        """Yield the triples."""
        try:
            for quad in pyoxigraph.parse(self._file("nt"), format=RdfFormat.N_TRIPLES):
                yield quad.triple
        except MemoryError as error:
            raise _too_long(error) from None
        finally:
            self._lease.abandon()

    def serialize(self, form: Format) -> ResultPieces:
        """Return the result in pieces as the engine writes them; early failures precede the first."""
        return ResultPieces(self._lease, form.name)

    def close(self) -> None:
        """Return the worker; the unread rest of the result is lost."""
        self._lease.close()

    def _file(self, form: str) -> io.BufferedReader:
        return io.BufferedReader(PieceFile(ResultPieces(self._lease, form)))


class ResultPieces(Iterator[bytes]):
    """A result in one format, in pieces.

    Not a generator: when the garbage collector ends one, its `finally` may run in a thread that holds a lock
    of the pool.
    """

    def __init__(self, lease: Lease, form: str) -> None:
        self._lease = lease
        self._request: WriteRequest | None = WriteRequest(form)
        self._ended = False

    def __next__(self) -> bytes:
        if self._ended:
            raise StopIteration
        if self._request is not None:
            request, self._request = self._request, None
            self._lease.send(request)
        piece: bytes | None = self._lease.receive()
        if piece is None:
            self._ended = True
            self._lease.finish()
            raise StopIteration
        return piece

    def close(self) -> None:
        """End the query; the unread rest of the result is lost."""
        self._ended = True
        self._lease.close()


class AsyncAnswer:
    """A result in the format that the query named, read in an event loop."""

    def __init__(self, lease: Lease, head: Head) -> None:
        self._lease = lease
        self.kind: Kind = head.kind
        self.variables = head.variables
        self.engine = head.engine
        self.whole = head.body
        """The result if it is short; the worker has been given back then."""
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
        """Return the worker; one that is still at work is killed. Safe to call twice."""
        self._lease.close()


def _too_long(error: MemoryError) -> StoreFailedError:
    return StoreFailedError(
        f"the result has a literal that cannot be read: {error}",
        mend="An update computed it. Query without it, and delete it by an update.",
    )
