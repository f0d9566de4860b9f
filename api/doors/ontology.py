"""Door: the ontology, as a page and as RDF, with its versions and the vocabularies beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Blueprint, Response, make_response, render_template
from flask.typing import ResponseReturnValue

from api.web.negotiation import send_answer, wants_html
from api.web.state import state
from kg.describe.site.ontology_terms import (
    Branch,
    class_tree,
    ontology_header,
    ontology_terms,
    ontology_triples,
)
from kg.errors import UnknownNameError
from kg.rdf.formats import GRAPH_FORMATS, Format
from kg.search import Name

blueprint = Blueprint("ontology", __name__)

_VERSION = re.compile(r"\d+(\.\d+)*")
# Measures of the drawn hierarchy, in units of its own that the browser scales.
_ROW, _INDENT, _LETTER = 24, 18, 7.6


@dataclass(frozen=True)
class Node:
    """A class in the drawing: where its text begins, and the line (`d` of a path) from the class above."""

    name: Name
    curie: str
    x: int
    y: int
    line: str


@dataclass(frozen=True)
class Drawing:
    """One tree of classes, drawn: its measures and nodes."""

    title: str
    width: int
    height: int
    nodes: tuple[Node, ...]


def draw(branch: Branch) -> Drawing:
    """Lay a tree out, one class to a row, each indented under the one above."""
    nodes: list[Node] = []

    def place(part: Branch, depth: int, above: int) -> None:
        row = len(nodes)
        x, y = 6 + depth * _INDENT, 17 + row * _ROW
        line = f"M{x - 12} {above + 6}V{y - 5}H{x - 3}" if depth else ""
        nodes.append(Node(part.name, part.curie, x, y, line))
        for child in part.below:
            place(child, depth + 1, y)

    place(branch, 0, 0)
    width = max(node.x + round(len(node.curie) * _LETTER) for node in nodes) + 8
    return Drawing(branch.curie, width, len(nodes) * _ROW + 4, tuple(nodes))


@blueprint.get("/ontology")
def ontology() -> ResponseReturnValue:
    """Show the ontology, or give it as RDF, by Accept."""
    if not wants_html():
        return send_answer(ontology_triples(state().store))
    return _page()


@blueprint.get("/ontology.<extension>")
def ontology_file(extension: str) -> ResponseReturnValue:
    """Give the ontology in the format that the ending names."""
    return send_answer(ontology_triples(state().store), form=_format(extension))


@blueprint.get("/ontology/<name>")
@blueprint.get("/ontology/<name>/<version>")
def vocabulary(name: str, version: str = "") -> ResponseReturnValue:
    """Give a version of the ontology, or a vocabulary beside it, by Accept or by the ending.

    The ontology's version has the page too; the others are for machines, and for people as Turtle.
    """
    stem, dot, ending = name.rpartition(".")
    if dot and not version and not _VERSION.fullmatch(name):
        return send_answer(ontology_triples(state().store, stem), form=_format(ending))
    if _VERSION.fullmatch(name) and not version:
        triples = ontology_triples(state().store, "", name)
        return _page() if wants_html() else send_answer(triples)
    triples = ontology_triples(state().store, name, version)
    return send_answer(triples, form=GRAPH_FORMATS[0] if wants_html() else None)


def _page() -> Response:
    held = state()
    trees = held.memory.get(held.store, class_tree)
    response = make_response(
        render_template(
            "ontology.html",
            header=held.memory.get(held.store, ontology_header),
            sections=held.memory.get(held.store, ontology_terms),
            drawings=[draw(tree) for tree in trees if tree.below],
            alone=[tree for tree in trees if not tree.below],
        )
    )
    response.vary.add("Accept")
    return response


def _format(name: str) -> Format:
    for form in GRAPH_FORMATS:
        if name == form.name:
            return form
    raise UnknownNameError(
        f"data is not kept as .{name[:40]}",
        mend=f"Use one of the endings: {', '.join(form.name for form in GRAPH_FORMATS)}.",
    )
