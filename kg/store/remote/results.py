"""A result that comes over HTTP, read as it comes."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from time import monotonic
from typing import Any, Final

import httpx
import pyoxigraph
from pyoxigraph import QueryBoolean, QueryResultsFormat, QuerySolutions, RdfFormat, Triple

from kg.errors import DiplographError, QueryStoppedError, StoreFailedError
from kg.rdf.formats import Format, Kind
from kg.rdf.writing import XmlText, is_xml, write_result, write_triples
from kg.store.interface import Row
from kg.store.remote.boolean_results import with_booleans
from kg.store.remote.problems import unreachable

_SPOOL: Final = 8 * 1024**2
_CHUNK: Final = 64 * 1024
_NATIVE: Final = {
    "application/sparql-results+json": QueryResultsFormat.JSON,
    "application/sparql-results+xml": QueryResultsFormat.XML,
    "application/n-triples": RdfFormat.N_TRIPLES,
    # Engines answer with these where N-Triples was requested.
    "text/plain": RdfFormat.N_TRIPLES,
    "text/turtle": RdfFormat.TURTLE,
}


class RemoteAnswer:
    """The result of one query, read from its response in the thread of the query; see `Answer`.

    `timeout` is the time in seconds to wait for the server. `rows` is the number of solutions at which the
    server cuts a result silently; a result that reaches it is an error. `booleans` are the columns of a
    result in XML in which the server writes booleans as 1 and 0.
    """

    def __init__(
        self,
        response: httpx.Response,
        kind: Kind,
        timeout: float,
        rows: int | None,
        booleans: frozenset[str] = frozenset(),
    ) -> None:
        self._response = response
        self.kind: Kind = kind
        self._rows = rows
        self._url = str(response.request.url.copy_with(query=None))
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        native = _NATIVE.get(media_type)
        if native is None or (kind == "graph") != isinstance(native, RdfFormat):
            response.close()
            raise StoreFailedError(
                f"the answer is {media_type or 'without media type'}, not a SPARQL {kind}",
                where=self._url,
                mend="Check that this is the address of a SPARQL endpoint.",
            )
        self._native = native
        corrected = booleans and native == QueryResultsFormat.XML
        pieces = response.iter_bytes()
        self._body = _Body(with_booleans(pieces, booleans) if corrected else pieces, timeout, self._url)
        self._found: QuerySolutions | QueryBoolean | None = None

    def __del__(self) -> None:
        self.close()

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the columns."""
        found = self._results() if self.kind == "solutions" else None
        return tuple(v.value for v in found.variables) if isinstance(found, QuerySolutions) else ()

    def rows(self) -> Iterator[Row]:
        """Yield the solutions as they arrive."""
        solutions = self._results()
        assert isinstance(solutions, QuerySolutions)  # noqa: S101
        names = self.variables
        self._body.parse_on()
        count = 0
        try:
            while (solution := self._step(lambda: next(solutions, None))) is not None:
                count += 1
                yield {name: term for name in names if (term := solution[name]) is not None}
            self._body.finish()
            self._check_rows(count)
        finally:
            self.close()

    def truth(self) -> bool:
        """Return the boolean."""
        found = self._results()
        try:
            if isinstance(found, QuerySolutions):
                # Virtuoso answers ASK with one row that holds 1, or with none.
                first = self._step(lambda: next(found, None))
                return first is not None and getattr(first[0], "value", "") in ("1", "true")
            return bool(found)
        finally:
            self.close()

    def triples(self) -> Iterator[Triple]:
        """Yield the triples as they arrive."""
        assert isinstance(self._native, RdfFormat)  # noqa: S101
        self._body.parse_on()
        quads = pyoxigraph.parse(io.BufferedReader(self._body, _CHUNK), format=self._native)
        try:
            while (quad := self._step(lambda: next(quads, None))) is not None:
                yield quad.triple
            self._body.finish()
        finally:
            self.close()

    def serialize(self, form: Format) -> Iterator[bytes]:
        """Yield the bytes as they arrive if they have this format; otherwise convert them through a spool."""
        if self.kind == "boolean":
            found = pyoxigraph.parse_query_results(
                b'{"head":{},"boolean":%s}' % (b"true" if self.truth() else b"false"),
                format=QueryResultsFormat.JSON,
            )
            yield found.serialize(format=form.engine) or b""  # type: ignore[arg-type]
        elif form.engine == self._native and self._rows is None:
            try:
                pieces = self._body.pieces()
                yield from map(XmlText().check, pieces) if is_xml(form) else pieces
            finally:
                self.close()
        else:
            yield from self._converted(form)

    def close(self) -> None:
        """Release the connection; the unread rest of the result is lost."""
        self._response.close()

    def _converted(self, form: Format) -> Iterator[bytes]:
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL) as spool:
            target: Any = spool
            try:
                if self.kind == "graph":
                    write_triples(self.triples(), target, form)
                else:
                    if self._rows is not None:
                        self._read_counted()
                    solutions = self._results()
                    self._body.parse_on()
                    self._step(lambda: write_result(solutions, target, form))
                    self._body.finish()
            finally:
                self.close()
            spool.seek(0)
            while chunk := spool.read(_CHUNK):
                yield chunk

    def _read_counted(self) -> None:
        """Read the whole body and count its solutions, before any of them is used."""
        data = b"".join(self._body.pieces())
        counted: Any = self._step(lambda: self._parse(data))
        self._check_rows(self._step(lambda: sum(1 for _ in counted)))
        self._found = self._parse(data)

    def _parse(self, source: Any) -> QuerySolutions | QueryBoolean:
        native: Any = self._native
        return pyoxigraph.parse_query_results(source, format=native)

    def _check_rows(self, count: int) -> None:
        if self._rows is not None and count >= self._rows:
            raise QueryStoppedError(
                f"the store returns at most {self._rows:,} rows, and this result may have more",
                where=self._url,
                mend="Add a LIMIT below that, or raise the limit in the store's settings.",
            )

    def _results(self) -> QuerySolutions | QueryBoolean:
        if self._found is None:
            self._found = self._step(lambda: self._parse(io.BufferedReader(self._body, _CHUNK)))
        return self._found

    def _step(self, step: Any) -> Any:
        try:
            return step()
        except DiplographError:
            raise
        except (SyntaxError, ValueError, OSError) as error:
            if self._body.failure is not None:
                raise self._body.failure from None
            raise StoreFailedError(f"the answer cannot be read: {error}", where=self._url) from None


class _Body(io.RawIOBase):
    """The body of a response: a file to parse, or pieces to pass on.

    The beginning that a parser reads is kept, so that the pieces are complete even after that.
    """

    def __init__(self, incoming: Iterator[bytes], timeout: float, url: str) -> None:
        self._incoming = incoming
        self._timeout = timeout
        self._url = url
        self._waited = 0.0
        self._kept: list[bytes] | None = []
        self._left = b""
        self.failure: DiplographError | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            self._left = self._next()
            if self._kept is not None:
                self._kept.append(self._left)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def parse_on(self) -> None:
        """Stop keeping the beginning."""
        self._kept = None

    def pieces(self) -> Iterator[bytes]:
        """Yield the pieces, including those that a parser has read."""
        yield from filter(None, self._kept or ())
        self._kept = None
        while piece := self._next():
            yield piece

    def finish(self) -> None:
        """Read to the end, so that a transfer that breaks after the last row raises an error."""
        while self._next():
            pass

    def _next(self) -> bytes:
        started = monotonic()
        try:
            # An empty piece is not the end.
            piece = next((piece for piece in self._incoming if piece), b"")
        except httpx.TimeoutException:
            self.failure = stopped(self._timeout, self._url)
        except (httpx.HTTPError, httpx.StreamError) as error:
            self.failure = unreachable(self._url, error)
        else:
            self._waited += monotonic() - started
            if self._waited <= self._timeout:
                return piece
            self.failure = stopped(self._timeout, self._url)
        raise self.failure


def stopped(timeout: float, url: str) -> QueryStoppedError:
    """Build the error for a remote store that took too long."""
    return QueryStoppedError(
        f"the store took longer than {timeout:g} s",
        where=url,
        mend="Narrow the query (a LIMIT inside a sub-query, fewer patterns), or raise "
        "DIPLOGRAPH_QUERY_TIMEOUT on a server of your own.",
    )
