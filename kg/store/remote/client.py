"""A store behind the SPARQL 1.1 protocol: a running diplograph server, or another engine's."""

from __future__ import annotations

import re
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import httpx
from pyoxigraph import NamedNode, Quad, RdfFormat, parse

from kg import errors
from kg.sparql.guard import refuse_excess, refuse_remote_access
from kg.sparql.text import (
    dataset_clauses,
    opening_word,
    request_kind,
    undeclared_prefix,
    with_base,
    with_using,
)
from kg.store.bulk_changes import count_lines
from kg.store.interface import UNION, UNNAMED, Plan, QueryDataset, Store
from kg.store.permitted_updates import permitted
from kg.store.remote.boolean_results import boolean_variables
from kg.store.remote.dialects import OURS, Dialect, recognise
from kg.store.remote.problems import PROBLEM, problem_error, unreachable
from kg.store.remote.results import RemoteAnswer, stopped
from kg.store.remote.syntax_check import syntax_error
from kg.store.unnamed_graph import refuse_unnamed, with_unnamed
from kg.store.updates import graph_terms, named, requests

_KINDS: Final[dict[str, Literal["solutions", "boolean", "graph"]]] = {
    "select": "solutions",
    "ask": "boolean",
    "construct": "graph",
    "describe": "graph",
}
# Seconds to wait for the answer to a write, which may be large.
_WRITE_TIME: Final = 600.0
_JSON: Final = "application/json"
_CHUNK: Final = 256 * 1024
_ZERO: Final = re.compile(rb"\x00|\\u0000|\\U00000000")
_TOLD: Final = 1024**2
_TOLD_LAST: Final = 8 * 1024


# Its representation would show the login.
@dataclass(eq=False, repr=False)
class RemoteStore(Store):
    """The quads of a SPARQL 1.1 endpoint.

    `query_url`, `update_url` and `graphs_url` are the addresses for queries, updates and the graph store; an
    empty one is derived from the dialect. `login` is a bearer token, or `name:password`. `timeout` is the
    time of one query in seconds. Without `dialect` the Server header decides. `allowed` are the URL prefixes
    that SERVICE and LOAD may reach.

    An update is one transaction if the engine makes it one. A replacement, and a change larger than the
    engine's requests may be, take several requests: a failure leaves the first of them done.
    """

    query_url: str
    _: KW_ONLY
    update_url: str = ""
    graphs_url: str = ""
    login: str = ""
    timeout: float = 60.0
    dialect: Dialect | None = None
    allowed: Sequence[str] = ()

    def __post_init__(self) -> None:
        self._writing = threading.Lock()
        self._http = httpx.Client(
            timeout=self.timeout,
            # Proxies of the environment are not meant for the store.
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=32),
        )
        self._auth: httpx.Auth | None = None

    @property
    def _spoken(self) -> Dialect:
        """The engine's dialect, recognised by its answer to a first query. Raises StoreFailedError."""
        if self.dialect is None:
            try:
                response = self._http.get(self.query_url, params={"query": "ASK {}"})
            except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as error:
                raise self._failure(error, self.query_url) from None
            self.dialect = recognise(response.headers.get("Server", ""))
        return self.dialect

    def query(self, text: str, dataset: QueryDataset = UNION) -> RemoteAnswer:
        """Answer a SPARQL 1.1 query; see `Store.query`. The result is streamed."""
        refuse_excess(text)
        refuse_remote_access(text, self.allowed)
        self._refuse_malformed(text, "query")
        dataset = with_unnamed(text, dataset)
        kind = _KINDS.get(opening_word(text), "solutions")
        dialect = self._spoken
        text = with_base(text, dataset.base_iri)
        accept = "application/n-triples" if kind == "graph" else dialect.results
        response = self._ask(text, dialect, accept, dataset)
        if dialect.partial_header in response.headers:
            response.close()
            raise stopped(self.timeout, self.query_url)
        limit = response.headers.get(dialect.row_limit_header, "")
        booleans = frozenset[str]()
        if dialect.integer_booleans and kind == "solutions":
            booleans = boolean_variables(text)
        return RemoteAnswer(response, kind, self.timeout, int(limit) if limit.isdigit() else None, booleans)

    def plan(self, text: str, dataset: QueryDataset = UNION) -> Plan:
        """Return how a query would be answered; only servers of ours say it. See `Store.plan`."""
        dialect = self._spoken
        if dialect is not OURS:
            return super().plan(text, dataset)
        with closing(
            self._send(self.query_url, "query", text, dialect, {"explain": ["true"]}, _JSON)
        ) as answer:
            answer.read()
            return Plan(**answer.json())

    def update(self, text: str, dataset: QueryDataset = UNION) -> None:
        """Carry out a SPARQL 1.1 update; see `Store.update`."""
        refuse_excess(text)
        text = permitted(text, self.allowed, dataset.base_iri)
        refuse_unnamed(text, dataset)
        self._refuse_malformed(text, "update")
        if not dataset.is_union:
            graph_terms((*dataset.default, *dataset.named))
            text = with_using(text, dataset.default, dataset.named)
        self._update(with_base(text, dataset.base_iri))

    def change(self, removed: Iterable[Quad], added: Iterable[Quad]) -> None:
        """Remove and add quads, in one request if the engine accepts its size; see `Store.change`."""
        dialect = self._spoken
        for request in list(requests(removed, added, dialect.operation_triples, dialect.request_bytes)):
            self._update(request)

    def replace(self, graph: NamedNode, path: Path, record: Iterable[Quad] = ()) -> None:
        """Replace a graph by the N-Triples of a file, then add `record`.

        The graph is replaced by the Graph Store HTTP Protocol (section 5.3), and the record is added by an
        update: a failure may leave the first step done. Raises StoreFailedError, RequestError.
        """
        record = list(record)
        url = self.graphs_url or self._beside(self._spoken.graphs)
        if url:
            self._put(url, graph, path)
        else:
            self._insert(graph, path)
        self.change((), record)

    @property
    def version(self) -> str:
        """Empty: other clients may change the data."""
        return ""

    def settle(self) -> None:
        """Do nothing: there is no version."""

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _refuse_malformed(self, text: str, wanted: Literal["query", "update"]) -> None:
        # Only SPARQL is sent: engines accept other statements and predefined prefixes too.
        if (request_kind(text) != wanted or undeclared_prefix(text)) and (
            error := syntax_error(text, wanted)
        ):
            raise error

    def _ask(self, text: str, dialect: Dialect, accept: str, dataset: QueryDataset) -> httpx.Response:
        graph_terms((*dataset.default, *dataset.named))
        graphs = {"default-graph-uri": list(dataset.default), "named-graph-uri": list(dataset.named)}
        clauses = dataset_clauses(text)
        if dialect.empty_graph:
            text = _with_empty(text, clauses, graphs, dialect.empty_graph)
        elif dataset.default == (UNNAMED,) and dialect is not OURS:
            # Without graphs in the request or its text, an engine's default graph is the unnamed one.
            graphs["default-graph-uri"] = []
            text = _without(text, clauses)
        elif dialect.union and dataset.is_union and not clauses:
            graphs[dialect.union] = [""]
        return self._send(self.query_url, "query", text, dialect, graphs, accept)

    def _update(self, text: str) -> None:
        dialect = self._spoken
        url = self.update_url or self._beside(dialect.update) or self.query_url
        if dialect.drops_zero:
            _refuse_zero([text.encode()], url)
        with self._writing:
            self._send(url, "update", text, dialect, {}, "*/*").close()

    def _send(
        self,
        url: str,
        wanted: Literal["query", "update"],
        text: str,
        dialect: Dialect,
        graphs: dict[str, list[str]],
        accept: str,
    ) -> httpx.Response:
        headers = {"Accept": f"{accept}, {PROBLEM};q=0.1" if accept != "*/*" else accept}
        timeout = httpx.Timeout(self.timeout, read=_WRITE_TIME if wanted == "update" else self.timeout)
        body: dict[str, Any] = {"data": {wanted: text, **_some(graphs)}}
        if dialect.direct:
            headers["Content-Type"] = f"application/sparql-{wanted}"
            body = {"content": text.encode(), "params": _some(graphs)}
        request = self._http.build_request("POST", url, headers=headers, timeout=timeout, **body)
        response = self._exchange(request, wanted)
        if response.is_success:
            return response
        try:
            error = problem_error(response)
            plain = not response.headers.get("Content-Type", "").startswith(PROBLEM)
        finally:
            response.close()
        if plain and response.status_code in (400, 500):
            # Our own engine has the better message, with the position.
            raise syntax_error(text, wanted) or dialect.explain(response.text, error)
        raise error

    def _exchange(self, request: httpx.Request, wanted: str) -> httpx.Response:
        """Send a request; the body of a successful response is left unread, that of another is read."""
        url = str(request.url.copy_with(query=None))
        try:
            response = self._http.send(
                request, auth=self._credentials(), stream=True, follow_redirects=wanted == "query"
            )
            if not response.is_success:
                response._content = b"".join(_some_of(response.iter_bytes()))
        except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as error:
            if wanted == "query" and isinstance(error, httpx.ReadTimeout):
                raise stopped(self.timeout, url) from None
            raise self._failure(error, url) from None
        return response

    def _put(self, url: str, graph: NamedNode, path: Path) -> None:
        named = {"graph": graph.value}
        # Virtuoso ignores a body without Content-Length.
        headers = {"Content-Type": "application/n-triples", "Content-Length": str(path.stat().st_size)}
        timeout = httpx.Timeout(self.timeout, read=_WRITE_TIME, write=_WRITE_TIME)
        if self._spoken.drops_zero:
            with path.open("rb") as lines:
                _refuse_zero(lines, url)
        with self._writing:
            if self._spoken.login == "digest":
                # The challenge is answered on a small request, so that the file is sent only once.
                self._exchange(self._http.build_request("HEAD", url, params=named), "").close()
            request = self._http.build_request(
                "PUT", url, params=named, content=_File(path), headers=headers, timeout=timeout
            )
            response = self._exchange(request, "")
        response.close()
        if not response.is_success:
            raise problem_error(response)

    def _insert(self, graph: NamedNode, path: Path) -> None:
        """Replace a graph by updates, for an engine without a graph store."""
        self._update(f"CLEAR SILENT GRAPH {graph}")
        dialect = self._spoken
        # Each operation makes new blank nodes, so one that several operations share needs an IRI.
        apart = count_lines(path, dialect.operation_triples + 1) > dialect.operation_triples
        name = named if apart else lambda term: term
        with path.open("rb") as file:
            quads = (
                Quad(name(found.subject), found.predicate, name(found.object), graph)
                for found in parse(file, format=RdfFormat.N_TRIPLES)
            )
            for request in requests((), quads, dialect.operation_triples, dialect.request_bytes, blank=True):
                self._update(request)

    def _credentials(self) -> httpx.Auth | None:
        if not self.login:
            return None
        if self._auth is None:
            name, colon, password = self.login.partition(":")
            if not colon:
                self._auth = _Bearer(name)
            elif self._spoken.login == "digest":
                self._auth = httpx.DigestAuth(name, password)
            else:
                self._auth = httpx.BasicAuth(name, password)
        return self._auth

    def _beside(self, name: str) -> str:
        return str(httpx.URL(self.query_url).join(name)) if name else ""

    def _failure(self, error: Exception, url: str) -> errors.StoreFailedError:
        if self._http.is_closed:
            return errors.StoreFailedError("the store is closed")
        return unreachable(url, error)


class _Bearer(httpx.Auth):
    """A bearer token (RFC 6750)."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class _File:
    """A file as a request body that can be sent again."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while piece := file.read(_CHUNK):
                yield piece


def _refuse_zero(lines: Iterable[bytes], url: str) -> None:
    if any(_ZERO.search(line) for line in lines):
        raise errors.StoreFailedError(
            "this store would drop the character U+0000, which a text contains",
            where=url,
            mend="Remove the character from the data.",
        )


def _with_empty(
    text: str, clauses: list[tuple[int, int, bool]], graphs: dict[str, list[str]], empty: str
) -> str:
    """Name an empty graph for a missing half of the dataset; the request's dataset replaces the query's."""
    if any(graphs.values()):
        text = _without(text, clauses)
        for iris in graphs.values():
            iris[:] = iris or [empty]
    elif clauses and len({named for *_, named in clauses}) == 1:
        end, named = clauses[-1][1:]
        text = f"{text[:end]} FROM {'' if named else 'NAMED '}<{empty}>{text[end:]}"
    return text


def _without(text: str, clauses: list[tuple[int, int, bool]]) -> str:
    for start, end, _ in clauses:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _some(fields: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: values for name, values in fields.items() if values}


def _some_of(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the beginning and the end of the message about a failure."""
    size = 0
    end = b""
    for piece in pieces:
        if size < _TOLD:
            yield piece
        else:
            end = (end + piece)[-_TOLD_LAST:]
        size += len(piece)
    yield end
