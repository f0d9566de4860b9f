"""Entailments of the graph by OWL 2 RL, kept in a graph of their own and in step with every change.

Most need one premise (a wider class, a wider role, a domain or range): they are read from a table of the
ontology. Entailments with several premises (transitive properties, chains, class expressions) go through the
reasoner, limited to the things that a change can reach. Asserted statements are never repeated, so that every
triple counts once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from pyoxigraph import Literal, NamedNode, Triple

from kg.changes import Change
from kg.reasoning.entailment_graph import Delta
from kg.reasoning.incremental import step_for
from kg.reasoning.rebuild import build, statements_of
from kg.reasoning.rule_queries import query_whole
from kg.reasoning.schema import TYPE, Schema, fingerprint, read_schema
from kg.reasoning.single_premise import ChangeReader
from kg.store import QueryDataset, Store
from kg.terms import GRAPH_ENTAILMENTS, GRAPH_LOADS, GRAPH_ONTOLOGY, ID, slugify, term

_SOFTWARE: Final = f"reasonable {version('reasonable')}"
_GENERATED: Final = term("prov:generatedAtTime")
_ENDED: Final = term("prov:endedAtTime")
_SHA256: Final = term("dg:sha256")


class Entailments:
    """Keeps `graph:entailments` in step with the other graphs; use one object per store."""

    def __init__(self) -> None:
        self._schema: Schema | None = None

    def ensure(self, store: Store) -> bool:
        """Rebuild the entailments if ontology or loads are newer; return whether they were rebuilt.

        Raises StoreFailedError.
        """
        self._schema = None
        known = {t.predicate: t.object for t in _provenance(store)}
        sha256, generated = known.get(_SHA256), known.get(_GENERATED)
        if isinstance(sha256, Literal) and sha256.value == fingerprint(_ontology(store)):
            later = f"FILTER(?end > {generated})" if generated else ""
            if not store.query(f"ASK {{ ?load a {term('dg:Load')} ; {_ENDED} ?end {later} }}").truth():
                return False
        self.rebuild(store)
        return True

    def rebuild(self, store: Store) -> int:
        """Compute all entailments and return their number.

        Only differences are written, in one step if the store takes files. Raises StoreFailedError.
        """
        self._schema = None
        schema = self._read(store)
        with tempfile.TemporaryDirectory(prefix="diplograph-rl-") as folder:
            delta = Delta(Path(folder))
            build(store, schema, delta)
            delta.replace_provenance(_provenance(store), _new_provenance(schema))
            delta.apply(store)
        return _count(store)

    def follow(self, store: Store, change: Change) -> None:
        """Update the entailments after a change that the store already holds.

        The cost depends on the change and its neighbourhood, not on the size of the store; a change of the
        ontology rebuilds everything. Raises StoreFailedError.
        """
        if change.graph in (GRAPH_LOADS, GRAPH_ENTAILMENTS):
            return
        if change.graph == GRAPH_ONTOLOGY:
            self.rebuild(store)
            return
        schema = self._read(store)
        reader = ChangeReader(schema)
        changed = False
        for gone in (True, False):
            for part in reader.parts(change.statements(gone=gone)):
                step = step_for(store, schema, part, gone=gone)
                changed |= bool(step)
                # The provenance is about all entailments, so that it is written with the last part.
                finished = changed and part.last and not gone
                if not step and not finished:
                    continue
                with tempfile.TemporaryDirectory(prefix="diplograph-rl-") as folder:
                    delta = Delta(Path(folder))
                    for key, members in step.removed.items():
                        delta.remove(statements_of(key, members))
                    for key, members in step.added.items():
                        delta.add(statements_of(key, members))
                    if finished:
                        delta.replace_provenance(_provenance(store), _new_provenance(schema))
                    delta.apply(store)

    def _read(self, store: Store) -> Schema:
        if self._schema is None:
            self._schema = read_schema(_ontology(store))
        return self._schema


def _ontology(store: Store) -> Iterator[Triple]:
    dataset = QueryDataset(default=(GRAPH_ONTOLOGY.value,))
    yield from query_whole(store, "CONSTRUCT WHERE { ?s ?p ?o }", dataset).triples()


def _count(store: Store) -> int:
    rows = store.query(f"SELECT (COUNT(*) AS ?n) {{ GRAPH {GRAPH_ENTAILMENTS} {{ ?s ?p ?o }} }}").rows()
    return sum(int(row["n"].value) for row in rows if isinstance(row["n"], Literal))


def _provenance(store: Store) -> list[Triple]:
    about = f"{GRAPH_ENTAILMENTS} ?p ?o"
    answer = query_whole(store, f"CONSTRUCT {{ {about} }} {{ GRAPH {GRAPH_LOADS} {{ {about} }} }}")
    return list(answer.triples())


def _new_provenance(schema: Schema) -> list[Triple]:
    """Describe what the graph was generated from, by which software, and when (PROV-O)."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    graph, software = GRAPH_ENTAILMENTS, NamedNode(f"{ID}software/{slugify(_SOFTWARE)}")
    return [
        Triple(graph, TYPE, term("prov:Entity")),
        Triple(graph, term("rdfs:label"), Literal("Entailments by OWL 2 RL", language="en")),
        Triple(graph, term("prov:wasDerivedFrom"), GRAPH_ONTOLOGY),
        Triple(graph, term("prov:wasAttributedTo"), software),
        Triple(graph, _GENERATED, Literal(now, datatype=term("xsd:dateTime"))),
        Triple(graph, _SHA256, Literal(schema.sha256)),
        Triple(software, TYPE, term("prov:SoftwareAgent")),
        Triple(software, term("rdfs:label"), Literal(_SOFTWARE, language="en")),
    ]
