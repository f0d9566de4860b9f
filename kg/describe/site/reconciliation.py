"""Reconciliation: names in other tables matched with our things, and facts to extend those tables by."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pyoxigraph import Literal, NamedNode
from rapidfuzz.fuzz import ratio

from kg.describe.listing import iris_in, select, value_of
from kg.describe.page_model import Value
from kg.search import (
    Hit,
    Name,
    exists,
    index_of,
    iri_text,
    kind_of,
    look_up,
    name_all,
    plain,
    types_of,
    values,
)
from kg.search.folding import fold
from kg.store import Store
from kg.terms import ID, PREFIXES

# Candidates by name that are looked at for one query.
_LOOKED_AT: Final = 60
# `country/irn`, `wd:Q794` or an IRI.
_IDENTIFIER: Final = re.compile(r"[^\s:/]+[:/]\S+")
# Virtuoso sorts no more rows than this before a LIMIT.
_VALUES: Final = 10_000


@dataclass(frozen=True)
class Match:
    """A thing that a name may mean, with its score from 0 to 100; `sure` if there is no other choice.

    `name_score` and `property_score` are the parts of the score, each from 0 to 100; None if not asked for.
    """

    name: Name
    types: tuple[Name, ...]
    score: float
    sure: bool
    name_score: float | None
    property_score: float | None


@dataclass(frozen=True)
class NameQuery:
    """A name to match: its candidates, and what the thing must be or should have.

    `groups` are lists of classes (IRIs); the thing must be a member of a class of each group. `facts` maps
    properties to texts or IRIs that it should have as values; they count a third of the score, all of it
    without a text.
    """

    text: str
    limit: int
    candidates: tuple[Hit, ...]
    groups: tuple[tuple[str, ...], ...] = ()
    facts: Mapping[str, Sequence[str]] = field(default_factory=dict)


def candidates_for(store: Store, text: str, facts: Mapping[str, Sequence[str]]) -> tuple[Hit, ...]:
    """Look up what a name or an identifier may mean; without a text, what has one of the facts."""
    text = text.strip()
    if not text and not facts:
        return ()
    if not text:
        given = list(dict.fromkeys(value for found in facts.values() for value in found))
        meant = dict(zip(given, look_up(store, given), strict=True))
        return store.run(_with_facts, facts, {value: iri for value, iri in meant.items() if iri})
    if _IDENTIFIER.fullmatch(text) and (iri := look_up(store, [text])[0]):
        return store.run(_identified, iri, text)
    index = index_of(store)
    hits = index.search(text, _LOOKED_AT)
    # A name with words that are not in the index shares its other words with the right one.
    for word in sorted(fold(text).split(), key=len, reverse=True)[:3]:
        hits = hits or index.search(word, _LOOKED_AT) or index.search(word[:4], _LOOKED_AT)
    return tuple(hit for hit in hits if hit.iri.startswith(ID))


def _identified(store: Store, iri: str, text: str) -> tuple[Hit, ...]:
    """Return the thing with an IRI, or those that have it as the same thing elsewhere."""
    found = [iri]
    if not iri.startswith(ID):
        rows = select(
            store, f"SELECT DISTINCT ?s WHERE {{ ?s skos:exactMatch|owl:sameAs {iri_text(iri)} }} ORDER BY ?s"
        )
        found = iris_in(rows, "s")
    return _hits(store, found, text)


def _with_facts(
    store: Store, facts: Mapping[str, Sequence[str]], meant: Mapping[str, str]
) -> tuple[Hit, ...]:
    """Return the things that have a fact, those with most of them first; `meant` maps names to IRIs."""
    patterns = []
    for prop, given in facts.items():
        iris = values(meant[value] for value in given if value in meant)
        texts = ", ".join(str(Literal(value.lower())) for value in given)
        patterns += [
            f"{{ ?s {iri_text(prop)} ?o FILTER(isLiteral(?o) && LCASE(STR(?o)) IN ({texts})) }}",
            f"{{ VALUES ?o {{ {iris} }} ?s {iri_text(prop)} ?o }}",
        ]
    rows = select(
        store,
        f"""SELECT ?s (COUNT(DISTINCT ?o) AS ?n) WHERE {{ {" UNION ".join(patterns)} }}
        GROUP BY ?s ORDER BY DESC(?n) ?s LIMIT {_LOOKED_AT}""",
    )
    return _hits(store, [iri for iri in iris_in(rows, "s") if iri.startswith(ID)])


def _hits(store: Store, iris: Sequence[str], matched: str = "") -> tuple[Hit, ...]:
    names = name_all(store, iris)
    return tuple(Hit(iri, names[iri].label, kind_of(iri), matched=matched) for iri in iris)


def match_names(store: Store, queries: Sequence[NameQuery]) -> list[list[Match]]:
    """Match the names of a batch of queries, each with the likeliest things first."""
    ranked = [_ranked(store, query) for query in queries]
    chosen = list(dict.fromkeys(iri for found in ranked for _, iri, _, _ in found))
    types = types_of(store, chosen) if chosen else {}
    names = name_all(store, [*chosen, *(cls for found in types.values() for cls in found)])
    return [
        [
            Match(names[iri], tuple(names[cls] for cls in types.get(iri, ())), round(score, 1), sure, *parts)
            for score, iri, sure, parts in found
        ]
        for found in ranked
    ]


def _ranked(
    store: Store, query: NameQuery
) -> list[tuple[float, str, bool, tuple[float | None, float | None]]]:
    """Return score, IRI, certainty and the two parts of the score of the likeliest candidates."""
    iris = [hit.iri for hit in query.candidates]
    for group in query.groups:
        iris = _of_classes(store, iris, group)
    had = facts_for(store, iris, list(query.facts))
    needle = fold(query.text)
    best = {hit.iri: max(_alike(needle, hit.label), _alike(needle, hit.matched)) for hit in query.candidates}
    scores: list[tuple[float, str, float | None, float | None]] = []
    for iri in iris:
        by_name = best[iri] if needle else None
        by_facts = _agreement(had.get(iri, {}), query.facts) if query.facts else None
        # A name counts as much as two parts of three.
        parts = [part for part in (by_name, by_name, by_facts) if part is not None]
        scores.append((sum(parts) / len(parts), iri, by_name, by_facts))
    scores.sort(key=lambda one: -one[0])
    alone = len(scores) < 2 or scores[0][0] - scores[1][0] >= 5
    return [
        (score, iri, not n and alone and score == 100, (by_name, by_facts))
        for n, (score, iri, by_name, by_facts) in enumerate(scores[: query.limit])
    ]


def facts_for(
    store: Store, iris: Sequence[str], properties: Sequence[str]
) -> dict[str, dict[str, list[Value]]]:
    """Return the values of some properties of some things, by thing and property, in a fixed order."""
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
    return {thing: dict(values) for thing, values in found.items()}


def properties_of(store: Store, cls: str | None, limit: int) -> list[Name]:
    """Name the properties of the members of a class, the most frequent first; without a class, all."""
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
    """Find classes (`kind` "class") or properties whose name or IRI contains a text, with definitions."""
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
    return round(0.99 * ratio(needle, folded), 1)


def _agreement(had: Mapping[str, Sequence[Value]], wanted: Mapping[str, Sequence[str]]) -> float:
    fits = 0
    for prop, texts in wanted.items():
        known = {value.name.iri for value in had.get(prop, ()) if value.name}
        known |= {fold(value.text) for value in had.get(prop, ())}
        fits += any(text in known or fold(text) in known for text in texts)
    return round(100 * fits / len(wanted), 1)


@dataclass(frozen=True)
class Card:
    """A thing, class or property in a few words: its types and its definition."""

    name: Name
    line: str


def card_of(store: Store, iri: str, *, known: bool = False) -> Card | None:
    """Describe a thing in one line; None for an IRI that does not exist, unless it is `known` to."""
    if not known and not exists(store, iri):
        return None
    types = types_of(store, [iri]).get(iri, [])
    names = name_all(store, [iri, *types])
    about = facts_for(store, [iri], [PREFIXES["rdfs"] + "comment", PREFIXES["skos"] + "definition"])
    texts = [value.text for found in about.get(iri, {}).values() for value in found]
    line = ". ".join([", ".join(names[cls].label for cls in types) or "thing", *texts[:1]])
    return Card(names[iri], line[:400])


@dataclass(frozen=True)
class Extension:
    """The values of some properties of some things, and the names of the properties."""

    names: dict[str, Name]
    values: dict[str, dict[str, list[Value]]]


def extend(store: Store, iris: Sequence[str], properties: Sequence[str]) -> Extension:
    """Read the values for extending a table."""
    return Extension(name_all(store, properties), facts_for(store, iris, properties))
