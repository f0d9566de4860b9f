"""The terms of the ontology, as a page lists them."""

from __future__ import annotations

from dataclasses import dataclass

from kg.describe.listing import iris_in, select
from kg.search import PROLOGUE, Name, name_all, plain, row_text
from kg.store import Answer, Store
from kg.terms import GRAPH_ONTOLOGY, compact

_KINDS = (
    ("Classes", "owl:Class"),
    ("Relations between things", "owl:ObjectProperty"),
    ("Properties with plain values", "owl:DatatypeProperty"),
    ("Annotations", "owl:AnnotationProperty"),
)


@dataclass(frozen=True)
class Entry:
    """A term: its prefixed name, definition and example, and what it stands under, leads from and to."""

    name: Name
    curie: str
    definition: str
    example: str
    above: tuple[Name, ...]
    domains: tuple[Name, ...]
    ranges: tuple[Name, ...]


def ontology_terms(store: Store) -> list[tuple[str, list[Entry]]]:
    """List the terms that the ontology declares, in sections, ours before those of other vocabularies."""
    sections = []
    for title, kind in _KINDS:
        rows = select(
            store,
            f"""SELECT DISTINCT ?term ?definition ?example ?above ?domain ?range WHERE {{
              GRAPH {GRAPH_ONTOLOGY} {{ ?term a {kind} FILTER(isIRI(?term))
                OPTIONAL {{ ?term skos:definition ?definition }} OPTIONAL {{ ?term skos:example ?example }}
                OPTIONAL {{ ?term rdfs:subClassOf|rdfs:subPropertyOf ?above FILTER(isIRI(?above)) }}
                OPTIONAL {{ ?term rdfs:domain ?domain FILTER(isIRI(?domain)) }}
                OPTIONAL {{ ?term rdfs:range ?range FILTER(isIRI(?range)) }} }} }} ORDER BY ?term""",
        )
        names = name_all(store, iris_in(rows, "term", "above", "domain", "range"))
        terms = list(dict.fromkeys(plain(row["term"]) for row in rows))
        terms.sort(key=lambda iri: (not compact(iri).startswith("dg:"), compact(iri)))
        entries = []
        for iri in terms:
            mine = [row for row in rows if plain(row["term"]) == iri]
            linked = {
                column: tuple(names[found] for found in dict.fromkeys(iris_in(mine, column)))
                for column in ("above", "domain", "range")
            }
            entries.append(
                Entry(
                    name=names[iri],
                    curie=compact(iri),
                    definition=row_text(mine[0], "definition") or "",
                    example=row_text(mine[0], "example") or "",
                    above=linked["above"],
                    domains=linked["domain"],
                    ranges=linked["range"],
                )
            )
        sections.append((title, entries))
    return sections


def ontology_triples(store: Store) -> Answer:
    """Give the ontology as a graph."""
    return store.query(
        f"{PROLOGUE} CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH {GRAPH_ONTOLOGY} {{ ?s ?p ?o }} }}"
    )
