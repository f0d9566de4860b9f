"""Notifying the followers of the graph (search index, inferences) of a stored change."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from operator import methodcaller
from pathlib import Path
from typing import Final

from pyoxigraph import NamedNode

from kg.changes import Batch, Change, Statements
from kg.load.load_folder import LoadFolder, Loads, LoadState
from kg.provenance import read_load
from kg.rdf.compression import find_packed, open_packed
from kg.store import Store

_BATCH: Final = 5_000


def follow(store: Store, loads: Loads, folder: LoadFolder, state: LoadState) -> None:
    """Notify the followers of the changes of a load or its undo, and record that this was done."""
    entered, left = folder.added, folder.removed
    if state.step == "undone":
        entered, left = folder.path / "undo-added.nq", folder.path / "undo-removed.nq"
    change = change_from(entered, left, NamedNode(read_load(store, state.load or "").graph))
    for follower in loads.followers:
        follower.follow(store, change)
    state.followed, state.problem = True, None
    folder.write(state)


def change_from(entered: Path, left: Path, graph: NamedNode) -> Change:
    """Return the quads of two N-Quads files as statements added to and removed from a graph."""
    return Change(graph, lambda: _statements(entered, graph), lambda: _statements(left, graph))


def open_delta(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file of a load, which may be compressed or missing."""
    found = find_packed(path)
    if not found.exists():
        return
    with open_packed(found) as lines:
        yield from lines


def _statements(path: Path, graph: NamedNode) -> Statements:
    ending = f" {graph} .\n".encode()
    ours = methodcaller("endswith", ending)
    rest = open_delta(path)
    while lines := list(islice(rest, _BATCH)):
        # While a load is being stored, the file also contains its record.
        yield Batch(lines if all(map(ours, lines)) else list(filter(ours, lines)), len(ending))
