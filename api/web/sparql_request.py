"""Requests of the SPARQL 1.1 Protocol: read once, strictly, into one object.

Parameters may be repeated, and text is UTF-8.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Final
from urllib.parse import parse_qsl, quote

from werkzeug.http import parse_options_header

from api.web.negotiation import Accepted, named_format, read_accept
from kg.errors import ParameterError, UnsupportedFormatError
from kg.sparql.text import has_relative_iri
from kg.store import QueryDataset

FORM: Final = "application/x-www-form-urlencoded"
PATH: Final = "/sparql"

# Results that change without the data: random values, the clock, new names, other servers; escapes hide
# such words.
_VOLATILE: Final = re.compile(r"rand|now|uuid|bnode|service|\\u", re.IGNORECASE)
# Requests that are shorter repeat, and are read once.
_SHORT: Final = 2048

Fields = Mapping[str, list[str]]


@dataclass(frozen=True)
class QueryRequest:
    """One query; `fields` are its parameters, `if_none_match` is the header of that name.

    `explain` asks how the query would be answered, in place of its result.
    """

    method: str
    text: str
    fields: Fields
    dataset: QueryDataset
    inference: bool
    accepted: Accepted
    if_none_match: str = ""
    explain: bool = False

    def etag(self, version: str) -> str:
        """Return the entity tag of the result at a version of the data; empty if it varies by itself.

        The tag is weak, since rows may come in another order; all content codings share it.
        """
        return f'W/"{self._digest}-{version}"' if version and self._digest else ""

    @cached_property
    def _digest(self) -> str:
        if _VOLATILE.search(self.text):
            return ""
        forms = tuple((kind, form.media_type) for kind, form in self.accepted.results.items())
        named = repr((self.text, self.dataset, self.inference, forms))
        return hashlib.sha256(named.encode(errors="surrogatepass")).hexdigest()[:32]

    def holds(self, tag: str) -> bool:
        """Return whether the client has the result of this tag (RFC 9110 section 13.1.2)."""
        if not tag or not self.if_none_match or self.method == "POST":
            return False
        known = {part.strip().removeprefix("W/") for part in self.if_none_match.split(",")}
        return not known.isdisjoint(("*", tag.removeprefix("W/")))


def read_query(
    method: str, query_string: bytes, headers: Mapping[str, str], body: bytes, base: str
) -> QueryRequest:
    """Read a query (SPARQL 1.1 Protocol 2.1), whose relative IRIs are resolved against `base` if it has any.

    The parameter `format` or `output` goes before the header Accept.
    `headers` have lower-case names. Raises ParameterError, UnsupportedFormatError.
    """
    short = len(query_string) + len(body) < _SHORT
    read = _read_query if short else _read_query.__wrapped__
    accepted = read_accept(headers.get("accept", ""))
    query = read(method, query_string, accepted, headers.get("content-type", ""), body, base)
    known = headers.get("if-none-match", "")
    return replace(query, if_none_match=known) if known else query


@lru_cache(maxsize=2048)
def _read_query(
    method: str, query_string: bytes, accepted: Accepted, content_type: str, body: bytes, base: str
) -> QueryRequest:
    if method == "POST":
        fields = _posted("query", query_string, content_type, body)
    else:
        fields = read_fields(query_string)
    text = _only(fields, "query")
    graphs = _dataset(fields, "default-graph-uri", "named-graph-uri", text, base)
    named = [*fields.get("format", ()), *fields.get("output", ())]
    if named:
        accepted = named_format(named[0])
    explain = _truth(fields, "explain", "false", "the way a query is answered", "its result")
    return QueryRequest(method, text, fields, graphs, read_inference(fields), accepted, explain=explain)


def read_update(query_string: bytes, content_type: str, body: bytes, base: str) -> tuple[str, QueryDataset]:
    """Read an update and its dataset (section 2.2); raises ParameterError, UnsupportedFormatError."""
    fields = _posted("update", query_string, content_type, body)
    text = _only(fields, "update")
    return text, _dataset(fields, "using-graph-uri", "using-named-graph-uri", text, base)


def read_inference(fields: Fields) -> bool:
    """Read the parameter `inference`, true by default: whether entailments count.

    Raises ParameterError for any other value, and when there is more than one.
    """
    return _truth(fields, "inference", "true", "answers with entailments", "answers without")


def _truth(fields: Fields, name: str, default: str, yes: str, no: str) -> bool:
    values = fields.get(name, [default])
    if len(values) != 1 or values[0] not in ("true", "false"):
        raise ParameterError(
            f"{name}={' and '.join(values)[:80]!r} is not true or false",
            mend=f"Write {name}=true for {yes}, {name}=false for {no}.",
        )
    return values[0] == "true"


def read_fields(encoded: bytes) -> dict[str, list[str]]:
    """Read application/x-www-form-urlencoded text. Raises ParameterError for what is not UTF-8."""
    fields: dict[str, list[str]] = {}
    try:
        for name, value in parse_qsl(encoded.decode(), keep_blank_values=True, errors="strict"):
            fields.setdefault(name, []).append(value)
    except UnicodeDecodeError as error:
        raise _not_utf8(error) from None
    return fields


def decode(data: bytes) -> str:
    """Read UTF-8, without a byte-order mark; raises ParameterError that names the byte."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf8(error) from None


def _not_utf8(error: UnicodeDecodeError) -> ParameterError:
    return ParameterError(
        "the text is not UTF-8", where=f"byte {error.start}", mend="Encode it as UTF-8 and send it again."
    )


def _posted(name: str, query_string: bytes, content_type: str, body: bytes) -> dict[str, list[str]]:
    """Read the fields of a form, or those of the address with the body itself as `name`."""
    media_type, options = parse_options_header(content_type)
    direct = f"application/sparql-{name}"
    utf8 = options.get("charset", "utf-8").lower() in ("utf-8", "utf8")
    if media_type.lower() not in (direct, FORM) or not utf8:
        raise UnsupportedFormatError(
            f"the body is sent as {content_type or 'no media type'}",
            mend=f"Send it as {direct} or {FORM}, in UTF-8.",
        )
    if media_type.lower() == FORM:
        return read_fields(body)
    fields = read_fields(query_string)
    fields.setdefault(name, []).append(decode(body))
    return fields


def _only(fields: Fields, name: str) -> str:
    values = fields.get(name, [])
    if len(values) != 1:
        raise ParameterError(
            f"{'no' if not values else len(values)} '{name}' parameter{'s' if len(values) > 1 else ''} given",
            mend=f"Send exactly one '{name}' parameter.",
        )
    return values[0]


def _dataset(fields: Fields, default: str, named: str, text: str, base: str) -> QueryDataset:
    """Return the dataset that the fields name, with a base if the text needs one (SPARQL 1.1 4.1.1.1)."""
    base_iri = quote(base, safe=":/[]%") if has_relative_iri(text) else ""
    # An empty parameter of a form names no graph.
    graphs, named_graphs = (tuple(filter(None, fields.get(name, ()))) for name in (default, named))
    return QueryDataset(graphs, named_graphs, base_iri)
