"""Entailments of the graph by OWL 2 RL, kept in a graph of their own and in step with every change.

Most need one premise (a wider class, a wider role, a domain or range): they are read from a table of the
ontology. Entailments with several premises (transitive properties, chains, class expressions) go through the
reasoner, limited to the things that a change can reach. Asserted statements are never repeated, so that every
triple counts once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO, Final

import pyoxigraph
from pyoxigraph import Literal, Quad, RdfFormat, Triple

from kg.changes import Change
from kg.reasoning.differences import differences, statements_of, step_for
from kg.reasoning.rule_queries import query_whole
from kg.reasoning.schema import Schema, fingerprint, read_schema
from kg.reasoning.single_premise import parts_of
from kg.store import LocalStore, QueryDataset, Store
from kg.terms import GRAPH_ENTAILMENTS, GRAPH_LOADS, GRAPH_ONTOLOGY, mint, read_turtle, term

_SOFTWARE: Final = f"reasonable {version('reasonable')}"
_GENERATED: Final = term("prov:generatedAtTime")
_ENDED: Final = term("prov:endedAtTime")
_SHA256: Final = term("dg:sha256")
_ENDING: Final = b" %b .\n" % str(GRAPH_ENTAILMENTS).encode()


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
        with _changing(store) as files:
            for gone, lines in differences(store, schema):
                files[gone].writelines(_as_entailments(lines))
            _replace_provenance(store, schema, files)
        rows = store.query(f"SELECT (COUNT(*) AS ?n) {{ GRAPH {GRAPH_ENTAILMENTS} {{ ?s ?p ?o }} }}").rows()
        return sum(int(row["n"].value) for row in rows if isinstance(row["n"], Literal))

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
        changed = False
        for gone in (True, False):
            for part in parts_of(change.removed() if gone else change.added(), schema):
                step = step_for(store, schema, part, gone=gone)
                changed |= bool(step)
                # The provenance is about all entailments, so that it is written with the last part.
                finished = changed and part.last and not gone
                if not step and not finished:
                    continue
                with _changing(store) as files:
                    for file, members_by_key in zip(files, (step.added, step.removed), strict=True):
                        for key, members in members_by_key.items():
                            file.writelines(_as_entailments(statements_of(key, members)))
                    if finished:
                        _replace_provenance(store, schema, files)

    def _read(self, store: Store) -> Schema:
        self._schema = self._schema or read_schema(_ontology(store))
        return self._schema


def _ontology(store: Store) -> Iterator[Triple]:
    dataset = QueryDataset(default=(GRAPH_ONTOLOGY.value,))
    yield from query_whole(store, "CONSTRUCT WHERE { ?s ?p ?o }", dataset).triples()


@contextmanager
def _changing(store: Store) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Yield two files for N-Quads, what to add and what to remove, and change the store by them.

    That is one step if the store takes files, else as many requests as needed.
    """
    with tempfile.TemporaryDirectory(prefix="diplograph-rl-") as folder:
        added, removed = Path(folder, "added.nq"), Path(folder, "removed.nq")
        with added.open("wb") as to_add, removed.open("wb") as to_remove:
            yield to_add, to_remove
        if isinstance(store, LocalStore):
            store.change_files(removed, added)
        else:
            # The provenance is written last: after an interruption everything is built again.
            store.change(pyoxigraph.parse(path=removed, format=RdfFormat.N_QUADS), ())
            store.change((), pyoxigraph.parse(path=added, format=RdfFormat.N_QUADS))


def _as_entailments(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Turn whole lines of N-Triples into N-Quads of the graph of entailments."""
    return (piece.replace(b" .\n", _ENDING) for piece in pieces)


def _provenance(store: Store) -> set[Triple]:
    about = f"{GRAPH_ENTAILMENTS} ?p ?o"
    answer = query_whole(store, f"CONSTRUCT {{ {about} }} {{ GRAPH {GRAPH_LOADS} {{ {about} }} }}")
    return set(answer.triples())


def _replace_provenance(store: Store, schema: Schema, files: tuple[BinaryIO, BinaryIO]) -> None:
    """Write from what, by which software and when the graph was generated (PROV-O), in place of the old."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    software = mint("software", _SOFTWARE)
    new = read_turtle(f"""
        {GRAPH_ENTAILMENTS} a prov:Entity ; rdfs:label "Entailments by OWL 2 RL"@en ;
            prov:wasDerivedFrom {GRAPH_ONTOLOGY} ; prov:wasAttributedTo {software} ;
            prov:generatedAtTime "{now}"^^xsd:dateTime ; dg:sha256 "{fingerprint(schema.ontology)}" .
        {software} a prov:SoftwareAgent ; rdfs:label "{_SOFTWARE}"@en .""")
    before, after = _provenance(store), set(new)
    for file, triples in zip(files, (after - before, before - after), strict=True):
        quads = (Quad(t.subject, t.predicate, t.object, GRAPH_LOADS) for t in triples)
        pyoxigraph.serialize(quads, file, format=RdfFormat.N_QUADS)
