"""What can be said of RDF before it is stored: findings, names nobody describes, values rewritten."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Final

from pyoxigraph import Literal, NamedNode, Quad, Triple

from kg.errors import ParameterError
from kg.readers.blank_nodes import skolemise
from kg.readers.literals import literal_fault
from kg.readers.rdf import Parsed, read_rdf
from kg.store import EmbeddedStore, QueryDataset, Store
from kg.terms import (
    GRAPH,
    GRAPH_ALIGNMENTS,
    GRAPH_COUNTRIES,
    GRAPH_ENTAILMENTS,
    GRAPH_EVENT_TYPES,
    GRAPH_LOADS,
    GRAPH_ONTOLOGY,
    ID,
    compact,
    slugify,
    source_graph,
    term,
)
from kg.validation import Finding, validate

OWN_GRAPHS: Final = (
    GRAPH_ONTOLOGY,
    GRAPH_EVENT_TYPES,
    GRAPH_ALIGNMENTS,
    GRAPH_COUNTRIES,
    GRAPH_LOADS,
    GRAPH_ENTAILMENTS,
)

_TYPE: Final = term("rdf:type")
_LABEL: Final = term("rdfs:label")
_KNOWN: Final = (_TYPE, _LABEL, term("skos:inScheme"), term("skos:broader"))
_SPEAKS_OF: Final = tuple(
    term(f"dg:{name}") for name in ("about", "codedEvent", "hasInteraction", "duration")
)
_BATCH: Final = 500


def report(store: Store, data: bytes, *, name: str, format: str | None = None) -> list[tuple[str, str]]:  # noqa: A002
    """Check a file against the shapes; gives severity and text of each finding, violations first.

    Raises UnsupportedFormatError, DataSyntaxError.
    """
    parsed = read_rdf(data, name=name, format=format)
    graph = parsed.graph or target_graph(parsed.graph, None, parsed.name)
    return findings_of(store, parsed, as_stored(skolemise(parsed.triples, graph.value))[0], graph)


def target_graph(own: NamedNode | None, source: str | None, name: str) -> NamedNode:
    """Name the graph that a file goes into: `source`, else the one it names itself, else by its name.

    Raises ParameterError for a source that is no IRI, and for the graphs that the tool keeps itself.
    """
    try:
        if source:
            graph = source_graph(GRAPH + source[6:] if source.startswith("graph:") else source)
        else:
            graph = own or NamedNode(GRAPH + slugify(plain_stem(name)))
    except ValueError as error:
        raise ParameterError(f"{source} is no IRI: {error}", mend="Give a name or a full IRI.") from None
    if graph in OWN_GRAPHS:
        raise ParameterError(
            f"{compact(graph.value)} is kept by diplograph itself",
            where=name,
            mend="Give the source another name.",
        )
    return graph


def plain_stem(name: str) -> str:
    """Give a file's name without its folder and endings, such as .csv.gz."""
    stem = PurePath(name)
    while stem.suffix.lower() in (".gz", ".zip", ".zst", ".bz2", ".xz") and stem.stem:
        stem = stem.with_suffix("")
    return stem.stem


def findings_of(
    store: Store, parsed: Parsed, triples: list[Triple], graph: NamedNode
) -> list[tuple[str, str]]:
    """Give severity and text of what the shapes say of triples, violations first, by line where it shows."""
    found = validate(triples, _background(store, triples, graph))
    told = {(finding.node, finding.path) for finding in found if finding.severity == "violation"}
    for triple in triples:
        fault = literal_fault(triple.object) if isinstance(triple.object, Literal) else None
        node, path = str(getattr(triple.subject, "value", "")), compact(triple.predicate.value)
        if fault and (node, path) not in told:
            found.append(Finding("violation", node, path, str(triple.object), "Literals", fault))
    lines = []
    for finding in found:
        line = parsed.line_of(finding.node, finding.value)
        place = f"{parsed.name}, line {line}" if line else parsed.name
        lines.append((finding.severity, f"{place}: {finding.text}"))
    return sorted(lines, key=lambda pair: _SEVERITIES.index(pair[0]))


_SEVERITIES: Final = ("violation", "warning", "info")


def _background(store: Store, triples: list[Triple], graph: NamedNode) -> list[Triple]:
    """Read what other graphs know of the things a file speaks of: what they are, and what speaks of them."""
    own = {triple.subject for triple in triples}
    # A second VALUES block would have the engine read everything.
    known, what = (
        f"GRAPH ?g {{ ?x ?p ?y }} FILTER(?p IN ({', '.join(map(str, names))}))"
        for names in (_KNOWN, (_TYPE,))
    )
    speaks = " UNION ".join(f"{{ GRAPH ?g {{ ?y {name} ?x }} BIND({name} AS ?p) }}" for name in _SPEAKS_OF)
    asked = (
        ("?x ?p ?y", (t.object for t in triples if t.object not in own), known),
        ("?x ?p ?y", own, what),
        ("?y ?p ?x", own, speaks),
    )
    found: list[Triple] = []
    for template, things, pattern in asked:
        for nodes in batches(things):
            answer = store.query(
                f"CONSTRUCT {{ {template} }} WHERE {{ VALUES ?x {{ {nodes} }} {pattern}"
                f" FILTER(?g != {graph}) }}"
            )
            found.extend(answer.triples())
    return found


def undescribed(store: Store, triples: list[Triple]) -> tuple[str, ...]:
    """Find the IRIs of ours that are spoken of and nowhere described: often a slip of the pen."""
    described = {t.subject for t in triples if t.predicate in (_TYPE, _LABEL)}
    named = [
        t.object
        for t in triples
        if isinstance(t.object, NamedNode) and t.object.value.startswith(ID) and t.object not in described
    ]
    known: set[object] = set()
    for nodes in batches(named):
        rows = store.query(f"SELECT DISTINCT ?x {{ VALUES ?x {{ {nodes} }} ?x {_TYPE}|{_LABEL} ?y }}").rows()
        known.update(row["x"] for row in rows)
    return tuple(dict.fromkeys(x.value for x in named if x not in known))


def labels_of(store: Store, nodes: list[NamedNode]) -> dict[str, str]:
    """Give the English labels of things."""
    labels: dict[str, str] = {}
    for some in batches(nodes):
        for row in store.query(f"SELECT ?x ?label {{ VALUES ?x {{ {some} }} ?x {_LABEL} ?label }}").rows():
            label, thing = row["label"], row["x"]
            if isinstance(label, Literal) and isinstance(thing, NamedNode) and label.language in ("en", None):
                labels[thing.value] = label.value
    return labels


def batches(terms: Iterable[object]) -> Iterator[str]:
    """Write IRIs for VALUES, some at a time."""
    nodes = list(dict.fromkeys(str(node) for node in terms if isinstance(node, NamedNode)))
    return (" ".join(nodes[start : start + _BATCH]) for start in range(0, len(nodes), _BATCH))


def triples_of(store: Store, graph: NamedNode) -> list[Triple]:
    """Give what a small graph holds."""
    answer = store.query("CONSTRUCT WHERE { ?s ?p ?o }", QueryDataset(default=(graph.value,)))
    return list(answer.triples())


def as_stored(triples: Iterable[Triple]) -> tuple[list[Triple], tuple[str, ...]]:
    """Write literals as the engine gives them back, and say once which datatypes it turns into others.

    "3"^^xsd:int comes out of a store as an xsd:integer; the value is the same.
    """
    kept = list(triples)
    literals = {triple.object: i for i, triple in enumerate(kept) if isinstance(triple.object, Literal)}
    probe = EmbeddedStore()
    probe.change(
        (), [Quad(NamedNode(f"urn:x:{i}"), _LABEL, value, GRAPH_LOADS) for value, i in literals.items()]
    )
    back = {
        int(t.subject.value[6:]): t.object
        for t in triples_of(probe, GRAPH_LOADS)
        if isinstance(t.subject, NamedNode)
    }
    turned: Counter[str] = Counter()
    written: dict[str, set[str]] = defaultdict(set)

    def stored(value: Literal) -> Literal:
        found = back[literals[value]]
        if not isinstance(found, Literal):
            return value
        if found.datatype != value.datatype:
            after = compact(found.datatype.value)
            turned[after] += 1
            written[after].add(compact(value.datatype.value))
        return found

    changed = (
        Triple(t.subject, t.predicate, stored(t.object)) if isinstance(t.object, Literal) else t for t in kept
    )
    unique = list(dict.fromkeys(changed))
    notes = tuple(
        f"{count} {'value is' if count == 1 else 'values are'} stored as {after} where the file says "
        f"{', '.join(sorted(written[after]))}; the number is the same"
        for after, count in sorted(turned.items())
    )
    return unique, notes
