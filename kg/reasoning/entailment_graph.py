"""Writing additions to and removals from the graph of entailments, with its provenance, as one step."""

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
        self._removed_path, self._added_path = folder / "removed.nq", folder / "added.nq"
        self._removed, self._added = self._removed_path.open("wb"), self._added_path.open("wb")

    def remove(self, pieces: Iterable[bytes]) -> None:
        """Remove entailments; each piece is whole lines of N-Triples."""
        self._removed.writelines(piece.replace(b" .\n", _ENDING) for piece in pieces)

    def add(self, pieces: Iterable[bytes]) -> None:
        """Add entailments; each piece is whole lines of N-Triples."""
        self._added.writelines(piece.replace(b" .\n", _ENDING) for piece in pieces)

    def replace_provenance(self, old: Iterable[Triple], new: Iterable[Triple]) -> None:
        """Replace the provenance of the entailments in `graph:loads`."""
        before, after = set(old), set(new)
        self._removed.write(_in_loads(before - after))
        self._added.write(_in_loads(after - before))

    def apply(self, store: Store) -> None:
        """Change the store: in one step if it takes files, else in as many requests as needed."""
        self._removed.close()
        self._added.close()
        if isinstance(store, LocalStore):
            store.change_files(self._removed_path, self._added_path)
        else:
            # The provenance is written last: after an interruption everything is built again.
            store.change(_quads(self._removed_path), ())
            store.change((), _quads(self._added_path))


def _in_loads(triples: Iterable[Triple]) -> bytes:
    quads = (Quad(t.subject, t.predicate, t.object, GRAPH_LOADS) for t in triples)
    return pyoxigraph.serialize(quads, format=RdfFormat.N_QUADS) or b""


def _quads(path: Path) -> Iterator[Quad]:
    yield from pyoxigraph.parse(path=str(path), format=RdfFormat.N_QUADS)
