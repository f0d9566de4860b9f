"""Converts RDF files to N-Triples, strictly and as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyoxigraph
from pyoxigraph import BlankNode, DefaultGraph, Literal, RdfFormat, Triple

from kg.errors import DataSyntaxError
from kg.rdf.content import Content
from kg.rdf.formats import Format
from kg.rdf.jsonld import losses
from kg.rdf.literals import is_too_long
from kg.rdf.nesting import refuse_deep_terms, refuse_deep_turtle
from kg.rdf.parsing import explain_length, explain_syntax, prepare
from kg.rdf.rdf_xml import as_written


@dataclass(frozen=True)
class Written:
    """Number of triples written, and whether they contain blank nodes and triple terms (RDF 1.2).

    `lost` is the number of values that JSON-LD has dropped as the standard demands.
    """

    triples: int
    blank_nodes: bool
    triple_terms: bool
    lost: int = 0


def write_ntriples(source: Path, form: Format, target: Path, *, base: str, name: str) -> Written:
    """Append the triples of an RDF file to `target` as N-Triples; blank nodes get new labels.

    Relative IRIs are resolved against `base`. Nothing is fetched. Raises DataSyntaxError, with line and
    column if known, also for a file with named graphs.
    """
    content = prepare(Content(source, name), form)
    if content is None:
        if form.name == "rdf":
            raise DataSyntaxError("an empty file is not XML", where=name, mend="Send an rdf:RDF element.")
        return Written(0, False, False)
    if form.name not in ("rdf", "jsonld"):
        refuse_deep_terms(content)
    if form.name in ("ttl", "trig"):
        refuse_deep_turtle(content)
    count = 0
    blank = nested = False

    def triples() -> Iterator[Triple]:
        nonlocal count, blank, nested
        engine: Any = form.engine
        quads = pyoxigraph.parse(file, format=engine, base_iri=base, rename_blank_nodes=True)
        for quad in as_written(quads) if form.name == "rdf" else quads:
            if not isinstance(quad.graph_name, DefaultGraph):
                raise DataSyntaxError(
                    f"the file has the named graph {quad.graph_name}, but this address is one graph",
                    where=name,
                    mend="Send each graph to its own address.",
                )
            if isinstance(quad.object, Literal) and is_too_long(quad.object):
                raise explain_length(content, form)
            count += 1
            blank = blank or _has_blank(quad.triple)
            nested = nested or isinstance(quad.object, Triple)
            yield quad.triple

    try:
        with content.open() as file, target.open("ab") as out:
            pyoxigraph.serialize(triples(), out, format=RdfFormat.N_TRIPLES)
    except SyntaxError as error:
        raise explain_syntax(error, content) from None
    except MemoryError:
        raise explain_length(content, form) from None
    except ValueError as error:
        raise DataSyntaxError(f"the base IRI is invalid: {error}", where=name) from None
    lost = sum(1 for _ in losses(content, base)) if form.name == "jsonld" else 0
    return Written(count, blank, nested, lost)


def _has_blank(triple: Triple) -> bool:
    if isinstance(triple.subject, BlankNode) or isinstance(triple.object, BlankNode):
        return True
    return isinstance(triple.object, Triple) and _has_blank(triple.object)
