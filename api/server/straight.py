"""The short way of a plain query: GET /sparql for a program, without Flask's routing, with the same answer.

Whatever is not plain, and every error, goes the long way and is told there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from time import perf_counter
from typing import Any, Final

from kg.store.isolated.lease import Asking

from api.server.query_limit import Gate
from api.web.compression import Environ, Headers, Wsgi
from api.web.headers import OPEN, SECURE, timing
from api.web.negotiation import begin, best_format, prefers_html
from api.web.parameters import dataset, inference, only, read_fields
from kg.errors import DiplographError, QuerySyntaxError
from kg.rdf.formats import Format, Kind, formats_for
from kg.store import QueryDataset
from kg.store.isolated.store import IsolatedStore

ASKED: Final = "diplograph.asked"
"""Where a request keeps its query and dataset once somebody has read them."""
RAISED: Final = "diplograph.raised"
"""Where a request keeps the error that its query ended with, for the door to tell."""
BEGUN: Final = "diplograph.begun"
"""Where a request keeps the `Begun` query that it is to be answered by."""

_KINDS: Final[tuple[Kind, ...]] = ("solutions", "boolean", "graph")
# Well below what an address may have with its path.
_LONGEST: Final = 60 * 1024
_LONG_HEADER: Final = 500


class Straight:
    """Wraps the application of a store whose readers answer in one step."""

    def __init__(self, app: Wsgi, store: IsolatedStore, gate: Gate) -> None:
        self._app = app
        self._store = store
        self._gate = gate

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        begun: Begun | None = environ.pop(BEGUN, None)
        asked = None if begun is not None or RAISED in environ else read_plain(environ)
        if asked is None and begun is None:
            return self._app(environ, start_response)
        started = begun.started if begun is not None else perf_counter()
        forms = choose_formats(environ.get("HTTP_ACCEPT", ""))
        inside = begun is not None
        try:
            if begun is not None:
                answer = begun.asking.answer()
            elif asked is not None:
                self._gate.enter()
                inside = True
                answer = self._store.query(*asked, names(forms))
            form = forms.get(answer.kind)
            if form is None:
                answer.close()
                self._gate.leave()
                return self._app(environ, start_response)
            queried = perf_counter()
            first, second, pieces = begin(answer, form)
        except BaseException as error:
            if inside:
                self._gate.leave()
            if not isinstance(error, DiplographError):
                raise
            if not isinstance(error, QuerySyntaxError):  # The address of the endpoint may mend that one.
                environ[RAISED] = error
            return self._app(environ, start_response)
        environ["diplograph.kind"] = answer.kind
        now = perf_counter()
        headers: Headers = [("Content-Type", form.content_type), ("Vary", "Accept"), *SECURE, *OPEN]
        headers.append(
            ("Server-Timing", timing(query=queried - started, write=now - queried, total=now - started))
        )
        if second == b"":
            headers.append(("Content-Length", str(len(first))))
        start_response("200 OK", headers)
        return _Body(filter(None, (first, second)), pieces, self._gate)


@dataclass(frozen=True)
class Begun:
    """A query that was asked before the application was, by who holds a place at the gate for it."""

    asking: Asking
    started: float


class _Body:
    """The pieces of an answer; its end, or its closing, gives the place back."""

    def __init__(self, begun: Iterator[bytes | None], pieces: Iterator[bytes], gate: Gate) -> None:
        self._begun = begun
        self._pieces = pieces
        self._gate: Gate | None = gate

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._begun:
            yield piece or b""
        yield from self._pieces

    def close(self) -> None:
        gate, self._gate = self._gate, None
        if gate is not None:
            try:
                getattr(self._pieces, "close", lambda: None)()
            finally:
                gate.leave()


def read_plain(environ: Environ) -> tuple[str, QueryDataset] | None:
    """Give query and dataset of a plain request; None for any other."""
    if environ.get("PATH_INFO") != "/sparql" or environ["REQUEST_METHOD"] != "GET":
        return None
    raw = str(environ.get("QUERY_STRING", ""))
    if not 0 < len(raw) <= _LONGEST or prefers_html(environ.get("HTTP_ACCEPT", "")):
        return None
    known: tuple[str, QueryDataset] | None = environ.get(ASKED)
    if known is not None:
        return known
    try:
        fields = read_fields(raw.encode("latin-1"))
        if not inference(fields):
            return None
        return only(fields, "query"), dataset(fields, "default-graph-uri", "named-graph-uri")
    except DiplographError:
        return None


def choose_formats(header: str) -> dict[Kind, Format]:
    """Choose a format for each kind of result, as far as the Accept header likes one."""
    return _choose(header) if len(header) < _LONG_HEADER else _choose.__wrapped__(header)


def names(forms: dict[Kind, Format]) -> dict[Kind, str]:
    """Give the formats' names, as a store takes them."""
    return {kind: form.name for kind, form in forms.items()}


@lru_cache(maxsize=256)
def _choose(header: str) -> dict[Kind, Format]:
    chosen = {
        kind: best_format(header, formats_for(kind)) if header else formats_for(kind)[0] for kind in _KINDS
    }
    return {kind: form for kind, form in chosen.items() if form is not None}
