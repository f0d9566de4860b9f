"""RDF from a file to a file: read strictly and written as N-Triples, never held in memory."""

from __future__ import annotations

import re
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
from kg.rdf.xml_check import check_xml


@dataclass(frozen=True)
class Written:
    """How many triples a file came to, and whether blank nodes and triple terms (RDF 1.2) are among them."""

    triples: int
    blank_nodes: bool
    triple_terms: bool


def write_ntriples(source: Path, form: Format, target: Path, *, base: str, name: str) -> Written:
    """Append the triples of an RDF file to `target` as N-Triples; blank nodes get labels of their own.

    Relative IRIs are resolved against `base`. Nothing is fetched. Raises DataSyntaxError, with line and
    column where the parser knows them, also for a file that holds named graphs.
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
                    f"it holds the named graph {quad.graph_name}, and this address is one graph",
                    where=name,
                    mend="Send the triples of one graph, each graph to its own address.",
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
        raise DataSyntaxError(f"the base IRI cannot be used: {error}", where=name) from None
    return Written(count, blank, nested)


def _has_blank(triple: Triple) -> bool:
    if isinstance(triple.subject, BlankNode) or isinstance(triple.object, BlankNode):
        return True
    return isinstance(triple.object, Triple) and _has_blank(triple.object)


def _check(source: Path, form: Format, name: str) -> None:
    """Refuse what would end the engine's process, or make it fetch or grow."""
    if form.name == "rdf" and source.stat().st_size == 0:
        raise DataSyntaxError("it is empty, which is no XML", where=name, mend="Send an rdf:RDF element.")
    content = Content(source, name)
    if form.name == "rdf":
        check_xml(content.chunks(), name)
    elif form.name == "jsonld":
        refuse_deep_json(content)
    else:
        refuse_deep_terms(content)


def _explain(error: SyntaxError, name: str) -> DataSyntaxError:
    message = re.sub(r"^Parser error at line \d+ (?:between columns \d+ and \d+|column \d+): ", "", error.msg)
    mend = "Correct the file at that place; check that it is sent as the format that it is."
    if "LoadDocumentCallback" in message:
        message = "the JSON-LD context lies at another address; nothing is fetched"
        mend = 'Write the context itself in place of its address: {"@context": {…}}.'
    line, column = error.lineno, error.offset
    where = name if line is None else f"{name}, line {line}, column {column}"
    return DataSyntaxError(message, where=where, mend=mend, line=line, column=column)
