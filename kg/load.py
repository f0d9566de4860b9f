"""Loading: a plan shows what a file would change, a commit changes it as one transaction."""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Final

from pyoxigraph import Literal, NamedNode, Quad, Triple

from kg.errors import ConflictError, ParameterError, ValidationFailedError
from kg.ontology import article_graphs, reference_graphs
from kg.provenance import Load, load_triples, mint_load, read_load, read_loads
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

__all__ = ["Load", "Plan", "TypeCount", "commit", "install", "list_loads", "plan", "read_load", "report"]

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

# The graph is read, compared and changed by one commit at a time.
_COMMITTING: Final = threading.Lock()


@dataclass(frozen=True)
class TypeCount:
    """How many things of a class a load makes, changes, leaves and takes away."""

    type: str
    label: str
    new: int
    changed: int
    unchanged: int
    gone: int


@dataclass(frozen=True)
class Plan:
    """What a file would change: the triples, what they come to, and what the shapes say."""

    graph: NamedNode
    file_name: str
    sha256: str
    byte_length: int
    added: tuple[Triple, ...]
    removed: tuple[Triple, ...]
    counts: tuple[TypeCount, ...]
    findings: tuple[str, ...]
    unknown: tuple[str, ...]
    fingerprint: str

    @property
    def unchanged(self) -> bool:
        """Tell whether the graph holds exactly this already."""
        return not self.added and not self.removed

    def summary(self) -> dict[str, object]:
        """Give it as JSON has it, without the triples."""
        return {
            "graph": self.graph.value,
            "file": self.file_name,
            "sha256": self.sha256,
            "bytes": self.byte_length,
            "unchanged": self.unchanged,
            "added": len(self.added),
            "removed": len(self.removed),
            "counts": [asdict(count) for count in self.counts],
            "findings": list(self.findings),
            "unknown": list(self.unknown),
        }


def plan(
    store: Store,
    data: bytes,
    *,
    name: str,
    format: str | None = None,  # noqa: A002 - the word that every RDF library uses
    media_type: str | None = None,
    source: str | None = None,
    base_iri: str | None = None,
) -> Plan:
    """Work out what loading a file would change; nothing is stored.

    Everything goes into one graph, which the file replaces: `source` (an IRI or a name), else the graph the
    file itself names, else `graph/<file name>`. Raises UnsupportedFormatError, DataSyntaxError,
    ParameterError for a graph that is the tool's own, and ValidationFailedError with every violation.
    """
    parsed = read_rdf(data, name=name, format=format, media_type=media_type, base_iri=base_iri)
    graph = _target(parsed, source)
    new = _as_stored(skolemise(parsed.triples, graph.value))
    findings = _findings(store, parsed, new, graph)
    violations = [text for severity, text in findings if severity == "violation"]
    if violations:
        raise ValidationFailedError(
            f"{len(violations)} {'finding' if len(violations) == 1 else 'findings'}; nothing was stored",
            findings=tuple(violations),
            where=name,
            mend="Correct the lines that the findings name, and load the file again.",
        )
    old = _triples(store, graph)
    present, wanted = set(old), set(new)
    return Plan(
        graph=graph,
        file_name=PurePath(name).name,
        sha256=hashlib.sha256(data).hexdigest(),
        byte_length=len(data),
        added=tuple(triple for triple in new if triple not in present),
        removed=tuple(triple for triple in old if triple not in wanted),
        counts=_counts(store, old, new),
        findings=tuple(text for _, text in findings),
        unknown=_unknown(store, new),
        fingerprint=_fingerprint(old),
    )


def commit(store: Store, plan: Plan) -> Load | None:
    """Carry out a plan, data and PROV record in one transaction; None when it changes nothing.

    Raises ConflictError when the graph is no longer what the plan was made for, StoreFailedError.
    """
    if plan.unchanged:
        return None
    with _COMMITTING:
        started = datetime.now(UTC)
        if _fingerprint(_triples(store, plan.graph)) != plan.fingerprint:
            raise ConflictError(
                f"{compact(plan.graph.value)} was changed after the preview was made",
                where=plan.file_name,
                mend="Load the file again to see what it changes now.",
            )
        load = Load(
            iri=mint_load(started),
            graph=plan.graph.value,
            file_name=plan.file_name,
            sha256=plan.sha256,
            byte_length=plan.byte_length,
            started=started,
            ended=datetime.now(UTC),
            added=len(plan.added),
            removed=len(plan.removed),
        )
        store.change(
            _quads(plan.removed, plan.graph),
            [*_quads(plan.added, plan.graph), *_quads(load_triples(load), GRAPH_LOADS)],
        )
    return load


def list_loads(store: Store) -> list[Load]:
    """List the loads, newest first. Raises StoreFailedError."""
    return read_loads(store)


def report(store: Store, data: bytes, *, name: str, format: str | None = None) -> list[tuple[str, str]]:  # noqa: A002
    """Check a file against the shapes; gives severity and text of each finding, violations first.

    Raises UnsupportedFormatError, DataSyntaxError.
    """
    parsed = read_rdf(data, name=name, format=format)
    graph = parsed.graph or _target(parsed, None)
    return _findings(store, parsed, _as_stored(skolemise(parsed.triples, graph.value)), graph)


def install(store: Store) -> bool:
    """Bring the reference graphs up to date, and put the article's graph into a store that has none of them.

    Tells whether anything changed. A graph of an article that somebody took out or replaced stays as it is.
    Raises StoreFailedError.
    """
    wanted = dict(reference_graphs())
    if not _triples(store, GRAPH_ONTOLOGY):
        wanted.update(article_graphs())
    removed: list[Quad] = []
    added: list[Quad] = []
    for graph, triples in wanted.items():
        new, old = _as_stored(skolemise(triples, graph.value)), _triples(store, graph)
        removed += _quads(set(old).difference(new), graph)
        added += _quads(set(new).difference(old), graph)
    if removed or added:
        store.change(removed, added)
    return bool(removed or added)


def _target(parsed: Parsed, source: str | None) -> NamedNode:
    try:
        if source:
            graph = source_graph(GRAPH + source[6:] if source.startswith("graph:") else source)
        else:
            graph = parsed.graph or NamedNode(GRAPH + slugify(PurePath(parsed.name).stem))
    except ValueError as error:
        raise ParameterError(f"{source} is no IRI: {error}", mend="Give a name or a full IRI.") from None
    if graph in OWN_GRAPHS:
        raise ParameterError(
            f"{compact(graph.value)} is kept by diplograph itself",
            where=parsed.name,
            mend="Give the source another name.",
        )
    return graph


def _findings(store: Store, parsed: Parsed, triples: list[Triple], graph: NamedNode) -> list[tuple[str, str]]:
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
    asked = (
        ("?x ?p ?y", (t.object for t in triples if t.object not in own), _KNOWN),
        ("?x ?p ?y", own, (_TYPE,)),
        ("?y ?p ?x", own, _SPEAKS_OF),
    )
    found: list[Triple] = []
    for pattern, things, properties in asked:
        names = " ".join(map(str, properties))
        for nodes in _batches(things):
            answer = store.query(
                f"CONSTRUCT {{ {pattern} }} WHERE {{ VALUES ?x {{ {nodes} }} VALUES ?p {{ {names} }}"
                f" GRAPH ?g {{ {pattern} }} FILTER(?g != {graph}) }}"
            )
            found.extend(answer.triples())
    return found


def _unknown(store: Store, triples: list[Triple]) -> tuple[str, ...]:
    """Find the IRIs of ours that are spoken of and nowhere described: often a slip of the pen."""
    described = {t.subject for t in triples if t.predicate in (_TYPE, _LABEL)}
    named = [
        t.object
        for t in triples
        if isinstance(t.object, NamedNode) and t.object.value.startswith(ID) and t.object not in described
    ]
    known: set[object] = set()
    for nodes in _batches(named):
        rows = store.query(f"SELECT DISTINCT ?x {{ VALUES ?x {{ {nodes} }} ?x {_TYPE}|{_LABEL} ?y }}").rows()
        known.update(row["x"] for row in rows)
    return tuple(dict.fromkeys(x.value for x in named if x not in known))


def _counts(store: Store, old: Iterable[Triple], new: Iterable[Triple]) -> tuple[TypeCount, ...]:
    before, after = _by_subject(old), _by_subject(new)
    tally: dict[str, dict[str, int]] = defaultdict(
        lambda: dict.fromkeys(("new", "changed", "unchanged", "gone"), 0)
    )
    for thing in before.keys() | after.keys():
        was, will = before.get(thing), after.get(thing)
        fate = "new" if was is None else "gone" if will is None else "unchanged" if was == will else "changed"
        classes = {o.value for p, o in will or was or () if p == _TYPE and isinstance(o, NamedNode)}
        for name in classes or {""}:
            tally[name][fate] += 1
    labels = _labels(store, [NamedNode(name) for name in tally if name])
    counts = (
        TypeCount(name, labels.get(name, compact(name)) or "without a class", **tally[name]) for name in tally
    )
    return tuple(sorted(counts, key=lambda count: (count.label.lower(), count.type)))


def _labels(store: Store, nodes: list[NamedNode]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for some in _batches(nodes):
        for row in store.query(f"SELECT ?x ?label {{ VALUES ?x {{ {some} }} ?x {_LABEL} ?label }}").rows():
            label, thing = row["label"], row["x"]
            if isinstance(label, Literal) and isinstance(thing, NamedNode) and label.language in ("en", None):
                labels[thing.value] = label.value
    return labels


def _by_subject(triples: Iterable[Triple]) -> dict[object, set[tuple[NamedNode, object]]]:
    found: dict[object, set[tuple[NamedNode, object]]] = defaultdict(set)
    for triple in triples:
        found[triple.subject].add((triple.predicate, triple.object))
    return dict(found)


def _batches(terms: Iterable[object]) -> Iterator[str]:
    """Write IRIs for VALUES, some at a time."""
    nodes = list(dict.fromkeys(str(node) for node in terms if isinstance(node, NamedNode)))
    return (" ".join(nodes[start : start + _BATCH]) for start in range(0, len(nodes), _BATCH))


def _triples(store: Store, graph: NamedNode) -> list[Triple]:
    answer = store.query("CONSTRUCT WHERE { ?s ?p ?o }", QueryDataset(default=(graph.value,)))
    return list(answer.triples())


def _as_stored(triples: Iterable[Triple]) -> list[Triple]:
    """Write literals as the engine gives them back: "3"^^xsd:int comes out of a store as an xsd:integer."""
    kept = list(triples)
    literals = {triple.object: i for i, triple in enumerate(kept) if isinstance(triple.object, Literal)}
    probe = EmbeddedStore()
    probe.change(
        (), [Quad(NamedNode(f"urn:x:{i}"), _LABEL, value, GRAPH_LOADS) for value, i in literals.items()]
    )
    back = {
        int(t.subject.value[6:]): t.object
        for t in _triples(probe, GRAPH_LOADS)
        if isinstance(t.subject, NamedNode)
    }
    stored = (
        Triple(t.subject, t.predicate, back[literals[t.object]]) if isinstance(t.object, Literal) else t
        for t in kept
    )
    return list(dict.fromkeys(stored))


def _quads(triples: Iterable[Triple], graph: NamedNode) -> list[Quad]:
    return [Quad(t.subject, t.predicate, t.object, graph) for t in triples]


def _fingerprint(triples: Iterable[Triple]) -> str:
    return hashlib.sha256("\n".join(sorted(map(str, triples))).encode()).hexdigest()
