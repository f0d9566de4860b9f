"""What follows from the graph by OWL 2 RL, kept in a graph of its own and in step with every change.

Most of it follows from one statement alone (a class from a wider one, a role from a narrower one, a type
from a domain or range): a table of the ontology gives it. Statements with joining properties (transitive,
functional, in a class expression) have to be looked at together: the things they connect go through the
reasoner, and only those that a change can reach. What is asserted anywhere is never repeated, so that a
triple counts once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from pyoxigraph import Literal, NamedNode, Quad, Triple

from kg.changes import Change
from kg.reasoning.entailment_graph import Delta
from kg.reasoning.incremental import step_for
from kg.reasoning.rebuild import build, statements_of
from kg.reasoning.rule_queries import ask
from kg.reasoning.schema import TYPE, Schema, fingerprint, read_schema
from kg.reasoning.single_premise import Teller
from kg.store import QueryDataset, Store
from kg.terms import GRAPH_ENTAILMENTS, GRAPH_LOADS, GRAPH_ONTOLOGY, ID, slugify, term

_SOFTWARE: Final = f"reasonable {version('reasonable')}"
_MADE: Final = term("prov:generatedAtTime")
_ENDED: Final = term("prov:endedAtTime")
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

        What differs is written as one step, where the store takes files. Raises StoreFailedError.
        """
        self._schema = None
        schema = self._read(store)
        with tempfile.TemporaryDirectory(prefix="diplograph-rl-") as folder:
            delta = Delta(Path(folder))
            build(store, schema, delta)
            delta.record(_provenance(store), _said(schema))
            delta.carry_out(store)
        return _count(store)

    def clear(self, store: Store) -> None:
        """Take all entailments out of the graph. Raises StoreFailedError."""
        old = _provenance(store)
        store.change([Quad(t.subject, t.predicate, t.object, GRAPH_LOADS) for t in old], ())
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
        teller = Teller(schema)
        changed = False
        for gone in (True, False):
            for told in teller.tell(change.statements(gone=gone)):
                step = step_for(store, schema, told, gone=gone)
                changed |= bool(step)
                # The record speaks of the whole, so that it is written with the end of it.
                ready = changed and told.last and not gone
                if not step and not ready:
                    continue
                with tempfile.TemporaryDirectory(prefix="diplograph-rl-") as folder:
                    delta = Delta(Path(folder))
                    for key, members in step.leaving.items():
                        delta.leave(statements_of(key, members))
                    for key, members in step.entering.items():
                        delta.enter(statements_of(key, members))
                    if ready:
                        delta.record(_provenance(store), _said(schema))
                    delta.carry_out(store)

    def _read(self, store: Store) -> Schema:
        if self._schema is None:
            self._schema = read_schema(_ontology(store))
        return self._schema


def _ontology(store: Store) -> Iterator[Triple]:
    held = ask(store, "CONSTRUCT WHERE { ?s ?p ?o }", QueryDataset(default=(GRAPH_ONTOLOGY.value,)))
    yield from held.triples()


def _count(store: Store) -> int:
    rows = store.query(f"SELECT (COUNT(*) AS ?n) {{ GRAPH {GRAPH_ENTAILMENTS} {{ ?s ?p ?o }} }}").rows()
    return sum(int(getattr(row["n"], "value", 0)) for row in rows)


def _provenance(store: Store) -> list[Triple]:
    about = f"{GRAPH_ENTAILMENTS} ?p ?o"
    answer = ask(store, f"CONSTRUCT {{ {about} }} {{ GRAPH {GRAPH_LOADS} {{ {about} }} }}")
    return list(answer.triples())


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
