"""Compares events and actors with other sources: conflicts, likely duplicates, similar names."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable
from itertools import islice, product
from typing import Final

from pyoxigraph import Literal, NamedNode

from kg.load.model import Newcomer
from kg.load.staged.tally import AGENTS, WATCHED, Tally, Values, label_of, watched_values
from kg.readers.gdelt.blocks import Row
from kg.readers.record import Record
from kg.store import Store
from kg.terms import ID, compact, term
from kg.validation.rdf_rules import batches

_BATCH: Final = 500
_COMPARED: Final = 500
_SHOWN: Final = 50
_SUGGESTED: Final = 5
_KNOWN_NAMES: Final = 20_000
_CUTOFF: Final = 0.8
_NAMES: Final = f"{term('rdfs:label')}|{term('skos:altLabel')}"


class RecordWatch:
    """Compares records with the same records in other graphs, if there are any."""

    def __init__(self, store: Store, graph: NamedNode, tally: Tally) -> None:
        self._store = store
        self._graph = graph
        self._tally = tally
        self._held: dict[str, Values] = {}
        self._labels: dict[str, str] = {}
        self.needed = store.query(
            f"ASK {{ GRAPH ?g {{ ?x a {term('dg:CodingRecord')} }} FILTER(?g != {graph}) }}"
        ).truth()

    def take(self, record: Record) -> None:
        """Add one record."""
        if self.needed and record.kind in ("CodingRecord", "Event"):
            lines = record.ntriples.splitlines(keepends=True)
            self._held[record.iri] = watched_values(lines)
            self._labels[record.iri] = label_of(lines)
            if len(self._held) >= _BATCH:
                self.finish()

    def take_rows(self, rows: list[Row]) -> None:
        """Add the records of a block of rows."""
        by_iri = {row[0]: row for row in rows}
        # Usually no other graph has them, which is cheaper to query than their values.
        for known in _described_elsewhere(self._store, self._graph, by_iri):
            iri, _, kind, day, actor, recipient, label = by_iri[known]
            values = {"date": f"{ID}time/{day}", "type": kind, "actor": actor, "recipient": recipient}
            self._held[iri] = {name: frozenset((value,)) for name, value in values.items() if value}
            self._labels[iri] = label_of([label])
        self.finish()

    def finish(self) -> None:
        """Compare the remaining records."""
        find_conflicts(self._store, self._graph, self._tally, self._held, self._labels)
        self._held, self._labels = {}, {}


def find_conflicts(
    store: Store, graph: NamedNode, tally: Tally, events: dict[str, Values], labels: dict[str, str]
) -> None:
    """Compare events of a load with their descriptions in other graphs."""
    # With a second VALUES block the engine reads everything.
    properties = ", ".join(str(term(curie)) for curie in WATCHED)
    names = {term(curie).value: name for curie, name in WATCHED.items()}
    for nodes in batches(NamedNode(iri) for iri in events):
        rows = store.query(
            f"SELECT ?x ?p ?y ?g {{ VALUES ?x {{ {nodes} }} GRAPH ?g {{ ?x ?p ?y }}"
            f" FILTER(?g != {graph} && ?p IN ({properties})) }}"
        ).rows()
        there: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for row in rows:
            iri, where, name, value = (getattr(row[key], "value", "") for key in ("x", "g", "p", "y"))
            there[iri, where][names[name]].add(value)
        for (iri, where), others in sorted(there.items()):
            values = {name: frozenset(found) for name, found in others.items()}
            tally.conflict(iri, labels.get(iri, ""), events[iri], values, compact(where))


def find_twins(store: Store, graph: NamedNode, tally: Tally) -> tuple[str, ...]:
    """Find events of other sources with another IRI, but the same date, type and one actor in common."""
    new = {thing.iri: thing.label for thing in tally.things if thing.kind == "event" and thing.fate == "new"}
    wanted = []
    for iri in islice(new, _COMPARED):
        event = tally.events.get(iri, {})
        key = ([iri], *(event.get(name, ()) for name in ("date", "type", "actor")))
        wanted += [f"({' '.join(str(NamedNode(one)) for one in some)})" for some in product(*key)]
    found = []
    for start in range(0, len(wanted), _BATCH):
        some = " ".join(wanted[start : start + _BATCH])
        rows = store.query(
            f"SELECT DISTINCT ?x ?other ?g {{ VALUES (?x ?day ?kind ?actor) {{ {some} }}"
            f" GRAPH ?g {{ ?other {term('dg:time')} ?day ; {term('dg:eventType')} ?kind ;"
            f" {term('dg:actor')} ?actor }} FILTER(?other != ?x && ?g != {graph}) }}"
        ).rows()
        for row in rows:
            iri, other, where = (getattr(row[key], "value", "") for key in ("x", "other", "g"))
            found.append(
                f"{new[iri]}: {compact(where)} has {compact(other)} with the same date, type and actor"
            )
    return tuple(sorted(found)[:_SHOWN])


def find_newcomers(store: Store, graph: NamedNode, tally: Tally) -> tuple[int, tuple[Newcomer, ...]]:
    """Return the number of actors in no other source, and the first of them with similar names."""
    known = _described_elsewhere(store, graph, tally.agents)
    new = {iri: label for iri, label in tally.agents.items() if iri not in known}
    if not new:
        return 0, ()
    names = _agent_names(store, graph)
    listed = [Newcomer(iri, label, _alike(label, names)) for iri, label in islice(new.items(), _SHOWN)]
    listed.sort(key=lambda one: not one.suggestions)
    return tally.agent_count - len(known), tuple(listed)


def _described_elsewhere(store: Store, graph: NamedNode, iris: Iterable[str]) -> set[str]:
    """Return the IRIs that have a class in another graph."""
    known: set[str] = set()
    for nodes in batches(NamedNode(iri) for iri in iris):
        rows = store.query(
            f"SELECT DISTINCT ?x {{ VALUES ?x {{ {nodes} }}"
            f" GRAPH ?g {{ ?x a ?class }} FILTER(?g != {graph}) }}"
        ).rows()
        known.update(getattr(row["x"], "value", "") for row in rows)
    return known


def suggest(store: Store, iris: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Find described things with similar IRIs for IRIs without a description."""
    found: dict[str, tuple[str, ...]] = {}
    for iri in islice(iris, _SUGGESTED):
        head, _, tail = iri.rpartition("/")
        start = Literal(f"{head}/{tail[:1]}")
        rows = store.query(
            f"SELECT DISTINCT ?x {{ ?x a ?class FILTER(STRSTARTS(STR(?x), {start})) }} LIMIT 2000"
        ).rows()
        others = [getattr(row["x"], "value", "") for row in rows]
        near = difflib.get_close_matches(iri, others, n=2, cutoff=_CUTOFF)
        if near:
            found[iri] = tuple(near)
    return found


def _agent_names(store: Store, graph: NamedNode) -> dict[str, tuple[str, str]]:
    classes = " ".join(str(NamedNode(name)) for name in sorted(AGENTS))
    rows = store.query(
        f"SELECT DISTINCT ?x ?label {{ VALUES ?class {{ {classes} }}"
        f" GRAPH ?g {{ ?x a ?class ; {_NAMES} ?label }} FILTER(?g != {graph}) }} LIMIT {_KNOWN_NAMES}"
    ).rows()
    names = {}
    for row in rows:
        label = str(getattr(row["label"], "value", ""))
        names[label.casefold()] = (str(getattr(row["x"], "value", "")), label)
    return names


def _alike(label: str, names: dict[str, tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    near = difflib.get_close_matches(label.casefold(), names, n=2, cutoff=_CUTOFF)
    return tuple(dict.fromkeys(names[name] for name in near))
