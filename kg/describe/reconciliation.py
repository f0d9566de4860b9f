"""Names of others matched with things of ours, and what we know of them, for tables of others."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pyoxigraph import Literal, NamedNode

from kg.describe.facts import value_of
from kg.describe.listing import iris_in, select
from kg.describe.page_model import Value
from kg.search import Name, index_of, iri_text, name_all, plain, types_of, values
from kg.search.folding import fold
from kg.store import Store
from kg.terms import ID

# Candidates by name that are looked at for one query.
_LOOKED_AT: Final = 60
# Virtuoso sorts no more rows than this before a LIMIT.
_VALUES: Final = 10_000


@dataclass(frozen=True)
class Match:
    """A thing that a name may mean: how alike, from 0 to 100, and whether beyond doubt.

    `name_score` and `property_score` are the parts of the score, each from 0 to 100.
    """

    name: Name
    types: tuple[Name, ...]
    score: float
    sure: bool
    name_score: float
    property_score: float | None


def match_name(
    store: Store,
    text: str,
    limit: int,
    *,
    classes: Sequence[str] = (),
    every_class: bool = False,
    facts: Mapping[str, Sequence[str]] | None = None,
) -> list[Match]:
    """Find what a name may mean, the likeliest first.

    `classes` are IRIs: a thing must be of one of them, or of every one. `facts` maps properties to texts or
    IRIs that the thing should have as values; they count a third of the score.
    """
    index = index_of(store)
    hits = index.search(text, _LOOKED_AT)
    # A misspelt name shares its words, or their beginnings, with the one that is meant.
    for word in sorted(fold(text).split(), key=len, reverse=True)[:3]:
        hits = hits or index.search(word, _LOOKED_AT) or index.search(word[:4], _LOOKED_AT)
    hits = [hit for hit in hits if hit.iri.startswith(ID)]
    iris = [hit.iri for hit in hits]
    for group in [[cls] for cls in classes] if every_class else [list(classes)] if classes else []:
        iris = _of_classes(store, iris, group)
    if not iris:
        return []
    types = types_of(store, iris)
    names = name_all(store, [*iris, *(cls for found in types.values() for cls in found)])
    had = facts_for(store, iris, list(facts)) if facts else {}
    needle = fold(text)
    best = {hit.iri: max(_alike(needle, hit.label), _alike(needle, hit.matched)) for hit in hits}
    found = []
    for iri in iris:
        by_facts = _agreement(had.get(iri, {}), facts) if facts else None
        score = best[iri] if by_facts is None else (2 * best[iri] + by_facts) / 3
        found.append((score, iri, by_facts))
    found.sort(key=lambda one: (-one[0], iris.index(one[1])))
    alone = len(found) < 2 or found[0][0] - found[1][0] >= 5
    return [
        Match(
            names[iri],
            tuple(names[cls] for cls in types.get(iri, ())),
            round(score, 1),
            number == 0 and alone and best[iri] == 100 and by_facts in (None, 100),
            best[iri],
            by_facts,
        )
        for number, (score, iri, by_facts) in enumerate(found[:limit])
    ]


def facts_for(
    store: Store, iris: Sequence[str], properties: Sequence[str]
) -> dict[str, dict[str, list[Value]]]:
    """Give the values of some properties of some things: thing to property to values, in a fixed order."""
    if not iris or not properties:
        return {}
    rows = select(
        store,
        f"""SELECT DISTINCT ?s ?p ?o WHERE {{ VALUES ?s {{ {values(iris)} }} ?s ?p ?o
        FILTER(?p IN ({", ".join(iri_text(prop) for prop in properties)})) }}
        ORDER BY ?s ?p ?o LIMIT {_VALUES}""",
    )
    names = name_all(store, iris_in(rows, "o"))
    found: dict[str, dict[str, list[Value]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if isinstance(row["o"], NamedNode | Literal):
            found[plain(row["s"])][plain(row["p"])].append(value_of(row, "o", names))
    return found


def properties_of(store: Store, cls: str | None, limit: int) -> list[Name]:
    """Name the properties that members of a class bear, those of most members first; all, without a class."""
    if cls is None:
        text = f"""SELECT ?p WHERE {{ VALUES ?kind {{ owl:ObjectProperty owl:DatatypeProperty }} ?p a ?kind }}
            ORDER BY ?p LIMIT {limit}"""
    else:
        text = f"""SELECT ?p (COUNT(*) AS ?n) WHERE {{
            {{ SELECT DISTINCT ?s WHERE {{ ?class rdfs:subClassOf* {iri_text(cls)} . ?s a ?class }}
               LIMIT 2000 }}
            ?s ?p ?o FILTER(?p NOT IN (rdf:type, rdfs:label)) }}
            GROUP BY ?p ORDER BY DESC(?n) ?p LIMIT {limit}"""
    found = iris_in(select(store, text), "p")
    names = name_all(store, found)
    return [names[iri] for iri in dict.fromkeys(found)]


def terms_named(store: Store, kind: str, text: str) -> list[tuple[Name, str]]:
    """Find classes (`kind` owl:Class) or properties whose name or IRI holds a text, with what they are."""
    kinds = "owl:Class rdfs:Class" if kind == "class" else "owl:ObjectProperty owl:DatatypeProperty"
    needle = str(Literal(text.lower()))
    rows = select(
        store,
        f"""SELECT DISTINCT ?t ?about WHERE {{ VALUES ?kind {{ {kinds} }} ?t a ?kind ; rdfs:label ?label .
        OPTIONAL {{ ?t skos:definition|rdfs:comment ?about }}
        FILTER(isIRI(?t) && (CONTAINS(LCASE(STR(?label)), {needle}) || CONTAINS(LCASE(STR(?t)), {needle})))
        }} ORDER BY STRLEN(STR(?label)) ?t LIMIT 100""",
    )
    names = name_all(store, iris_in(rows, "t"))
    about: dict[str, str] = {}
    for row in rows:
        about.setdefault(plain(row["t"]), plain(row["about"]) if "about" in row else "")
    return [(names[iri], text) for iri, text in about.items()]


def _of_classes(store: Store, iris: Sequence[str], classes: Sequence[str]) -> list[str]:
    if not iris:
        return []
    rows = select(
        store,
        f"""SELECT DISTINCT ?s WHERE {{ VALUES ?s {{ {values(iris)} }} ?s a/rdfs:subClassOf* ?class
        FILTER(?class IN ({", ".join(map(iri_text, classes))})) }}""",
    )
    fitting = set(iris_in(rows, "s"))
    return [iri for iri in iris if iri in fitting]


def _alike(needle: str, name: str) -> float:
    folded = fold(name)
    if not folded:
        return 0.0
    if folded == needle:
        return 100.0
    return round(99 * difflib.SequenceMatcher(None, needle, folded, autojunk=False).ratio(), 1)


def _agreement(had: Mapping[str, Sequence[Value]], wanted: Mapping[str, Sequence[str]]) -> float:
    fits = 0
    for prop, texts in wanted.items():
        known = {value.name.iri for value in had.get(prop, ()) if value.name}
        known |= {fold(value.text) for value in had.get(prop, ())}
        fits += any(text in known or fold(text) in known for text in texts)
    return round(100 * fits / len(wanted), 1)
