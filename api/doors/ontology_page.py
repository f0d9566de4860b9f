"""The ontology, as a page and as RDF, with its versions and related vocabularies."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from api.pages.kept_pages import kept_page
from api.web.negotiation import graph_format, send_answer, wants_html
from api.web.state import state
from kg.describe.site.ontology_terms import (
    Branch,
    class_tree,
    ontology_header,
    ontology_terms,
    ontology_triples,
)
from kg.rdf.formats import GRAPH_FORMATS
from kg.search import Name

blueprint = Blueprint("ontology", __name__)

_VERSION = re.compile(r"\d+(\.\d+)*")
# Sizes in the drawing of the hierarchy, in its own units.
_ROW, _INDENT, _LETTER = 24, 18, 7.6


@dataclass(frozen=True)
class Node:
    """A class in the drawing: the position of its text, and the line (`d` of a path) from its superclass."""

    name: Name
    curie: str
    x: int
    y: int
    line: str


@dataclass(frozen=True)
class Drawing:
    """The drawing of a tree of classes: its size and nodes."""

    title: str
    width: int
    height: int
    nodes: tuple[Node, ...]


def draw(branch: Branch) -> Drawing:
    """Lay out a tree: one class per row, indented below its superclass."""
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
    """Show the ontology, or send it as RDF, by Accept."""
    if not wants_html():
        return send_answer(ontology_triples(state().store))
    return kept_page(_render)


@blueprint.get("/ontology.<extension>")
def ontology_file(extension: str) -> ResponseReturnValue:
    """Send the ontology in the format of the extension."""
    return send_answer(ontology_triples(state().store), form=graph_format(extension))


@blueprint.get("/ontology/<name>")
@blueprint.get("/ontology/<name>/<version>")
def vocabulary(name: str, version: str = "") -> ResponseReturnValue:
    """Send a version of the ontology, or a related vocabulary, by Accept or by the extension.

    A version of the ontology has a page, too; browsers get the other vocabularies as Turtle.
    """
    stem, dot, ending = name.rpartition(".")
    if dot and not version and not _VERSION.fullmatch(name):
        return send_answer(ontology_triples(state().store, stem), form=graph_format(ending))
    if _VERSION.fullmatch(name) and not version:
        triples = ontology_triples(state().store, "", name)
        return kept_page(_render) if wants_html() else send_answer(triples)
    triples = ontology_triples(state().store, name, version)
    return send_answer(triples, form=GRAPH_FORMATS[0] if wants_html() else None)


def _render() -> str:
    held = state()
    trees = held.memory.get(held.store, class_tree)
    return render_template(
        "ontology.html",
        header=held.memory.get(held.store, ontology_header),
        sections=held.memory.get(held.store, ontology_terms),
        drawings=[draw(tree) for tree in trees if tree.below],
        alone=[tree for tree in trees if not tree.below],
    )
