"""Reads RDF files strictly and as a stream: nothing is guessed, dropped or fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyoxigraph
from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, Triple

from kg.errors import DataSyntaxError, TooLargeError, UnsupportedFormatError
from kg.rdf.content import Content
from kg.rdf.formats import RDF_FORMATS, Format, rdf_format
from kg.rdf.jsonld import read_document, refuse_losses
from kg.rdf.literals import is_too_long
from kg.rdf.nesting import TURTLE_TOKEN, refuse_deep_turtle
from kg.rdf.rdf_xml import as_written, read_xml
from kg.rdf.sorted_lines import Watch
from kg.settings import LITERAL_LIMIT
from kg.terms import compact

# Names under .invalid do not exist (RFC 2606), so an IRI with this base was relative.
_RELATIVE: Final = "https://relative.invalid/"
_EXTERNAL_CONTEXT: Final = "the JSON-LD context is at another address, which is not fetched"
_EMBED_CONTEXT: Final = 'Replace the address by the context itself: {"@context": {…}}.'
_NOT_CLOSED: Final = "the text that begins here is not closed"
_BREAKS_OFF: Final = "The file ends here: check that it is complete."
_LONG_XML: Final = re.compile(rb"(?<=>)[^<>]{%d,}" % LITERAL_LIMIT)
_TICK: Final = 20_000
_GRAPHS: Final = 1_000


@dataclass
class RdfReading:
    """One file being read; of one with several graphs, only `wanted` is read, if it is among them."""

    content: Content
    syntax: Format
    base_iri: str | None = None
    wanted: NamedNode | None = None
    prefixes: dict[str, str] = field(default_factory=dict)
    graphs: set[object] = field(default_factory=set)
    """The graphs of the triples that were read, at most _GRAPHS."""

    @property
    def graph(self) -> NamedNode | None:
        """The only named graph of what was read, if any. Raises DataSyntaxError for several graphs."""
        return _one_graph(self.graphs, self.name)

    @property
    def name(self) -> str:
        """Name of the file in messages."""
        return self.content.name

    def triples(self, watch: Watch | None = None) -> Iterator[Triple]:
        """Yield the triples with their blank nodes; `watch` gets the number of bytes so far.

        Raises DataSyntaxError, with file, line and column if known, for a file that is empty, not UTF-8 or
        malformed, or has relative IRIs without a base, an external JSON-LD context or XML entity, a triple
        term (RDF 1.2); TooLargeError for large JSON-LD. Literals are checked by the shapes.
        """
        content = prepare(self.content, self.syntax, watch)
        if content is None:
            raise DataSyntaxError("the file is empty", where=self.name, mend="Choose the file with the data.")
        self.content = content
        # Line-based syntaxes have no relative IRIs; the others get a base that marks relative ones.
        base = self.base_iri or (None if self.syntax.name in ("nt", "nq") else _RELATIVE)
        if self.syntax.name not in ("jsonld", "rdf"):
            _check_triple_terms(content)
        if self.syntax.name in ("ttl", "trig"):
            refuse_deep_turtle(content)
        with content.open() as file:
            yield from self._parse(file, base, watch)
        if self.syntax.name == "jsonld":
            refuse_losses(content, self.base_iri or _RELATIVE)

    def _parse(self, source: BinaryIO, base: str | None, watch: Watch | None) -> Iterator[Triple]:
        engine: Any = self.syntax.engine
        graphs = self.graphs
        only = self.wanted if self._holds_wanted(base) else None
        last: object = None
        number = 0
        try:
            parser = pyoxigraph.parse(source, format=engine, base_iri=base)
            quads = as_written(parser) if self.syntax.name == "rdf" else parser
            for number, quad in enumerate(quads, 1):
                if only is not None and quad.graph_name != only:
                    continue
                if quad.graph_name != last:
                    last = quad.graph_name
                    if len(graphs) < _GRAPHS:
                        graphs.add(last)
                self._check_terms(quad)
                yield quad.triple
                if watch is not None and number % _TICK == 0:
                    watch(source.tell())
            self.prefixes = dict(parser.prefixes)
        except SyntaxError as error:
            raise explain_syntax(error, self.content) from None
        except MemoryError:
            raise explain_length(self.content, self.syntax) from None
        except ValueError as error:
            raise DataSyntaxError(f"the base IRI is invalid: {error}", where=self.name) from None
        if not number:
            raise DataSyntaxError(
                "the file has no triples",
                where=self.name,
                mend=f"Check that it is {self.syntax.media_type}.",
            )

    def _holds_wanted(self, base: str | None) -> bool:
        """Return whether the wanted graph is one of the file's; only then are others passed over."""
        if self.wanted is None or self.syntax.name not in ("trig", "nq"):
            return False
        engine: Any = self.syntax.engine
        with (
            suppress(SyntaxError, ValueError, MemoryError),
            self.content.open() as file,
        ):  # the reading reports them
            return any(
                quad.graph_name == self.wanted
                for quad in pyoxigraph.parse(file, format=engine, base_iri=base)
            )
        return False

    def _check_terms(self, quad: Quad) -> None:
        for term in (quad.subject, quad.predicate, quad.object, quad.graph_name):
            if isinstance(term, NamedNode) and term.value.startswith(_RELATIVE):
                written = term.value[len(_RELATIVE) :]
                raise self.content.fault_at(
                    f"<{written}> is a relative IRI, and the file has no base",
                    "Write the IRI in full, or set a base: @base in Turtle and JSON-LD, xml:base in RDF/XML.",
                    f"<{written}>",
                    f'"{written}"',
                    f'"{written.removeprefix("#")}"',
                )
        value: Any = quad.object
        if isinstance(value, Literal) and is_too_long(value):
            raise explain_length(self.content, self.syntax)
        if isinstance(value, Triple):  # an annotation {| … |} makes one
            raise self.content.fault_at("triple terms (RDF 1.2) are not supported", "Use a claim.", "{|")
        if isinstance(value, Literal) and value.direction is not None:
            raise self.content.fault_at(
                "text direction (RDF 1.2) is not supported", "Remove it.", f'"{value.value}"'
            )


def open_rdf(
    data: bytes | Path,
    name: str,
    format: str | None = None,  # noqa: A002 - the word that every RDF library uses
    media_type: str | None = None,
    base_iri: str | None = None,
    wanted: NamedNode | None = None,
) -> RdfReading:
    """Open an RDF file of any syntax in `formats.RDF_FORMATS`.

    The syntax is given by `format`, else by the file's ending, else by the media type. Raises
    UnsupportedFormatError.
    """
    return RdfReading(Content(data, name), choose_syntax(name, format, media_type), base_iri, wanted)


def read_rdf(data: bytes, name: str) -> tuple[Triple, ...]:
    """Read a small RDF file, each triple once; raises as `open_rdf` and `RdfReading.triples` do."""
    return tuple(dict.fromkeys(open_rdf(data, name).triples()))


def choose_syntax(name: str, format: str | None, media_type: str | None) -> Format:  # noqa: A002
    """Return a file's syntax by its given name, else by its ending, else by its media type.

    Raises UnsupportedFormatError.
    """
    if format:
        return rdf_format(format)
    ending = name.rpartition(".")[2] if "." in name.rpartition("/")[2] else ""
    for candidate in filter(None, (ending, media_type)):
        with suppress(UnsupportedFormatError):
            return rdf_format(candidate)
    endings = ", ".join(f".{syntax.extension}" for syntax in RDF_FORMATS)
    raise UnsupportedFormatError(
        f"the RDF syntax of {name or 'the data'} is unknown"
        + (f" ({media_type} is not RDF)" if media_type else ""),
        mend=f"Name the format, or use one of these endings: {endings}.",
    )


def prepare(content: Content, syntax: Format, watch: Watch | None = None) -> Content | None:
    """Return the content of a file as the engine reads it, or None if there is only white space.

    That is UTF-8 without a byte-order mark, XML that is well-formed, JSON-LD with the packaged context.
    Raises DataSyntaxError, with line and column if known, TooLargeError.
    """
    if content.length and syntax.name == "rdf":
        content = read_xml(content)
    if not content.check(watch):
        return None
    return Content(read_document(content), content.name) if syntax.name == "jsonld" else content


def _check_triple_terms(content: Content) -> None:
    """Refuse RDF 1.2 triple terms before the engine reads them: deeply nested ones crash it."""
    with content.view() as view:
        if view.find(b"<<") < 0:
            return
        for token in TURTLE_TOKEN.finditer(view):
            if token.end() - token.start() == 2 and token.group() == b"<<":
                raise content.fault(
                    "triple terms (RDF 1.2) are not supported",
                    "Describe the statement as a claim.",
                    token.start(),
                )


def explain_syntax(error: SyntaxError, content: Content) -> DataSyntaxError:
    """Build the error for a file that the parser refuses, with the parser's position if there is one."""
    span = r"line \d+ (?:between columns \d+ and \d+|column \d+)"
    form = rf"^Parser error (?:at {span}|between {span} and {span}): | \(line \d+\)$"
    message, mend = re.sub(form, "", error.msg), "Correct the file at this position."
    line, column = error.lineno, error.offset
    if "LoadDocumentCallback" in message:
        with content.view() as view:
            found = re.search(rb'"@context"\s*:\s*\[?\s*"([^"]*)"', view)
            at = found.start(1) if found else None
        return content.fault(_EXTERNAL_CONTEXT, _EMBED_CONTEXT, at)
    if prefix := re.search(r"The prefix (\S*) has not been declared", message):
        mend = f"Declare it at the top of the file: @prefix {prefix.group(1)} <…> ."
    elif "absolute IRI" in message:
        message, mend = "the IRI is relative", "Write the IRI in full, or set a base."
    elif "Unexpected end" in message and error.msg.startswith("Parser error between"):
        # Only such a text goes over several lines.
        message, mend = _NOT_CLOSED, _BREAKS_OFF
    elif "Unexpected end" in message:
        mend = f"{_BREAKS_OFF} The last statement ends with a full stop."
    if line is None or column is None:
        words = re.findall(r"'([^']+)'", message)
        return content.fault_at(message, mend, *(f'"{word}"' for word in words))
    if (line, column) >= _last(content):
        mend = _BREAKS_OFF
    elif unseen := content.invisible(line, column):
        message, mend = f"here is an invisible character, {unseen}", "Remove it, or write a space."
    where = f"{content.name}, line {line}, column {column}"
    return DataSyntaxError(message, where=where, mend=mend, line=line, column=column)


def explain_length(content: Content, syntax: Format) -> DataSyntaxError | TooLargeError:
    """Build the error for a file with a text that is too long for the engine, or that is never closed."""
    with content.view() as view:
        for token in (_LONG_XML if syntax.name == "rdf" else TURTLE_TOKEN).finditer(view):
            place = token.start()
            if token.end() - place > LITERAL_LIMIT:
                line, column = content.place(place)
                return TooLargeError(
                    f"a literal may have {LITERAL_LIMIT >> 20} MiB at most",
                    where=f"{content.name}, line {line}, column {column}",
                    line=line,
                    column=column,
                    mend="Leave it out, or store its address in place of the text.",
                )
            if token.group() in (b'""', b"''") and view[token.end() : token.end() + 1] == token.group()[:1]:
                return content.fault(_NOT_CLOSED, _BREAKS_OFF, place)
    return TooLargeError(
        f"a literal may have {LITERAL_LIMIT >> 20} MiB at most",
        where=content.name,
        mend="Leave it out, or store its address in place of the text.",
    )


def _last(content: Content) -> tuple[int, int]:
    """Return line and column of the last character that is not white space."""
    with content.view() as view:
        end = len(view)
        while end and view[end - 1 : end].isspace():
            end -= 1
    return content.place(max(0, end - 1))


def _one_graph(graphs: set[object], name: str) -> NamedNode | None:
    if len(graphs) > 1:
        names = sorted(
            "the default graph" if isinstance(g, DefaultGraph) else compact(str(g)[1:-1]) for g in graphs
        )
        number = f"{_GRAPHS} graphs or more" if len(graphs) == _GRAPHS else f"{len(graphs)} graphs"
        named = [name for name in names if name != "the default graph"]
        raise DataSyntaxError(
            f"the file has {number} ({', '.join(names[:5])}), but a load has one graph",
            where=name,
            mend="Load its graphs one after the other, each with its name as the source: only that graph is"
            f" then read (--source {named[0]}).",
        )
    if not graphs:
        return None
    (graph,) = graphs
    if isinstance(graph, BlankNode):
        raise DataSyntaxError("the graph has no IRI", where=name, mend="Use an IRI for the graph.")
    return graph if isinstance(graph, NamedNode) else None
