"""Converts RDF files to N-Triples, strictly and as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyoxigraph
from pyoxigraph import BlankNode, DefaultGraph, RdfFormat, Triple

from kg.errors import DataSyntaxError
from kg.rdf.content import Content
from kg.rdf.formats import Format
from kg.rdf.nesting import refuse_deep_json, refuse_deep_terms
from kg.rdf.parsing import EMBED_CONTEXT, EXTERNAL_CONTEXT, parser_message, syntax_error
from kg.rdf.xml_check import check_xml


@dataclass(frozen=True)
class Written:
    """Number of triples written, and whether they contain blank nodes and triple terms (RDF 1.2)."""

    triples: int
    blank_nodes: bool
    triple_terms: bool


def write_ntriples(source: Path, form: Format, target: Path, *, base: str, name: str) -> Written:
    """Append the triples of an RDF file to `target` as N-Triples; blank nodes get new labels.

    Relative IRIs are resolved against `base`. Nothing is fetched. Raises DataSyntaxError, with line and
    column if known, also for a file with named graphs.
    """
    if source.stat().st_size == 0 and form.name != "rdf":
        return Written(0, False, False)
    _check(source, form, name)
    count = 0
    blank = nested = False

    def triples() -> Iterator[Triple]:
        nonlocal count, blank, nested
        engine: Any = form.engine
        quads = pyoxigraph.parse(path=str(source), format=engine, base_iri=base, rename_blank_nodes=True)
        for quad in quads:
            if not isinstance(quad.graph_name, DefaultGraph):
                raise DataSyntaxError(
                    f"the file has the named graph {quad.graph_name}, but this address is one graph",
                    where=name,
                    mend="Send each graph to its own address.",
                )
            count += 1
            blank = blank or _has_blank(quad.triple)
            nested = nested or isinstance(quad.object, Triple)
            yield quad.triple

    try:
        with target.open("ab") as out:
            pyoxigraph.serialize(triples(), out, format=RdfFormat.N_TRIPLES)
    except SyntaxError as error:
        raise _explain(error, name) from None
    except ValueError as error:
        raise DataSyntaxError(f"the base IRI is invalid: {error}", where=name) from None
    return Written(count, blank, nested)


def _has_blank(triple: Triple) -> bool:
    if isinstance(triple.subject, BlankNode) or isinstance(triple.object, BlankNode):
        return True
    return isinstance(triple.object, Triple) and _has_blank(triple.object)


def _check(source: Path, form: Format, name: str) -> None:
    """Refuse files that would crash the engine, make it fetch addresses, or exhaust its memory."""
    if form.name == "rdf" and source.stat().st_size == 0:
        raise DataSyntaxError("an empty file is not XML", where=name, mend="Send an rdf:RDF element.")
    content = Content(source, name)
    if form.name == "rdf":
        check_xml(content.chunks(), name)
    elif form.name == "jsonld":
        refuse_deep_json(content)
    else:
        refuse_deep_terms(content)


def _explain(error: SyntaxError, name: str) -> DataSyntaxError:
    message = parser_message(error)
    if "LoadDocumentCallback" in message:
        return syntax_error(EXTERNAL_CONTEXT, error, name, EMBED_CONTEXT)
    mend = "Correct the file at this position, and check that its format is declared correctly."
    return syntax_error(message, error, name, mend)
