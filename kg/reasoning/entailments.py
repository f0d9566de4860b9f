"""What follows from the graph by OWL 2 RL, kept in a graph of its own and in step with every change.

Most of it follows from one statement alone (a class from a wider one, a role from a narrower one, a type
from a domain or range): a table of the ontology gives it. Statements with joining properties (transitive,
functional, in a class expression) have to be looked at together: the things they connect go through the
reasoner, and only those that a change can reach. What is asserted anywhere is never repeated, so that a
triple counts once.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Final, Protocol, TypeVar, runtime_checkable

import pyoxigraph
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Triple, serialize

from kg.changes import Change
from kg.formats import rdf_format
from kg.reasoning.neighbours import Neighbours
from kg.reasoning.scan import Scan
from kg.reasoning.schema import TYPE, Schema, fingerprint, is_schema, keeps, read_schema
from kg.reasoning.together import together
from kg.store import UNNAMED, QueryDataset, Store, graph_names
from kg.terms import GRAPH_ENTAILMENTS, GRAPH_LOADS, GRAPH_ONTOLOGY, ID, slugify, term

T = TypeVar("T")

_CHUNK: Final = 5_000
_BATCH: Final = 500
_SETTLED: Final = 500_000
_NTRIPLES: Final = rdf_format("nt")
_ELSEWHERE: Final = f"FILTER(?g != {GRAPH_ENTAILMENTS})"
_SOFTWARE: Final = f"reasonable {version('reasonable')}"
_MADE: Final = term("prov:generatedAtTime")
_SHA256: Final = term("dg:sha256")


class Entailments:
    """Follows a graph and keeps `graph:entailments` in step with it; give it one store at a time."""

    def __init__(self) -> None:
        self._schema: Schema | None = None

    def ensure(self, store: Store) -> bool:
        """Build the entailments unless they are as young as ontology and loads; tells whether it did.

        Raises StoreFailedError.
        """
        self._schema = None
        known = {t.predicate: t.object for t in _provenance(store)}
        sha256, made = known.get(_SHA256), known.get(_MADE)
        if isinstance(sha256, Literal) and sha256.value == fingerprint(_ontology(store)):
            later = f"FILTER(?end > {made})" if made else ""
            if not store.query(f"ASK {{ ?load a {term('dg:Load')} ; {_ENDED} ?end {later} }}").truth():
                return False
        self.rebuild(store)
        return True

    def rebuild(self, store: Store) -> int:
        """Work out everything anew and give the number of entailments.

        The new ones take the place of the old in one step. Their record is taken out first: what breaks off
        is made anew by `ensure`. Raises StoreFailedError.
        """
        self._schema = None
        schema = self._read(store)
        store.change(_in_loads(_provenance(store)), ())
        things, facts = Neighbours(store, schema).everywhere()
        scan = Scan(schema, {str(thing).encode() for thing in things})
        with tempfile.TemporaryDirectory(prefix="diplograph-rl-") as folder:
            known = set(schema.ontology)
            path, every = Path(folder) / "entailments.nt", Path(folder) / "candidates.nt"
            with every.open("wb") as file:
                file.writelines(scan.candidates(_asserted(store, Path(folder))))
                alone = {q.triple for q in pyoxigraph.parse(b"".join(scan.near), format=RdfFormat.N_TRIPLES)}
                for chunk in _chunks(set(together(schema, facts | alone)) - alone - known, _CHUNK):
                    file.write(serialize(chunk, format=RdfFormat.N_TRIPLES) or b"")
            with every.open("rb") as lines, path.open("wb") as file:
                file.writelines(scan.fresh(lines))
            store.replace(GRAPH_ENTAILMENTS, path, _in_loads(_said(schema)))
        return _count(store)

    def clear(self, store: Store) -> None:
        """Take all entailments out of the graph. Raises StoreFailedError."""
        store.change(_in_loads(_provenance(store)), ())
        store.update(f"CLEAR SILENT GRAPH {GRAPH_ENTAILMENTS}")

    def follow(self, store: Store, change: Change) -> None:
        """Bring the entailments in step with a change that the store holds already.

        Costs what the change and its neighbourhood cost, whatever else the store holds; a change of the
        ontology makes everything anew. Raises StoreFailedError.
        """
        if change.graph in (GRAPH_LOADS, GRAPH_ENTAILMENTS):
            return
        if change.graph == GRAPH_ONTOLOGY:
            self.rebuild(store)
            return
        schema = self._read(store)
        changed = False
        near = Neighbours(store, schema)
        for triples, gone in ((change.removed(), True), (change.added(), False)):
            settled: set[Triple] = set()
            for chunk in _chunks((t for t in triples if not is_schema(t) and schema.matters(t)), _CHUNK):
                changed |= _step(store, near, chunk, gone, settled)
        if changed:
            _record(store, schema)

    def _read(self, store: Store) -> Schema:
        if self._schema is None:
            self._schema = read_schema(_ontology(store))
        return self._schema


def _ontology(store: Store) -> Iterator[Triple]:
    held = store.query("CONSTRUCT WHERE { ?s ?p ?o }", QueryDataset(default=(GRAPH_ONTOLOGY.value,)))
    yield from held.triples()


_ENDED: Final = term("prov:endedAtTime")


def _step(store: Store, near: Neighbours, chunk: list[Triple], gone: bool, settled: set[Triple]) -> bool:
    """Follow some triples that all came or all went; tells whether that changed anything.

    `settled` are those that earlier steps of what came found asserted or entailed, so that the many records
    that share a day or an actor do not ask again.
    """
    schema = near.schema
    candidates = {found for triple in chunk for found in schema.follows(triple)}
    own = {triple for triple in chunk if schema.concludes(triple)}
    if gone:
        candidates |= own
        wanted = set(_supported(store, schema, candidates))
    else:
        # What came with them is asserted, which nobody has to ask the store.
        candidates -= settled
        own -= settled
        wanted = candidates.difference(chunk)
    wanted = set(_not_asserted(store, wanted))
    held = set(_held(store, candidates | own))
    news = chunk if gone else [*chunk, *(wanted - held)]
    typed = {t.subject for t in news if t.predicate == TYPE and isinstance(t.subject, NamedNode)}
    touched = near.reached(chunk, near.ends(chunk) if gone else typed)
    if touched:
        facts = near.surroundings(touched)
        whole = {t for t in facts.union(together(schema, facts)) if t.subject in touched and _worth(t)}
        held |= {*_held(store, whole - candidates), *near.entailed(touched)}
        wanted |= set(_not_asserted(store, whole - wanted))
        candidates |= whole
    # What another rule still gives to a thing that was not looked at whole stays.
    doubtful = {t for t in held if t in candidates or t in own or t.subject in touched}
    removed, added = doubtful - wanted, wanted - held
    if removed and not gone:
        # Something that came takes nothing away, but what it asserts is entailed no longer.
        removed = removed & own | {t for t in removed if t.subject in touched}
    if not gone and len(settled) < _SETTLED:
        settled |= candidates | own
    _write(store, removed, added)
    return bool(removed or added)


def _worth(triple: Triple) -> bool:
    return triple.predicate != TYPE or (isinstance(triple.object, NamedNode) and keeps(triple.object.value))


@runtime_checkable
class Exporting(Protocol):
    """A store that writes a graph to a file of N-Triples, which costs a tenth of asking for it."""

    def export(self, graph: NamedNode, path: Path) -> None:
        """Write what a graph holds; raises StoreFailedError."""
        ...


def _asserted(store: Store, folder: Path) -> Iterator[bytes]:
    """Read everything but the entailments as lines of N-Triples; what two graphs hold may come twice."""
    path = folder / "graph.nt"
    everything = "CONSTRUCT WHERE { ?s ?p ?o }"
    yield from _lines(store.query(everything, QueryDataset(default=(UNNAMED,))).serialize(_NTRIPLES))
    for graph in map(NamedNode, graph_names(store)):
        if graph == GRAPH_ENTAILMENTS:
            continue
        if isinstance(store, Exporting):
            store.export(graph, path)
            with path.open("rb") as file:
                yield from (line.rstrip(b"\n") for line in file)
        else:
            answer = store.query(everything, QueryDataset(default=(graph.value,)))
            yield from _lines(answer.serialize(_NTRIPLES))


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
    if rest:
        yield rest


def _count(store: Store) -> int:
    rows = store.query(f"SELECT (COUNT(*) AS ?n) {{ GRAPH {GRAPH_ENTAILMENTS} {{ ?s ?p ?o }} }}").rows()
    return sum(int(getattr(row["n"], "value", 0)) for row in rows)


def _supported(store: Store, schema: Schema, candidates: Iterable[Triple]) -> Iterator[Triple]:
    """Keep those that still follow from some single statement."""
    by_class, by_property = _by_class(schema), _by_property(schema)
    types: dict[str, list[Triple]] = defaultdict(list)
    links: dict[str, list[Triple]] = defaultdict(list)
    for t in candidates:
        if t.predicate == TYPE and isinstance(t.object, NamedNode):
            types[t.object.value].append(t)
        else:
            links[t.predicate.value].append(t)
    for name, some in types.items():
        if name in by_class:
            holds = f"{_alternatives(by_class[name], 'GRAPH ?g')} {_ELSEWHERE}"
            for batch in _chunks(some, _BATCH):
                things = " ".join(str(t.subject) for t in batch)
                rows = store.query(f"SELECT ?x {{ VALUES ?x {{ {things} }} FILTER EXISTS {{ {holds} }} }}")
                kept = {row["x"] for row in rows.rows()}
                yield from (t for t in batch if t.subject in kept)
    for name, some in links.items():
        if name in by_property:
            forward, backward = by_property[name]
            holds = (
                f"{{ VALUES ?p {{ {_iris(forward)} }} GRAPH ?g {{ ?s ?p ?o }} }} UNION "
                f"{{ VALUES ?p {{ {_iris(backward)} }} GRAPH ?g {{ ?o ?p ?s }} }} {_ELSEWHERE}"
            )
            for batch in _chunks(some, _BATCH):
                pairs = " ".join(f"({t.subject} {t.object})" for t in batch)
                rows = store.query(
                    f"SELECT ?s ?o {{ VALUES (?s ?o) {{ {pairs} }} FILTER EXISTS {{ {holds} }} }}"
                )
                kept_pairs = {(row["s"], row["o"]) for row in rows.rows()}
                yield from (t for t in batch if (t.subject, t.object) in kept_pairs)


_Sources = tuple[frozenset[str], frozenset[str], frozenset[str]]


def _by_class(schema: Schema) -> dict[str, _Sources]:
    """Give for each class what makes a member: narrower classes, properties from it, properties to it."""
    found: dict[str, tuple[set[str], set[str], set[str]]] = defaultdict(lambda: (set(), set(), set()))
    for cls, above in schema.above.items():
        for name in above:
            found[name][0].add(cls)
    for name, follows in schema.properties.items():
        for cls in follows.subject:
            found[cls][1].add(name)
        for cls in follows.object:
            found[cls][2].add(name)
    return {c: (frozenset(a), frozenset(b), frozenset(d)) for c, (a, b, d) in found.items()}


def _by_property(schema: Schema) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Give for each property those that it follows from, in the same and in the other direction."""
    found: dict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for name, follows in schema.properties.items():
        for above in follows.forward:
            found[above][0].add(name)
        for back in follows.backward:
            found[back][1].add(name)
    return {name: (frozenset(a), frozenset(b)) for name, (a, b) in found.items()}


def _alternatives(sources: _Sources, graph: str = "") -> str:
    patterns = (f"?x {TYPE} ?k", "?x ?k ?other", "?other ?k ?x")
    parts = [
        f"{{ VALUES ?k {{ {_iris(names)} }} {graph} {{ {pattern} }} }}"
        for names, pattern in zip(sources, patterns, strict=True)
        if names
    ]
    return " UNION ".join(parts)


def _not_asserted(store: Store, triples: Iterable[Triple]) -> Iterator[Triple]:
    for batch in _chunks(triples, _BATCH):
        answer = store.query(
            f"SELECT ?s ?p ?o {{ VALUES (?s ?p ?o) {{ {_rows(batch)} }}"
            f" FILTER NOT EXISTS {{ GRAPH ?g {{ ?s ?p ?o }} {_ELSEWHERE} }} }}"
        )
        free = {(row["s"], row["p"], row["o"]) for row in answer.rows()}
        yield from (t for t in batch if (t.subject, t.predicate, t.object) in free)


def _held(store: Store, triples: Iterable[Triple]) -> Iterator[Triple]:
    for batch in _chunks(triples, _BATCH):
        answer = store.query(
            f"SELECT ?s ?p ?o {{ VALUES (?s ?p ?o) {{ {_rows(batch)} }}"
            f" FILTER EXISTS {{ GRAPH {GRAPH_ENTAILMENTS} {{ ?s ?p ?o }} }} }}"
        )
        held = {(row["s"], row["p"], row["o"]) for row in answer.rows()}
        yield from (t for t in batch if (t.subject, t.predicate, t.object) in held)


def _rows(triples: Iterable[Triple]) -> str:
    return " ".join(f"({t.subject} {t.predicate} {t.object})" for t in triples)


def _iris(names: Iterable[str]) -> str:
    return " ".join(f"<{name}>" for name in sorted(names))


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def _write(store: Store, removed: Iterable[Triple], added: Iterable[Triple]) -> None:
    for triples, going in ((removed, True), (added, False)):
        for chunk in _chunks(triples, _CHUNK):
            quads = [Quad(t.subject, t.predicate, t.object, GRAPH_ENTAILMENTS) for t in chunk]
            store.change(quads if going else (), () if going else quads)


def _provenance(store: Store) -> list[Triple]:
    answer = store.query(
        f"CONSTRUCT {{ {GRAPH_ENTAILMENTS} ?p ?o }} {{ GRAPH {GRAPH_LOADS} {{ {GRAPH_ENTAILMENTS} ?p ?o }} }}"
    )
    return list(answer.triples())


def _in_loads(triples: Iterable[Triple]) -> list[Quad]:
    return [Quad(t.subject, t.predicate, t.object, GRAPH_LOADS) for t in triples]


def _record(store: Store, schema: Schema) -> None:
    facts = _said(schema)
    old = [t for t in _provenance(store) if t not in facts]
    store.change(_in_loads(old), _in_loads(facts))


def _said(schema: Schema) -> list[Triple]:
    """Say of the graph what it was made from, by what, and when (PROV-O)."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    graph, software = GRAPH_ENTAILMENTS, NamedNode(f"{ID}software/{slugify(_SOFTWARE)}")
    return [
        Triple(graph, TYPE, term("prov:Entity")),
        Triple(graph, term("rdfs:label"), Literal("what follows by OWL 2 RL", language="en")),
        Triple(graph, term("prov:wasDerivedFrom"), GRAPH_ONTOLOGY),
        Triple(graph, term("prov:wasAttributedTo"), software),
        Triple(graph, _MADE, Literal(now, datatype=term("xsd:dateTime"))),
        Triple(graph, _SHA256, Literal(schema.sha256)),
        Triple(software, TYPE, term("prov:SoftwareAgent")),
        Triple(software, term("rdfs:label"), Literal(_SOFTWARE, language="en")),
    ]
