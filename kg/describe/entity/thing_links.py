"""The triples of a thing and the properties that point to it, which decide what else its page queries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from pyoxigraph import Literal, NamedNode

from kg.describe.display import Display
from kg.describe.entity.thing_facts import FACT_LIMIT, facts_query
from kg.describe.listing import select
from kg.describe.page_model import COUNTED
from kg.search import LABELS, iri_text, most_specific, plain
from kg.store import Row, Store
from kg.terms import GRAPH_ENTAILMENTS, PREFIXES, term

_TYPE: Final = PREFIXES["rdf"] + "type"
_LABELS: Final = {term(curie).value for curie in LABELS.split("|")}


@dataclass(frozen=True)
class ThingLinks:
    """The triples of a thing (`rows`: ?p ?o ?g) and the properties by which other things point to it.

    `whole` is False if there are more triples than were read.
    """

    iri: str
    rows: list[Row]
    incoming: frozenset[str]
    whole: bool
    types: tuple[str, ...]
    stated_types: tuple[str, ...]

    @cached_property
    def outgoing(self) -> frozenset[str]:
        """IRIs of the properties of the thing."""
        return frozenset(plain(row["p"]) for row in self.rows)

    def has(self, *curies: str) -> bool:
        """Return whether the thing has one of these properties; True if that is not known."""
        return not self.whole or any(term(curie).value in self.outgoing for curie in curies)

    def gets(self, *curies: str) -> bool:
        """Return whether something points to the thing by one of these properties."""
        return any(term(curie).value in self.incoming for curie in curies)

    def is_a(self, curie: str) -> bool:
        """Return whether the thing is a member of a class, stated or inferred."""
        cls = term(curie)
        return any(row["o"] == cls for row in self.rows if plain(row["p"]) == _TYPE)

    def texts(self, curie: str) -> list[str]:
        """Return the literals of a property, in order."""
        prop = term(curie).value
        return sorted({plain(row["o"]) for row in self.rows if plain(row["p"]) == prop})

    def languages(self) -> tuple[str, ...]:
        """Return the languages that the thing has labels in, in alphabetical order."""
        labels = (row["o"] for row in self.rows if plain(row["p"]) in _LABELS)
        return tuple(
            sorted({label.language for label in labels if isinstance(label, Literal) and label.language})
        )


def links_of(store: Store, iri: str, display: Display) -> ThingLinks:
    """Read the triples of a thing and the properties that point to it."""
    rows = select(store, facts_query(iri, display))
    types = [row for row in rows if plain(row["p"]) == _TYPE and isinstance(row["o"], NamedNode)]
    stated = {plain(row["o"]) for row in types if plain(row.get("g", "")) != GRAPH_ENTAILMENTS.value}
    every = most_specific(store, {plain(row["o"]) for row in types})
    incoming = frozenset(plain(row["p"]) for row in select(store, _incoming_text(iri)))
    return ThingLinks(
        iri, rows, incoming, len(rows) < FACT_LIMIT, tuple(every), tuple(most_specific(store, stated))
    )


def _incoming_text(iri: str) -> str:
    """Write the query for the properties that point to a thing.

    Those that the ontology declares are tried one by one; others are found among the first COUNTED triples.
    """
    node = iri_text(iri)
    return f"""SELECT DISTINCT ?p WHERE {{
        {{ ?p a owl:ObjectProperty FILTER EXISTS {{ ?any ?p {node} }} }}
        UNION {{ {{ SELECT ?p WHERE {{ ?s ?p {node} }} LIMIT {COUNTED} }} }} }}"""
