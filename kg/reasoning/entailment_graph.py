"""Writing what enters and leaves the graph of entailments, with the record of it, as one step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pyoxigraph
from pyoxigraph import Quad, RdfFormat, Triple

from kg.store import LocalStore, Store
from kg.terms import GRAPH_ENTAILMENTS, GRAPH_LOADS

_ENDING: Final = b" %b .\n" % str(GRAPH_ENTAILMENTS).encode()


class Delta:
    """Two files of N-Quads in a folder, written a piece at a time."""

    def __init__(self, folder: Path) -> None:
        self._leaving, self._entering = folder / "leaving.nq", folder / "entering.nq"
        self._out, self._into = self._leaving.open("wb"), self._entering.open("wb")

    def leave(self, pieces: Iterable[bytes]) -> None:
        """Take N-Triples of whole lines out of the entailments."""
        self._out.writelines(piece.replace(b" .\n", _ENDING) for piece in pieces)

    def enter(self, pieces: Iterable[bytes]) -> None:
        """Put N-Triples of whole lines into the entailments."""
        self._into.writelines(piece.replace(b" .\n", _ENDING) for piece in pieces)

    def record(self, old: Iterable[Triple], new: Iterable[Triple]) -> None:
        """Put one record of the entailments in the place of another."""
        was, will = set(old), set(new)
        self._out.write(_of_loads(was - will))
        self._into.write(_of_loads(will - was))

    def carry_out(self, store: Store) -> None:
        """Change the store: as one step where it takes files, else in as many requests as it needs."""
        self._out.close()
        self._into.close()
        if isinstance(store, LocalStore):
            store.change_files(self._leaving, self._entering)
        else:
            # The record goes in last, so that what breaks off is made anew.
            store.change(_quads(self._leaving), ())
            store.change((), _quads(self._entering))


def _of_loads(triples: Iterable[Triple]) -> bytes:
    quads = (Quad(t.subject, t.predicate, t.object, GRAPH_LOADS) for t in triples)
    return pyoxigraph.serialize(quads, format=RdfFormat.N_QUADS) or b""


def _quads(path: Path) -> Iterator[Quad]:
    yield from pyoxigraph.parse(path=str(path), format=RdfFormat.N_QUADS)
