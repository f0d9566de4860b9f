"""Counts of the dataset, and its descriptions as RDF.

SPARQL 1.1 Service Description describes the endpoint, VoID the data, with partitions by class and property.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pyoxigraph import NamedNode, Triple

from kg.errors import QueryStoppedError
from kg.rdf.formats import Format, Kind
from kg.rdf.writing import write_triples
from kg.store import Row, Store
from kg.terms import BASE, GRAPH_ENTAILMENTS, PREFIXES, read_turtle

_PREFIXES: Final = {
    "sd": "http://www.w3.org/ns/sparql-service-description#",
    "void": "http://rdfs.org/ns/void#",
    "dcterms": PREFIXES["dcterms"],
    "formats": "http://www.w3.org/ns/formats/",
}
_SHOWN: Final = 1000
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
_READ: Final = ("ttl", "nt", "rdf", "jsonld")


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


@dataclass(frozen=True)
class TripleAnswer:
    """Triples in memory as the answer to a query."""

    _triples: Sequence[Triple]
    kind: Kind = "graph"
    variables: tuple[str, ...] = ()

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
        whole = io.BytesIO()
        write_triples(self._triples, whole, form, _PREFIXES)
        yield whole.getvalue()


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
    service, data = NamedNode(f"{endpoint}#service"), NamedNode(f"{void}#dataset")
    update = f"{service} sd:supportedLanguage sd:SPARQL11Update ." if updates else ""
    total = "" if sizes.triples is None else f"; void:triples {sizes.triples}"
    results = ", ".join(f"formats:{_UNIQUE[form.name]}" for form in formats)
    inputs = [f"formats:{_UNIQUE[form.name]}" for form in formats if form.name in _READ]
    graphs = "\n".join(
        f"{data} sd:namedGraph [ a sd:NamedGraph ; sd:name {NamedNode(iri)} ;"
        f" sd:graph [ a sd:Graph ; void:triples {count} ] ] ."
        for iri, count in sizes.graphs
    )
    return _answer(f"""
        {service} a sd:Service ; sd:endpoint {NamedNode(endpoint)} ; sd:defaultDataset {data} ;
            sd:supportedLanguage sd:SPARQL11Query ; sd:feature sd:UnionDefaultGraph ;
            sd:resultFormat {results} ; sd:inputFormat {", ".join(inputs)} .
        {data} a sd:Dataset ; sd:defaultGraph [ a sd:Graph {total} ] .
        {update} {graphs}""")


def void_description(sizes: Sizes, endpoint: str, void: str, *, dump: str) -> TripleAnswer:
    """Describe the data (VoID section 4): counts, vocabularies, partitions by class and by property."""
    data = NamedNode(f"{void}#dataset")
    counts = {
        "triples": sizes.triples,
        "distinctSubjects": sizes.subjects,
        "distinctObjects": sizes.objects,
        "classes": _all(sizes.classes),
        "properties": _all(sizes.properties),
    }
    iris = [iri for iri, _ in (*sizes.classes, *sizes.properties)]
    statements = [
        *(f"void:{name} {number}" for name, number in counts.items() if number is not None),
        *(f"void:vocabulary <{s}>" for s in PREFIXES.values() if any(iri.startswith(s) for iri in iris)),
        *(f"void:classPartition [ void:class <{iri}> ; void:entities {n} ]" for iri, n in sizes.classes),
        *(
            f"void:propertyPartition [ void:property <{iri}> ; void:triples {n} ]"
            for iri, n in sizes.properties
        ),
    ]
    # VoID section 5.1: a distinguishable part of the data.
    entailed = f"""{data} void:subset {GRAPH_ENTAILMENTS} . {GRAPH_ENTAILMENTS} a void:Dataset ;
            dcterms:title "Entailments by OWL 2 RL"@en ; void:triples {sizes.entailed} ."""
    return _answer(f"""
        {NamedNode(void)} a void:DatasetDescription ; foaf:primaryTopic {data} .
        {data} a void:Dataset ; dcterms:title "Diplomatic interactions"@en ; void:uriSpace "{BASE}" ;
            void:sparqlEndpoint {NamedNode(endpoint)} ; void:dataDump {NamedNode(dump)} .
        {entailed if sizes.entailed else ""}
        {"".join(f"{data} {statement} ." for statement in statements)}""")


def _answer(turtle: str) -> TripleAnswer:
    return TripleAnswer(read_turtle(turtle, {**PREFIXES, **_PREFIXES}))


def _rows(store: Store, query: str) -> list[tuple[object, int]] | None:
    """Return the ?key and ?n of each row; None if counting exceeded the limits of a query."""
    try:
        rows = list(store.query(query).rows())
    except QueryStoppedError:
        return None
    return [(row.get("key"), int(getattr(row["n"], "value", "0"))) for row in rows]


def _count(store: Store, query: str) -> int | None:
    rows = _rows(store, query)
    return rows[0][1] if rows else None


def _groups(store: Store, count: str, pattern: str) -> tuple[tuple[str, int], ...]:
    rows = _rows(
        store,
        f"SELECT ?key ({count} AS ?n) {{ {pattern} FILTER(isIRI(?key)) }} "
        f"GROUP BY ?key ORDER BY DESC(?n) ?key LIMIT {_SHOWN}",
    )
    # An empty count has one row without a key.
    return tuple((key.value, number) for key, number in rows or () if isinstance(key, NamedNode))


def _all(pairs: Sequence[tuple[str, int]]) -> int | None:
    return len(pairs) if 0 < len(pairs) < _SHOWN else None
