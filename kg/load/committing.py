"""Storing a load as previewed: the data and the provenance record as one step."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pyoxigraph
from pyoxigraph import NamedNode, RdfFormat, Triple

from kg import errors
from kg.load.exclude import leave_out
from kg.load.followers import follow
from kg.load.load_folder import LoadFolder, Loads, LoadState, disk_errors
from kg.load.model import Preview, Progress, silent
from kg.load.record_tables import TableInMaking, begin_table, codes_records, sweep_tables
from kg.load.staged.staging import export_sorted, is_empty
from kg.provenance import Load, load_triples
from kg.rdf.compression import frame, is_packed, pack_file
from kg.rdf.sorted_lines import read_lines, without_graph, write_lines
from kg.store import LocalStore, Store
from kg.store.bulk_changes import read_quads
from kg.store.interface import never
from kg.terms import GRAPH_LOADS, LOAD, compact
from kg.validation.rdf_rules import in_graph

_FEW: Final = 20_000


@disk_errors()
def store_load(
    store: Store, loads: Loads, folder: LoadFolder, *, skip: Iterable[str] = (), progress: Progress = silent
) -> Load | None:
    """Store a previewed load, data and PROV record as one step; return None if it changes nothing.

    `skip` lists IRIs of events, claims and records to exclude, with everything that belongs only to them.
    Loads are stored one at a time; this one waits for others. Raises ConflictError if the graph changed after
    the preview or the load was already stored, CancelledError, UnknownNameError for a name in `skip` that the
    load does not contain, StoreFailedError.
    """
    with folder.working():
        state = folder.read()
        if not state.can_be_stored:
            raise errors.ConflictError(
                f"load {state.id} is {state.step} and cannot be stored",
                where=state.file_name,
                mend="Load the file again for a new preview.",
            )
        preview = state.plan()
        report = folder.recording(state, progress)
        with loads.storing(report):
            started = datetime.now(UTC)
            iri = LOAD + folder.id
            wanted = state.records == "both" and codes_records(preview) and not preview.unchanged
            making = begin_table(store, loads, iri, preview.graph, wanted=wanted)
            try:
                _check_unchanged(store, folder, preview, report)
                preview = _without(folder, preview, tuple(skip), state)
                _write_table(making, folder, preview, report)
            except BaseException:
                making.withdraw()
                raise
            if preview.unchanged:
                making.withdraw()
                state.step = "unchanged"
                folder.write(state)
                return None
            load = Load(
                iri=iri,
                started=started,
                ended=datetime.now(UTC),
                started_by=state.started_by,
                graph=preview.graph,
                file_name=preview.file_name,
                sha256=preview.sha256,
                byte_length=preview.byte_length,
                added=preview.added,
                removed=preview.removed,
            )
            state.step, state.load, state.followed, state.problem = "storing", load.iri, False, None
            state.notes = making.notes
            state.added_bytes = folder.added.stat().st_size
            state.preview = asdict(preview)
            state.phase, state.phase_since, state.done = "storing", time.time(), 0
            state.total = preview.added + preview.removed
            try:
                folder.write(state)
                progress("storing", 0, state.total)
                _change(store, folder, load, making.description())
            except BaseException as error:
                # A change cancelled late may have been stored.
                if not is_recorded(store, load.iri):
                    making.withdraw()
                    back_to_ready(folder, state)
                    if isinstance(error, errors.QueryStoppedError) and folder.cancelled():
                        raise errors.CancelledError(
                            "the load was cancelled; nothing was stored",
                            mend="Store it again if you want it.",
                        ) from None
                    raise
            finish(store, loads, folder, state, progress)
            sweep_tables(store, loads)
    return load


def finish(
    store: Store, loads: Loads, folder: LoadFolder, state: LoadState, progress: Progress = silent
) -> None:
    """Mark a load as stored, notify the followers and compress the files that its undo needs.

    Raises StoreFailedError if one of the later steps fails; its message says that the load is stored.
    """
    _cut(folder, state)
    state.step = "stored"
    folder.write(state)
    report = folder.recording(state, progress, may_end=False)
    try:
        report("updating search index and inferences", 0)
        follow(store, loads, folder, state)
        report("compressing", 0)
        pack(folder)
    except (errors.DiplographError, OSError) as error:
        raise errors.StoreFailedError(
            f"load {state.id} is stored, but search index or inferences could not be updated: {error}",
            where=state.file_name,
            mend="Do not load it again. Fix the cause; the next start updates the rest.",
        ) from error


def back_to_ready(folder: LoadFolder, state: LoadState) -> None:
    """Mark a load as ready again after nothing was stored."""
    _cut(folder, state)
    state.step, state.load, state.followed = "ready", None, True
    (folder.path / "cancel").unlink(missing_ok=True)
    folder.write(state)


def is_recorded(store: Store, iri: str) -> bool:
    """Return whether the record of a load, or of an undo, is in the graph."""
    return store.query(f"ASK {{ GRAPH {GRAPH_LOADS} {{ {NamedNode(iri)} ?p ?o }} }}").truth()


def pack(folder: LoadFolder) -> None:
    """Compress the files that the undo of a load needs, and remove the others."""
    for path in (folder.added, folder.removed):
        if path.exists() and not is_packed(path):
            pack_file(path)
    for name in ("new.nt", "undo-added.nq", "undo-removed.nq", "cancel"):
        (folder.path / name).unlink(missing_ok=True)
    shutil.rmtree(folder.source, ignore_errors=True)


def put(
    store: Store, removed: Path, added: Path, whole: Path, graph: NamedNode, stop: Callable[[], bool] = never
) -> None:
    """Remove the quads of one file and add those of another, in the best way that the store offers.

    A remote store gets few quads as one change; for many, the graph is replaced by the triples of `whole` if
    that file exists, and quads of other graphs are added. A change of files ends when `stop` returns True.
    """
    if isinstance(store, LocalStore):
        store.change_files(removed, added, stop=stop)
        return
    if not whole.exists() or max(sum(1 for _ in read_lines(path)) for path in (removed, added)) < _FEW:
        store.change(read_quads(removed), read_quads(added))
        return
    store.replace(graph, whole, (quad for quad in read_quads(added) if quad.graph_name != graph))


def _write_table(making: TableInMaking, folder: LoadFolder, preview: Preview, progress: Progress) -> None:
    """Write the table of the records that the graph will hold."""
    if not making.wanted:
        return
    progress("writing the table of records", 0)
    whole = folder.path / "new.nt"
    if whole.exists():
        making.write(whole, triples=True)
    elif not preview.fingerprint:
        # A new source: the added statements are the whole graph.
        making.write(folder.added, triples=False)
    else:
        making.fail("things were left out of the load; `diplograph tables --rebuild` writes the table")


def _change(store: Store, folder: LoadFolder, load: Load, more: Iterable[Triple]) -> None:
    graph = NamedNode(load.graph)
    with folder.added.open("ab") as file:
        record = quads_text([*load_triples(load), *more], GRAPH_LOADS)
        file.write(frame((record,)) if is_packed(folder.added) else record)
        file.flush()
        os.fsync(file.fileno())
    whole = folder.path / "new.nt"
    remote = not isinstance(store, LocalStore)
    if remote and not whole.exists() and not folder.removed.stat().st_size and is_empty(store, graph):
        # A new source: the added statements are the whole graph.
        name = str(graph).encode()
        ours = (line for line in read_lines(folder.added) if line.endswith(b" " + name + b" .\n"))
        write_lines((without_graph(line, name) for line in ours), whole)
    put(store, folder.removed, folder.added, whole, graph, folder.cancelled)


def quads_text(triples: Iterable[Triple], graph: NamedNode) -> bytes:
    """Return triples as N-Quads of one graph."""
    return pyoxigraph.serialize(in_graph(triples, graph), format=RdfFormat.N_QUADS) or b""


def _check_unchanged(store: Store, folder: LoadFolder, preview: Preview, progress: Progress) -> None:
    store.settle()
    if preview.version and preview.version == store.version:
        return
    graph = NamedNode(preview.graph)
    if preview.fingerprint:
        now = folder.path / "now.nt"
        same = export_sorted(store, graph, now, progress) == preview.fingerprint
        now.unlink(missing_ok=True)
    else:
        same = is_empty(store, graph)
    if not same:
        raise errors.ConflictError(
            f"{compact(preview.graph)} was changed after the preview",
            where=preview.file_name,
            mend="Load the file again for a new preview.",
        )


def _without(folder: LoadFolder, preview: Preview, skip: tuple[str, ...], state: LoadState) -> Preview:
    if not skip:
        return preview
    added, removed, missing = leave_out(folder, skip)
    if missing:
        raise errors.UnknownNameError(
            f"the load does not change {compact(missing[0])}", mend="Use the names in the preview."
        )
    (folder.path / "new.nt").unlink(missing_ok=True)
    state.skipped = sorted(skip)
    return replace(preview, added=added, removed=removed)


def _cut(folder: LoadFolder, state: LoadState) -> None:
    # The file also contained the record of the load, which is not part of its undo.
    if state.added_bytes is not None and folder.added.exists():
        os.truncate(folder.added, state.added_bytes)
