"""A store behind the SPARQL 1.1 protocol, such as a running diplograph server."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx
import pyoxigraph
from pyoxigraph import NamedNode, Quad, QueryBoolean, QueryResultsFormat, QuerySolutions, RdfFormat, Triple

from kg import errors
from kg.formats import Format, Kind
from kg.store.answer import Row
from kg.store.seam import UNION, QueryDataset

_ACCEPT = "application/sparql-results+json, application/n-triples;q=0.9"
_PROBLEM = "application/problem+json"
# By the last part of a problem's type; what is not listed is told apart by its status.
_KINDS: dict[str, type[errors.DiplographError]] = {
    "query-refused": errors.QueryRefusedError,
    "query-stopped": errors.QueryStoppedError,
    "parameter": errors.ParameterError,
    "unknown-name": errors.UnknownNameError,
    "unsupported-format": errors.UnsupportedFormatError,
    "not-acceptable": errors.NotAcceptableError,
    "too-large": errors.TooLargeError,
    "conflict": errors.ConflictError,
    "cancelled": errors.CancelledError,
    "sign-in-required": errors.SignInRequiredError,
    "wrong-token": errors.WrongTokenError,
    "read-only": errors.ReadOnlyError,
    "store-busy": errors.StoreBusyError,
    "tool-missing": errors.ToolMissingError,
}


class RemoteStore:
    """A store that answers at `query_url` (and takes updates at `update_url`, with the bearer `token`)."""

    def __init__(
        self, query_url: str, *, update_url: str = "", token: str = "", timeout: float = 60.0
    ) -> None:
        self._query_url = query_url
        self._update_url = update_url
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # A proxy from the environment has no business between us and a server on this machine.
        self._http = httpx.Client(headers=headers, timeout=timeout, trust_env=False)

    def query(self, text: str, dataset: QueryDataset = UNION) -> RemoteAnswer:
        """Answer a SPARQL 1.1 query; see `Store.query`. A result is read whole, or an error is raised."""
        response = self._send(
            self._query_url,
            text,
            "application/sparql-query",
            {"default-graph-uri": dataset.default, "named-graph-uri": dataset.named},
        )
        return RemoteAnswer(response.content, response.headers.get("Content-Type", ""), self._query_url)

    def update(self, text: str, dataset: QueryDataset = UNION) -> None:
        """Carry out a SPARQL 1.1 update; see `Store.update`."""
        if not self._update_url:
            raise errors.StoreFailedError("it takes no updates", where=self._query_url)
        self._send(
            self._update_url,
            text,
            "application/sparql-update",
            {"using-graph-uri": dataset.default, "using-named-graph-uri": dataset.named},
        )

    def change(self, removed: Iterable[Quad], added: Iterable[Quad]) -> None:
        """Remove and add quads in one request, which the other side carries out as one transaction."""
        parts = [_data("DELETE", removed), _data("INSERT", added)]
        request = ";\n".join(part for part in parts if part)
        if request:
            self.update(request)

    def replace(self, graph: NamedNode, path: Path, record: Iterable[Quad] = ()) -> None:
        """Put a file's triples in the place of what a graph holds, in one request; see `Store.replace`."""
        triples = pyoxigraph.parse(path=str(path), format=RdfFormat.N_TRIPLES)
        quads = (Quad(t.subject, t.predicate, t.object, graph) for t in triples)
        insert = _data("INSERT", (*quads, *record))
        self.update(f"DROP SILENT GRAPH {graph}" + (f";\n{insert}" if insert else ""))

    @property
    def version(self) -> str:
        """Give nothing: others may change the data behind our back."""
        return ""

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _send(
        self, url: str, text: str, media_type: str, graphs: dict[str, tuple[str, ...]]
    ) -> httpx.Response:
        try:
            response = self._http.post(
                url,
                content=text.encode(),
                params={name: list(iris) for name, iris in graphs.items() if iris},
                headers={"Content-Type": media_type, "Accept": f"{_ACCEPT}, {_PROBLEM};q=0.1"},
            )
        except httpx.HTTPError as error:
            raise unreachable(url, error) from None
        if response.is_success:
            return response
        raise problem_error(response)


class RemoteAnswer:
    """A result that came over HTTP, held whole."""

    def __init__(self, body: bytes, content_type: str, url: str) -> None:
        self._body = body
        media_type = content_type.partition(";")[0].strip().lower()
        self._results: QuerySolutions | QueryBoolean | None = None
        if media_type == "application/sparql-results+json":
            try:
                self._results = pyoxigraph.parse_query_results(body, format=QueryResultsFormat.JSON)
            except (SyntaxError, ValueError) as error:
                raise errors.StoreFailedError(f"its answer cannot be read: {error}", where=url) from None
        elif media_type != "application/n-triples":
            raise errors.StoreFailedError(
                f"it answered with {media_type or 'no media type'}, which is no SPARQL result",
                where=url,
                mend="Check that this is the address of a SPARQL endpoint.",
            )
        self._url = url

    @property
    def kind(self) -> Kind:
        """Tell what it is."""
        if self._results is None:
            return "graph"
        return "boolean" if isinstance(self._results, QueryBoolean) else "solutions"

    @property
    def variables(self) -> tuple[str, ...]:
        """Name the columns."""
        found = self._results
        return tuple(v.value for v in found.variables) if isinstance(found, QuerySolutions) else ()

    def rows(self) -> Iterator[Row]:
        """Read the solutions."""
        assert isinstance(self._results, QuerySolutions)  # noqa: S101
        names = self.variables
        try:
            for solution in self._results:
                yield {name: term for name in names if (term := solution[name]) is not None}
        except (SyntaxError, ValueError) as error:
            raise errors.StoreFailedError(f"its answer cannot be read: {error}", where=self._url) from None

    def truth(self) -> bool:
        """Read the boolean."""
        return bool(self._results)

    def triples(self) -> Iterator[Triple]:
        """Read the triples."""
        try:
            for quad in pyoxigraph.parse(self._body, format=RdfFormat.N_TRIPLES):
                yield quad.triple
        except SyntaxError as error:
            raise errors.StoreFailedError(f"its answer cannot be read: {error}", where=self._url) from None

    def serialize(self, form: Format) -> Iterator[bytes]:
        """Write the result in another format."""
        target = io.BytesIO()
        if self._results is None:
            pyoxigraph.serialize(self.triples(), target, format=form.engine)  # type: ignore[arg-type]
        else:
            self._results.serialize(target, format=form.engine)  # type: ignore[arg-type]
        yield target.getvalue()


def unreachable(url: str, error: Exception) -> errors.StoreFailedError:
    """Say that a server gave no whole answer."""
    return errors.StoreFailedError(
        f"no whole answer came: {error or type(error).__name__}",
        where=url,
        mend="Check that the server runs, and try again.",
    )


def problem_error(response: httpx.Response) -> errors.DiplographError:
    """Make the error again that a server told as problem details (RFC 9457), else one by the status."""
    members: dict[str, object] = {}
    if response.headers.get("Content-Type", "").startswith(_PROBLEM):
        members = response.json()
    detail = str(members.get("detail") or f"it answered with {response.status_code} {response.reason_phrase}")
    where = str(members["where"]) if "where" in members else None
    mend = str(members["mend"]) if "mend" in members else None
    kind = str(members.get("type", "")).rpartition("/")[2]
    if kind in ("query-syntax", "data-syntax"):
        placed = errors.QuerySyntaxError if kind == "query-syntax" else errors.DataSyntaxError
        line, column = members.get("line"), members.get("column")
        return placed(
            detail,
            where=where,
            mend=mend,
            line=line if isinstance(line, int) else None,
            column=column if isinstance(column, int) else None,
        )
    if kind == "validation-failed":
        findings = members.get("findings")
        lines = tuple(str(line) for line in findings) if isinstance(findings, list) else ()
        return errors.ValidationFailedError(detail, where=where, mend=mend, findings=lines)
    other = errors.RequestError if 400 <= response.status_code < 500 else errors.StoreFailedError
    return _KINDS.get(kind, other)(detail, where=where or (None if members else str(response.url)), mend=mend)


def _data(verb: str, quads: Iterable[Quad]) -> str:
    lines = "\n".join(
        f"GRAPH {quad.graph_name} {{ {quad.subject} {quad.predicate} {quad.object} }}" for quad in quads
    )
    return f"{verb} DATA {{\n{lines}\n}}" if lines else ""
