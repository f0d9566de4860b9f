"""The operations of the SPARQL 1.1 Graph Store HTTP Protocol on one graph of any store."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import pyoxigraph
from pyoxigraph import DefaultGraph, NamedNode, Quad, RdfFormat

from kg.errors import ParameterError, TooLargeError, UnknownNameError
from kg.rdf.formats import Format, result_format
from kg.rdf.ntriples_files import Written
from kg.sparql.text import within_graph
from kg.store import UNNAMED, Answer, QueryDataset, Store

_NTRIPLES: Final = result_format("graph", "nt")
# Triples that fit into the text of one request; more are written as a file.
_IN_TEXT: Final = 500
_IN_CHANGE: Final = 20_000
_BATCH: Final = 5_000
# Held while a precondition is checked and its write carried out.
WRITING: Final = threading.RLock()


class StoredGraph:
    """A graph of a store: a named one, or the unnamed one if `iri` is None or its name `UNNAMED`.

    Raises ParameterError if `iri` is not an absolute IRI.
    """

    def __init__(self, store: Store, iri: str | None) -> None:
        self._store = store
        self.iri = iri = None if iri == UNNAMED else iri
        try:
            self._node = None if iri is None else NamedNode(iri)
        except ValueError:
            raise ParameterError(
                f"“{iri}” is not an absolute IRI", mend="Write it in full, such as https://w3id.org/…"
            ) from None

    def exists(self) -> bool:
        """Return whether the store has the graph; the unnamed one always exists."""
        node = self._node
        where = f"{{ GRAPH {node} {{ ?s ?p ?o }} }} UNION {{ GRAPH ?g {{}} FILTER(?g = {node}) }}"
        return node is None or self._store.query(f"ASK {{ {where} }}").truth()

    def read(self) -> Answer:
        """Return its triples. Raises UnknownNameError if there is no such graph."""
        if not self.exists():
            raise self.unknown()
        return self._triples()

    def unknown(self) -> UnknownNameError:
        """Build the error for a graph that does not exist."""
        return UnknownNameError(
            f"there is no graph <{self.iri}>", mend="List the graphs: GET /graphs, or query /sparql."
        )

    def put(self, path: Path, written: Written) -> None:
        """Replace its content by the N-Triples of a file.

        Raises TooLargeError for more than 500 triples for the unnamed graph, StoreFailedError.
        """
        if self._node is None:
            self._insert("CLEAR DEFAULT ;\n", path, written)
        elif written.triples == 0:
            self._store.update(f"DROP SILENT GRAPH {self._node} ;\nCREATE GRAPH {self._node}")
        elif (written.blank_nodes or written.triple_terms) and written.triples <= _IN_TEXT:
            self._insert(f"DROP SILENT GRAPH {self._node} ;\n", path, written)
        else:
            self._store.replace(self._node, path)

    def merge(self, path: Path, written: Written) -> None:
        """Add the N-Triples of a file; see `put`."""
        if written.triples == 0:
            if self._node is not None:
                self._store.update(f"CREATE SILENT GRAPH {self._node}")
        elif not (written.blank_nodes or written.triple_terms) and written.triples <= _IN_CHANGE:
            graph = self._node or DefaultGraph()
            quads = pyoxigraph.parse(path=str(path), format=RdfFormat.N_TRIPLES)
            self._store.change([], (Quad(q.subject, q.predicate, q.object, graph) for q in quads))
        elif self._node is None or written.triples <= _IN_TEXT:
            self._insert("", path, written)
        else:
            with tempfile.TemporaryDirectory(prefix="diplograph-") as folder:
                whole = Path(folder) / "whole.nt"
                with whole.open("wb") as out, path.open("rb") as added:
                    # The labels of stored blank nodes differ from those that the parser has just generated.
                    out.writelines(self._triples().serialize(_NTRIPLES))
                    shutil.copyfileobj(added, out)
                self._store.replace(self._node, whole)

    def delete(self) -> None:
        """Delete it. Raises UnknownNameError if there is no such graph."""
        if not self.exists():
            raise self.unknown()
        self._store.update(f"DROP SILENT GRAPH {self._node}" if self._node else "CLEAR DEFAULT")

    def patch(self, update: str) -> None:
        """Carry out an update limited to this graph. Raises OutsideGraphError, QuerySyntaxError."""
        if self.iri is None:
            raise ParameterError(
                "the unnamed graph cannot be patched", mend="Send the update to /update, which changes it."
            )
        self._store.update(within_graph(update, self.iri))

    def _triples(self) -> Answer:
        return self._store.query("CONSTRUCT WHERE { ?s ?p ?o }", QueryDataset(default=(self.iri or UNNAMED,)))

    def _insert(self, first: str, path: Path, written: Written) -> None:
        """Add the triples of a file by an update, after another operation."""
        if written.triples > _IN_TEXT:
            raise TooLargeError(
                f"the unnamed graph takes at most {_IN_TEXT} triples in one request",
                mend="Use a named graph, or send the triples in parts by POST.",
            )
        text = path.read_text(encoding="utf-8")
        inside = f"GRAPH {self._node} {{ {text} }}" if self._node else text
        self._store.update(f"{first}INSERT DATA {{ {inside} }}")


def read_dataset(store: Store, form: Format) -> Iterator[bytes]:
    """Yield all named graphs as N-Quads or TriG in pieces, from one state of the store.

    All pieces arrive, or the iteration raises. Empty graphs are not written (RDF 1.1 TriG section 2.2).
    """
    rows = store.query("SELECT ?s ?p ?o ?g { GRAPH ?g { ?s ?p ?o } }").rows()
    quads = (Quad(row["s"], row["p"], row["o"], row["g"]) for row in rows)  # type: ignore[arg-type]
    # Documents of both formats can be concatenated.
    while batch := list(islice(quads, _BATCH)):
        yield pyoxigraph.serialize(batch, format=form.engine) or b""  # type: ignore[arg-type]
