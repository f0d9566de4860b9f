"""Large changes of the embedded engine as one step: a bulk load, then removals, with a journal.

A bulk load of one file is atomic: the engine writes new files and adds them all at once. Quads are removed in
pieces, so that memory stays bounded. A journal beside the store's folder records the change: the next opening
after a crash finishes the change if its bulk load is complete, and drops it otherwise.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyoxigraph
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat

from kg.rdf.compression import is_packed, open_packed
from kg.rdf.sorted_lines import read_lines, sort_lines, with_graph, write_difference
from kg.store.updates import has_blank, requests

SMALL: Final = 20_000
"""Number of quads from which a change is carried out by this module, not as one transaction."""

_MARK: Final = NamedNode("urn:x-diplograph:journal")
_ENTRY: Final = "entry.json"
_LEFT_BEHIND: Final = "bulk-*.sst"
_NICENESS: Final = 10
_CHUNK: Final = 1024 * 1024


class Bulk:
    """Carries out large changes for one store; `folder` is the store's, None for one in memory."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._journal = journal_of(folder) if folder else None

    def recover(self, engine: pyoxigraph.Store) -> bool:
        """Finish or drop a change that a crash broke off; return whether one was finished."""
        if self._journal is None:
            return False
        self._sweep()
        finished = False
        if (self._journal / _ENTRY).exists():
            marks = list(engine.quads_for_pattern(_MARK, _MARK, None, _MARK))
            if finished := bool(marks):
                self._take_out(engine, self._journal / "removed.nq")
                for mark in marks:
                    engine.remove(mark)
                engine.flush()
        shutil.rmtree(self._journal, ignore_errors=True)
        return finished

    def put_in(self, engine: pyoxigraph.Store, added: Path) -> None:
        """Add the quads of a file, all or none.

        The file must be as an engine or a reader of ours writes it: IRIs and languages are not checked again,
        which saves a twelfth of the time.
        """
        try:
            with open_packed(added) as file:
                source: dict[str, Any] = {"input": file} if is_packed(added) else {"path": str(added)}
                _gently(lambda: engine.bulk_load(**source, format=RdfFormat.N_QUADS, lenient=True))
        finally:
            self._sweep()

    def exchange(self, engine: pyoxigraph.Store, removed: Path, added: Path, mark: str) -> None:
        """Add the quads of one file and remove those of another; quads in both are removed.

        Until this returns, a query could read a state that was never committed.
        """
        if self._journal is None:
            self.put_in(engine, added)
            self._take_out(engine, removed)
            return
        shutil.rmtree(self._journal, ignore_errors=True)
        self._journal.mkdir()
        try:
            _keep(removed, self._journal / "removed.nq")
            marked = self._journal / "added.nq"
            with open_packed(added) as file, marked.open("wb") as plain:
                shutil.copyfileobj(file, plain, _CHUNK)
                plain.write(f"{_mark(mark)} .\n".encode())
            _write_through(self._journal / _ENTRY, json.dumps({"mark": mark}))
            self.put_in(engine, marked)
        except BaseException:
            shutil.rmtree(self._journal, ignore_errors=True)
            raise
        self._take_out(engine, removed)
        engine.remove(_mark(mark))
        engine.flush()
        shutil.rmtree(self._journal, ignore_errors=True)

    @staticmethod
    def _take_out(engine: pyoxigraph.Store, removed: Path) -> None:
        quads = read_quads(removed)
        while some := list(islice(quads, SMALL)):
            for request in requests((quad for quad in some if not has_blank(quad)), (), SMALL, sys.maxsize):
                engine.update(request)
            # An update cannot name blank nodes; the engine's own method finds them by their labels.
            for quad in filter(has_blank, some):
                engine.remove(quad)

    def _sweep(self) -> None:
        # The engine leaves behind, and never uses, the files of a bulk load that was broken off.
        if self._folder is not None:
            for path in self._folder.glob(_LEFT_BEHIND):
                path.unlink(missing_ok=True)


def write_replacement(
    export: Callable[[NamedNode, Path], None],
    graph: NamedNode,
    path: Path,
    record: Iterable[Quad],
    work: Path,
) -> tuple[Path, Path]:
    """Write the quads to remove and to add, as N-Quads, so that a graph holds the triples of a file.

    `export` writes the content of the graph to a file; `record` is added too. Triples with blank nodes are
    always removed and added, since the nodes of a file differ from those of the graph. Raises SyntaxError,
    OSError.
    """
    export(graph, work / "graph.nt")
    triples = pyoxigraph.parse(path=str(path), format=RdfFormat.N_TRIPLES)
    pyoxigraph.serialize(triples, str(work / "file.nt"), format=RdfFormat.N_TRIPLES)
    for source, target in (("graph.nt", "old.nt"), ("file.nt", "new.nt")):
        sort_lines(read_lines(work / source), work / target)
        (work / source).unlink()
    removed, added, name = work / "removed.nq", work / "added.nq", str(graph).encode()
    with removed.open("wb") as out, added.open("wb") as into:
        write_difference(work / "old.nt", work / "new.nt", out, into, lambda line: with_graph(line, name))
        into.write(pyoxigraph.serialize(record, format=RdfFormat.N_QUADS) or b"")
    return removed, added


def journal_of(folder: Path) -> Path:
    """Return the path of the journal of a store's folder."""
    return folder.with_name(folder.name + ".journal")


def read_quads(path: Path) -> Iterator[Quad]:
    """Yield the quads of a file of N-Quads, which may be compressed; raises SyntaxError."""
    with open_packed(path) as file:
        yield from pyoxigraph.parse(file, format=RdfFormat.N_QUADS, lenient=True)


def count_lines(path: Path, limit: int) -> int:
    """Count the lines of a file, up to a limit."""
    return sum(1 for _ in islice(read_lines(path), limit))


def _mark(name: str) -> Quad:
    return Quad(_MARK, _MARK, Literal(name), _MARK)


def _keep(source: Path, target: Path) -> None:
    """Link a file that does not change any more, or copy it if the disk cannot link it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    _sync(target)


def _write_through(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".part")
    unfinished.write_text(text, encoding="utf-8")
    _sync(unfinished)
    unfinished.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _gently(work: Callable[[], None]) -> None:
    """Run the work in a thread of lower priority, so that queries come first on a busy machine."""
    # On Linux the niceness is the thread's, and the engine's own threads inherit it.
    with ThreadPoolExecutor(1, "bulk load", os.nice, (_NICENESS,)) as thread:
        thread.submit(work).result()
