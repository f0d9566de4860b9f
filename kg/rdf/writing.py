"""Results and graphs written in a format; a term that the format cannot express is refused by name."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final, Protocol

import pyoxigraph
from pyoxigraph import (
    Literal,
    NamedNode,
    QueryBoolean,
    QueryResultsFormat,
    QuerySolutions,
    QueryTriples,
    RdfFormat,
    Triple,
)

from kg.errors import NotAcceptableError
from kg.rdf.formats import Format
from kg.terms import PREFIXES

# Characters outside of Char (XML 1.0 section 2.2), as UTF-8 holds them.
_CONTROLS: Final = bytes({*range(32)} - {*b"\t\n\r"})
_NOT_XML: Final = re.compile(rb"[%b]|\xef\xbf[\xbe\xbf]" % re.escape(_CONTROLS))
_NONCHARACTERS: Final = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
_SHOWN: Final = 60
# A local name without a colon (Namespaces in XML 1.0 section 3), read from its end.
_START: Final = (
    "A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f\u2c00-\u2fef"
    "\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_REVERSED_NAME: Final = re.compile(rf"[{_START}.0-9\xb7\u0300-\u036f\u203f\u2040-]*[{_START}]")
_XMLNS: Final = "http://www.w3.org/2000/xmlns/"
# Names that are not of properties (RDF 1.1 XML Syntax section 7.2), and rdf:li, which a reader numbers.
_SYNTAX: Final = frozenset(
    PREFIXES["rdf"] + name
    for name in (
        "RDF", "ID", "about", "parseType", "resource", "nodeID", "datatype", "Description", "li",
        "aboutEach", "aboutEachPrefix", "bagID",
    )
)  # fmt: skip


class Sink(Protocol):
    """A binary file to which a result can be written."""

    def write(self, data: bytes, /) -> int:
        """Write some bytes; return their number."""


def write_result(result: QuerySolutions | QueryBoolean | QueryTriples, sink: Sink, form: Format) -> None:
    """Write a result of the engine to a binary file; raises NotAcceptableError."""
    if isinstance(result, QueryTriples):
        write_triples(result, sink, form)
        return
    engine_format: Any = form.engine
    with _refusals(form):
        result.serialize(_target(sink, form), format=engine_format)


def write_triples(
    triples: Iterable[Triple], sink: Sink, form: Format, prefixes: Mapping[str, str] | None = None
) -> None:
    """Write triples to a binary file; raises NotAcceptableError."""
    if form.engine == RdfFormat.RDF_XML:
        triples = _with_names(triples)
    engine_format: Any = form.engine
    with _refusals(form):
        pyoxigraph.serialize(
            triples, _target(sink, form), format=engine_format, prefixes=dict(prefixes) if prefixes else None
        )


class XmlText:
    """The text of one XML document, checked piece by piece.

    A carriage return is written as a reference, because a reader would take it for a line feed (XML 1.0
    section 2.11).
    """

    def __init__(self) -> None:
        self._before = b""

    def check(self, piece: bytes) -> bytes:
        """Return a piece of the document; raises NotAcceptableError for a character that XML cannot carry."""
        text = self._before + piece
        if len(text.translate(None, _CONTROLS)) < len(text) or any(map(text.__contains__, _NONCHARACTERS)):
            raise _not_xml(text)
        self._before = text[-_SHOWN:]
        return piece.replace(b"\r", b"&#13;")


class _XmlSink:
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._text = XmlText()

    def write(self, data: bytes) -> int:
        self._sink.write(self._text.check(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: the sink is flushed by its owner."""


def is_xml(form: Format) -> bool:
    """Return whether a format is XML."""
    return form.engine in (RdfFormat.RDF_XML, QueryResultsFormat.XML)


def _target(sink: Sink, form: Format) -> Any:
    return _XmlSink(sink) if is_xml(form) else sink


@contextmanager
def _refusals(form: Format) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if "does not support RDF 1.2" not in str(error):
            raise
        raise NotAcceptableError(
            f"the result holds triple terms (RDF 1.2), which {form.media_type} cannot express",
            mend="Ask for text/turtle or application/n-triples.",
        ) from None


def _with_names(triples: Iterable[Triple]) -> Iterator[Triple]:
    for triple in triples:
        inner: Any = triple
        while isinstance(inner, Triple):
            if fault := _name_fault(inner.predicate):
                raise NotAcceptableError(
                    f"RDF/XML cannot write the predicate {inner.predicate}: {fault}",
                    mend="Ask for text/turtle, application/n-triples or application/ld+json.",
                )
            inner = inner.object
        yield triple


@lru_cache(maxsize=4096)
def _name_fault(predicate: NamedNode) -> str:
    """Return why a predicate cannot be the name of an XML element; empty if it can."""
    iri = predicate.value
    if iri in _SYNTAX:
        return "the name is reserved for its own syntax"
    name = _REVERSED_NAME.match(iri[::-1])
    if name is None:
        return "it does not end in an XML name"
    return "XML reserves its namespace" if iri[: -name.end()] == _XMLNS else ""


def _not_xml(text: bytes) -> NotAcceptableError:
    found = _NOT_XML.search(text)
    assert found is not None  # noqa: S101
    start = max(text.rfind(b">", 0, found.start()) + 1, found.start() - _SHOWN)
    end = text.find(b"<", found.end(), found.end() + _SHOWN)
    shown = text[start : end if end >= 0 else found.end() + _SHOWN].decode(errors="ignore")
    return NotAcceptableError(
        f"XML cannot carry the character U+{ord(found[0].decode()):04X} of the text"
        f" {Literal(html.unescape(shown))}",
        mend="Ask for JSON, CSV or TSV, or for Turtle or N-Triples if the result is a graph.",
    )
