"""Small graphs to reason over: an ontology, an event, facts at random, and what is entailed of them."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pyoxigraph
from pyoxigraph import NamedNode, Quad, RdfFormat, Triple

from kg.changes import Change
from kg.reasoning import Entailments
from kg.store import EmbeddedStore
from kg.terms import BASE, GRAPH, GRAPH_ENTAILMENTS, ID, ONTOLOGY, PREFIXES, term
from tests.kg.changes import change_of

HEAD = f"@base <{BASE}> . " + "".join(f"@prefix {p}: <{i}> ." for p, i in PREFIXES.items())
SOURCE = NamedNode(GRAPH + "a-source")
OTHER = NamedNode(GRAPH + "another-source")
TREATY = """
<id/event/treaty> a dg:Event ; dg:actor <id/country/atl> ; dg:hasInteraction <id/interaction/treaty> .
<id/interaction/treaty> a dg:Interaction ; dg:party <id/country/atl>, <id/country/lem> ;
  dg:character <id/character/cooperative> .
"""
COOPERATIVE = f"ASK {{ <{ID}event/treaty> a {term('dg:CooperativeEvent')} }}"


def triples(turtle: str) -> list[Triple]:
    return [quad.triple for quad in pyoxigraph.parse(HEAD + turtle, format=RdfFormat.TURTLE)]


def put(
    store: EmbeddedStore, added: Iterable[Triple], removed: Iterable[Triple] = (), graph: NamedNode = SOURCE
) -> Change:
    """Change a graph, and tell what was changed."""
    held = set(store.engine.quads_for_pattern(None, None, None, graph))

    def quads(given: Iterable[Triple]) -> set[Quad]:
        return {Quad(t.subject, t.predicate, t.object, graph) for t in given}

    came, went = quads(added) - held, quads(removed) & held
    store.change(went, came)
    return change_of(graph, (q.triple for q in came), (q.triple for q in went))


def entailed(store: EmbeddedStore) -> set[Triple]:
    return {q.triple for q in store.engine.quads_for_pattern(None, None, None, GRAPH_ENTAILMENTS)}


def named(given: Iterable[Triple]) -> list[Triple]:
    """Blank nodes as a store has them: IRIs (RDF 1.1 section 3.5)."""

    def name(node: object) -> object:
        blank = isinstance(node, pyoxigraph.BlankNode)
        return NamedNode(f"{BASE}.well-known/genid/{node.value}") if blank else node  # type: ignore[attr-defined]

    return [Triple(name(t.subject), t.predicate, name(t.object)) for t in given]  # type: ignore[arg-type]


def from_scratch(store: EmbeddedStore) -> set[Triple]:
    """What is entailed where nothing was before."""
    other = EmbeddedStore()
    other.engine.extend(q for q in store.engine if q.graph_name != GRAPH_ENTAILMENTS)
    Entailments().rebuild(other)
    try:
        return entailed(other)
    finally:
        other.close()


# Facts that touch every rule the ontology uses: sub-classes and -properties, domains and ranges, inverses,
# symmetry, transitivity, and class expressions two steps deep.
NAMES = [NamedNode(f"{ID}thing/{letter}") for letter in "abcdefg"]
LINKS = ("actor", "orderedBy", "origin", "ledTo", "resultOf", "hasInteraction", "interactionOf")
LINKS += ("subEventOf", "locatedIn", "country", "party")
OUTSIDE = ("org:holds", "org:subOrganizationOf", "skos:broader", "skos:exactMatch")
CLASSES = ("Event", "Journey", "Person", "Country", "Facility", "Interaction", "Place")


def random_fact(pick: random.Random) -> Triple:
    x, y = pick.sample(NAMES, 2)
    kind = pick.random()
    if kind < 0.25:
        return Triple(x, term("rdf:type"), NamedNode(ONTOLOGY + pick.choice(CLASSES)))
    if kind < 0.4:
        return Triple(x, term("dg:character"), NamedNode(ID + "character/cooperative"))
    name = pick.choice([f"dg:{link}" for link in LINKS] + list(OUTSIDE))
    return Triple(x, term(name), y)
