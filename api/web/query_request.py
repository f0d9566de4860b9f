"""SPARQL queries as programs send them: the request, understood once, as one object."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Final
from urllib.parse import quote

from api.web.negotiation import best_format, prefers_html
from api.web.parameters import dataset, decode, inference, only, read_fields
from kg.errors import DiplographError
from kg.rdf.formats import Format, Kind, formats_for
from kg.sparql.text import has_relative_iri
from kg.store import QueryDataset

FORM: Final = "application/x-www-form-urlencoded"
SPARQL_QUERY: Final = "application/sparql-query"
PATH: Final = "/sparql"

_KINDS: Final[tuple[Kind, ...]] = ("solutions", "boolean", "graph")
# Results that change without the data: random values, the clock, new names, other servers; escapes hide
# such words.
_VOLATILE: Final = re.compile(r"rand|now|uuid|bnode|service|\\u", re.IGNORECASE)
_LONG_HEADER: Final = 500
# Requests that are shorter repeat, and are read once.
_SHORT: Final = 2048


@dataclass(frozen=True)
class QueryRequest:
    """One query; `if_none_match` is the header of that name."""

    method: str
    text: str
    dataset: QueryDataset
    inference: bool
    accept: str
    if_none_match: str = ""

    @cached_property
    def formats(self) -> dict[Kind, Format]:
        """Format of each kind of result; a kind that the client accepts in no format has none."""
        return _choose(self.accept) if len(self.accept) < _LONG_HEADER else _choose.__wrapped__(self.accept)

    def etag(self, version: str) -> str:
        """Return the entity tag of the result at a version of the data; empty if it varies by itself.

        The tag is weak, since rows may come in another order; all content codings share it.
        """
        if not version or _VOLATILE.search(self.text):
            return ""
        forms = tuple((kind, form.media_type) for kind, form in self.formats.items())
        named = repr((version, self.text, self.dataset, self.inference, forms))
        return f'W/"{hashlib.sha256(named.encode(errors="surrogatepass")).hexdigest()[:32]}"'

    def holds(self, tag: str) -> bool:
        """Return whether the client has the result of this tag (RFC 9110 section 13.1.2)."""
        if not tag or not self.if_none_match or self.method == "POST":
            return False
        known = {part.strip().removeprefix("W/") for part in self.if_none_match.split(",")}
        return not known.isdisjoint(("*", tag.removeprefix("W/")))


def read_query(
    method: str, query_string: bytes, headers: Mapping[str, str], body: bytes, base: str
) -> QueryRequest | None:
    """Read a request to `/sparql`; None for pages and for faulty requests.

    `headers` have lower-case names. What is None here is answered in full by the door of the protocol.
    """
    short = len(query_string) + len(body) < _SHORT
    read = _read if short else _read.__wrapped__
    query = read(method, query_string, headers.get("accept", ""), headers.get("content-type", ""), body, base)
    known = headers.get("if-none-match", "")
    return replace(query, if_none_match=known) if query is not None and known else query


@lru_cache(maxsize=2048)
def _read(
    method: str, query_string: bytes, accept: str, content_type: str, body: bytes, base: str
) -> QueryRequest | None:
    if prefers_html(accept):
        return None
    media_type = content_type.replace(" ", "").lower().removesuffix(";charset=utf-8")
    try:
        fields = read_fields(body if method == "POST" and media_type == FORM else query_string)
        if method == "POST" and media_type == SPARQL_QUERY:
            fields.setdefault("query", []).append(decode(body))
        elif method == "POST" and media_type != FORM:
            return None
        text = only(fields, "query")
        inferred = inference(fields)
    except DiplographError:
        return None
    graphs = dataset(fields, "default-graph-uri", "named-graph-uri")
    return QueryRequest(method, text, with_base(graphs, text, base), inferred, accept)


def with_base(graphs: QueryDataset, text: str, base: str) -> QueryDataset:
    """Add the endpoint's address as base if a request needs one (SPARQL 1.1 Query section 4.1.1.1)."""
    return replace(graphs, base_iri=quote(base, safe=":/[]%")) if has_relative_iri(text) else graphs


@lru_cache(maxsize=256)
def _choose(accept: str) -> dict[Kind, Format]:
    chosen = {
        kind: best_format(accept, formats_for(kind)) if accept else formats_for(kind)[0] for kind in _KINDS
    }
    return {kind: form for kind, form in chosen.items() if form is not None}
