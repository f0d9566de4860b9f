"""Counts of the dataset, and its descriptions as RDF.

SPARQL 1.1 Service Description describes the endpoint, VoID the data, with partitions by class and property.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final

import pyoxigraph
from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from kg.errors import QueryStoppedError
from kg.rdf.formats import Format, Kind
from kg.store import Row, Store
from kg.terms import BASE, GRAPH_ENTAILMENTS, PREFIXES, term

_SD: Final = "http://www.w3.org/ns/sparql-service-description#"
_VOID: Final = "http://rdfs.org/ns/void#"
_FORMATS: Final = "http://www.w3.org/ns/formats/"
_TYPE: Final = term("rdf:type")
_SHOWN: Final = 1000
_LIFE: Final = 60.0
# Unique URIs for file formats, by the names of formats.
_UNIQUE: Final = {
    "json": "SPARQL_Results_JSON",
    "xml": "SPARQL_Results_XML",
    "csv": "SPARQL_Results_CSV",
    "tsv": "SPARQL_Results_TSV",
    "ttl": "Turtle",
    "nt": "N-Triples",
    "rdf": "RDF_XML",
    "jsonld": "JSON-LD",
    "trig": "TriG",
    "nq": "N-Quads",
}


@dataclass(frozen=True)
class Sizes:
    """Counts of the dataset; None if counting exceeded the limits of a query.

    `triples`, `subjects`, `objects` count the default graph, which is the union of all graphs. The others are
    pairs of IRI and count, the largest first, at most 1,000 of each: triples of a named graph, instances of
    a class, triples with a property. `entailed` counts the entailments.
    """

    triples: int | None
    subjects: int | None
    objects: int | None
    graphs: tuple[tuple[str, int], ...]
    classes: tuple[tuple[str, int], ...]
    properties: tuple[tuple[str, int], ...]
    entailed: int | None = None


class SizeCache:
    """Caches the counts of a store until its version changes; without versions, for a minute."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._found: Sizes | None = None
        self._version = ""
        self._read = 0.0

    def sizes(self) -> Sizes:
        """Return the counts; concurrent calls share one counting. Raises StoreFailedError."""
        with self._lock:
            version = self._store.version
            fresh = version == self._version if version else monotonic() - self._read < _LIFE
            if self._found is None or not fresh:
                self._found, self._version, self._read = measure(self._store), version, monotonic()
            return self._found


class TripleAnswer:
    """Triples in memory as the answer to a query."""

    kind: Kind = "graph"
    variables: tuple[str, ...] = ()

    def __init__(self, triples: Sequence[Triple]) -> None:
        self._triples = triples

    def rows(self) -> Iterator[Row]:
        """Return no solutions."""
        return iter(())

    def truth(self) -> bool:
        """Return whether there are any."""
        return bool(self._triples)

    def triples(self) -> Iterator[Triple]:
        """Return the triples."""
        return iter(self._triples)

    def serialize(self, form: Format) -> Iterator[bytes]:
        """Yield the serialised triples in one piece."""
        target = io.BytesIO()
        prefixes = {"sd": _SD, "void": _VOID, "dcterms": PREFIXES["dcterms"], "formats": _FORMATS}
        pyoxigraph.serialize(self._triples, target, format=form.engine, prefixes=prefixes)  # type: ignore[arg-type]
        yield target.getvalue()


def measure(store: Store) -> Sizes:
    """Count the content of a store. Raises StoreFailedError."""
    whole = "SELECT (COUNT({}) AS ?n) {{ {} }}"
    return Sizes(
        triples=_count(store, "SELECT (COUNT(*) AS ?n) { SELECT DISTINCT ?s ?p ?o { ?s ?p ?o } }"),
        subjects=_count(store, whole.format("DISTINCT ?s", "?s ?p ?o")),
        objects=_count(store, whole.format("DISTINCT ?o", "?s ?p ?o")),
        graphs=_groups(store, "COUNT(*)", "GRAPH ?key { ?s ?p ?o }"),
        classes=_groups(store, "COUNT(DISTINCT ?s)", "?s a ?key"),
        properties=_groups(store, "COUNT(*)", "{ SELECT DISTINCT ?s ?key ?o { ?s ?key ?o } }"),
        entailed=_count(store, whole.format("*", f"GRAPH {GRAPH_ENTAILMENTS} {{ ?s ?p ?o }}")),
    )


def service_description(
    sizes: Sizes, endpoint: str, void: str, formats: Sequence[Format], *, updates: bool
) -> TripleAnswer:
    """Describe the service at `endpoint` (SPARQL 1.1 Service Description), whose dataset `void` describes."""
    service, data, default = NamedNode(f"{endpoint}#service"), NamedNode(f"{void}#dataset"), BlankNode()
    found = [
        Triple(service, _TYPE, _sd("Service")),
        Triple(service, _sd("endpoint"), NamedNode(endpoint)),
        Triple(service, _sd("supportedLanguage"), _sd("SPARQL11Query")),
        Triple(service, _sd("feature"), _sd("UnionDefaultGraph")),
        Triple(service, _sd("defaultDataset"), data),
        Triple(data, _TYPE, _sd("Dataset")),
        Triple(data, _sd("defaultGraph"), default),
        Triple(default, _TYPE, _sd("Graph")),
    ]
    if updates:
        found.append(Triple(service, _sd("supportedLanguage"), _sd("SPARQL11Update")))
    if sizes.triples is not None:
        found.append(Triple(default, _void("triples"), _number(sizes.triples)))
    for form in formats:
        found.append(Triple(service, _sd("resultFormat"), NamedNode(_FORMATS + _UNIQUE[form.name])))
    for form in formats:
        if form.name in ("ttl", "nt", "rdf", "jsonld"):
            found.append(Triple(service, _sd("inputFormat"), NamedNode(_FORMATS + _UNIQUE[form.name])))
    for iri, count in sizes.graphs:
        named, graph = BlankNode(), BlankNode()
        found += [
            Triple(data, _sd("namedGraph"), named),
            Triple(named, _TYPE, _sd("NamedGraph")),
            Triple(named, _sd("name"), NamedNode(iri)),
            Triple(named, _sd("graph"), graph),
            Triple(graph, _TYPE, _sd("Graph")),
            Triple(graph, _void("triples"), _number(count)),
        ]
    return TripleAnswer(found)


def void_description(sizes: Sizes, endpoint: str, void: str, *, dump: str) -> TripleAnswer:
    """Describe the data (VoID section 4): counts, vocabularies, partitions by class and by property."""
    data = NamedNode(f"{void}#dataset")
    found = [
        Triple(NamedNode(void), _TYPE, _void("DatasetDescription")),
        Triple(NamedNode(void), NamedNode("http://xmlns.com/foaf/0.1/primaryTopic"), data),
        Triple(data, _TYPE, _void("Dataset")),
        Triple(data, term("dcterms:title"), Literal("Diplomatic interactions", language="en")),
        Triple(data, _void("sparqlEndpoint"), NamedNode(endpoint)),
        Triple(data, _void("dataDump"), NamedNode(dump)),
        Triple(data, _void("uriSpace"), Literal(BASE)),
    ]
    whole = {
        "triples": sizes.triples,
        "distinctSubjects": sizes.subjects,
        "distinctObjects": sizes.objects,
        "classes": _all(sizes.classes),
        "properties": _all(sizes.properties),
    }
    found += [Triple(data, _void(name), _number(n)) for name, n in whole.items() if n is not None]
    if sizes.entailed:
        # VoID section 5.1: a distinguishable part of the data.
        found += [
            Triple(data, _void("subset"), GRAPH_ENTAILMENTS),
            Triple(GRAPH_ENTAILMENTS, _TYPE, _void("Dataset")),
            Triple(
                GRAPH_ENTAILMENTS, term("dcterms:title"), Literal("Entailments by OWL 2 RL", language="en")
            ),
            Triple(GRAPH_ENTAILMENTS, _void("triples"), _number(sizes.entailed)),
        ]
    terms = [iri for iri, _ in (*sizes.classes, *sizes.properties)]
    for space in sorted(
        {space for space in PREFIXES.values() if any(iri.startswith(space) for iri in terms)}
    ):
        found.append(Triple(data, _void("vocabulary"), NamedNode(space)))
    for part, key, counted, pairs in (
        ("classPartition", "class", "entities", sizes.classes),
        ("propertyPartition", "property", "triples", sizes.properties),
    ):
        for iri, count in pairs:
            node = BlankNode()
            found += [
                Triple(data, _void(part), node),
                Triple(node, _void(key), NamedNode(iri)),
                Triple(node, _void(counted), _number(count)),
            ]
    return TripleAnswer(found)


def _count(store: Store, query: str) -> int | None:
    try:
        row = next(store.query(query).rows())
    except QueryStoppedError:
        return None
    return int(getattr(row["n"], "value", "0"))


def _groups(store: Store, count: str, pattern: str) -> tuple[tuple[str, int], ...]:
    query = (
        f"SELECT ?key ({count} AS ?n) {{ {pattern} FILTER(isIRI(?key)) }} "
        f"GROUP BY ?key ORDER BY DESC(?n) ?key LIMIT {_SHOWN}"
    )
    try:
        rows = list(store.query(query).rows())
    except QueryStoppedError:
        return ()
    pairs = ((row.get("key"), int(getattr(row["n"], "value", "0"))) for row in rows)
    # An empty count has one row without a key.
    return tuple((key.value, count) for key, count in pairs if isinstance(key, NamedNode))


def _all(pairs: Sequence[tuple[str, int]]) -> int | None:
    return len(pairs) if 0 < len(pairs) < _SHOWN else None


def _number(count: int) -> Literal:
    return Literal(count)


def _sd(name: str) -> NamedNode:
    return NamedNode(_SD + name)


def _void(name: str) -> NamedNode:
    return NamedNode(_VOID + name)
