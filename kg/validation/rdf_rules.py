"""Rules for RDF before it is stored: its target graph, and literals that the engine rewrites."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import PurePath
from typing import Any, Final

import pyoxigraph
from pyoxigraph import Literal, NamedNode, Quad, Triple

from kg.errors import ParameterError
from kg.rdf.literals import literal_fault
from kg.store import QueryDataset, Store
from kg.terms import GRAPH, OWN_GRAPHS, PREFIXES, compact, slugify, source_graph, term

_LABEL: Final = term("rdfs:label")
_XSD: Final = PREFIXES["xsd"]
_STRING: Final = _XSD + "string"
_BATCH: Final = 500
_REWRITTEN: Final = 10_000
_KNOWN_LITERALS: Final = 100_000


def target_graph(own: NamedNode | None, source: str | None, name: str) -> NamedNode:
    """Return the graph for a file: `source`, else the one that the file names, else one by its file name.

    Raises ParameterError for a source that is not an IRI, and for the graphs of diplograph itself.
    """
    try:
        if source:
            graph = source_graph(GRAPH + source[6:] if source.startswith("graph:") else source)
        else:
            graph = own or NamedNode(GRAPH + slugify(plain_stem(name)))
    except ValueError as error:
        raise ParameterError(f"“{source}” is not an IRI: {error}", mend="Use a name or a full IRI.") from None
    if graph in OWN_GRAPHS:
        raise ParameterError(
            f"{compact(graph.value)} is maintained by diplograph itself",
            where=name,
            mend="Use another name for the source.",
        )
    return graph


def plain_stem(name: str) -> str:
    """Return the name of a file without its folder and endings, such as .csv.gz."""
    stem = PurePath(name)
    while stem.suffix.lower() in (".gz", ".zip", ".zst", ".bz2", ".xz") and stem.stem:
        stem = stem.with_suffix("")
    return stem.stem


def labels_of(store: Store, nodes: list[NamedNode]) -> dict[str, str]:
    """Return the English labels of things, by IRI."""
    labels: dict[str, str] = {}
    for some in batches(nodes):
        for row in store.query(f"SELECT ?x ?label {{ VALUES ?x {{ {some} }} ?x {_LABEL} ?label }}").rows():
            label, thing = row["label"], row["x"]
            if isinstance(label, Literal) and isinstance(thing, NamedNode) and label.language in ("en", None):
                labels[thing.value] = label.value
    return labels


def batches(terms: Iterable[object]) -> Iterator[str]:
    """Yield lists of IRIs for VALUES, some at a time."""
    nodes = list(dict.fromkeys(str(node) for node in terms if isinstance(node, NamedNode)))
    return (" ".join(nodes[start : start + _BATCH]) for start in range(0, len(nodes), _BATCH))


def triples_of(store: Store, graph: NamedNode) -> list[Triple]:
    """Return the triples of a small graph."""
    answer = store.query("CONSTRUCT WHERE { ?s ?p ?o }", QueryDataset(default=(graph.value,)))
    return list(answer.triples())


def in_graph(triples: Iterable[Triple], graph: NamedNode) -> list[Quad]:
    """Return triples as quads of a graph."""
    return [Quad(t.subject, t.predicate, t.object, graph) for t in triples]


class Rewriting:
    """Writes literals as the engine stores them, and counts the changes of datatypes.

    The engine stores "3"^^xsd:int as an xsd:integer; the value is the same.
    """

    def __init__(self) -> None:
        self._known: dict[Literal, Literal] = {}
        self._turned: Counter[str] = Counter()
        self._written: dict[str, set[str]] = defaultdict(set)

    def stored(self, triples: Iterable[Triple]) -> Iterator[Triple]:
        """Yield triples as the store would return them; they are read some thousands at a time."""
        rest = iter(triples)
        while some := list(islice(rest, _REWRITTEN)):
            if len(self._known) > _KNOWN_LITERALS:
                self._known.clear()
            values = dict.fromkeys(t.object for t in some if _may_change(t.object))
            self._probe([value for value in values if value not in self._known])
            for t in some:
                yield Triple(t.subject, t.predicate, self._count(t.object)) if t.object in values else t

    def notes(self) -> tuple[str, ...]:
        """Return a line for each datatype that replaces others."""
        return tuple(
            f"{count} {'value is' if count == 1 else 'values are'} stored as {after} instead of "
            f"{', '.join(sorted(self._written[after]))}; the number is the same"
            for after, count in sorted(self._turned.items())
        )

    def _count(self, value: Any) -> Literal:
        found = self._known[value]
        if found.datatype != value.datatype:
            after = compact(found.datatype.value)
            self._turned[after] += 1
            self._written[after].add(compact(value.datatype.value))
        return found

    def _probe(self, values: list[Any]) -> None:
        # One that does not fit its datatype is kept as written, for the check that refuses it.
        self._known.update((value, value) for value in values if literal_fault(value))
        values = [value for value in values if value not in self._known]
        probe = pyoxigraph.Store()
        probe.extend(Quad(NamedNode(f"urn:x:{i}"), _LABEL, value) for i, value in enumerate(values))
        for quad in probe:
            if isinstance(quad.subject, NamedNode) and isinstance(quad.object, Literal):
                self._known[values[int(quad.subject.value[6:])]] = quad.object


def as_stored(triples: Iterable[Triple]) -> list[Triple]:
    """Return a few triples without repeats, with literals as the engine stores them."""
    return list(dict.fromkeys(Rewriting().stored(triples)))


def _may_change(value: object) -> bool:
    datatype = value.datatype.value if isinstance(value, Literal) else _STRING
    return datatype.startswith(_XSD) and datatype != _STRING
