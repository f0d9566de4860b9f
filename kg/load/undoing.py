"""Undoing a load: statements it added are removed, those it removed are restored; later loads are kept."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pyoxigraph import NamedNode

from kg.errors import ConflictError
from kg.load.committing import is_recorded, put, quads_text
from kg.load.followers import follow, open_delta
from kg.load.load_folder import LoadFolder, Loads, LoadState, disk_errors
from kg.load.model import Progress, counted, silent, watching
from kg.load.record_tables import begin_table, has_table, sweep_tables
from kg.load.staged.staging import export_sorted
from kg.provenance import Undoing, mint_load, undoing_triples
from kg.rdf.compression import drop_packed
from kg.rdf.sorted_lines import (
    Watch,
    difference,
    intersection,
    read_lines,
    sort_lines,
    union,
    with_graph,
    without_graph,
    write_lines,
)
from kg.store import LocalStore, Store
from kg.terms import GRAPH_LOADS


@dataclass(frozen=True)
class Undone:
    """Result of undoing a load; `kept` lists what could not be reverted, and why."""

    undoing: Undoing
    graph: str
    kept: tuple[str, ...]

    def summary(self) -> dict[str, object]:
        """Return it as JSON values."""
        return {
            "load": self.undoing.load.rpartition("/")[2],
            "undoing": self.undoing.iri,
            "graph": self.graph,
            "taken_back": self.undoing.taken_back,
            "restored": self.undoing.restored,
            "kept": list(self.kept),
        }


@disk_errors()
def undo_load(
    store: Store, loads: Loads, folder: LoadFolder, *, progress: Progress = silent, started_by: str = ""
) -> Undone:
    """Revert exactly what one load changed, and record it, as one step.

    If a later load of the same source was stored, the graph stays as that load left it, and the changes move
    to the later load, whose undo then reverts both. A load that is being stored is waited for. Raises
    ConflictError for a load that is not stored or was undone, StoreFailedError.
    """
    with folder.working(lambda: progress("waiting until the load can be searched", 0)):
        state = folder.read()
        if state.step != "stored" or state.load is None:
            status = "was already undone" if state.step == "undone" else f"is {state.step}, not stored"
            raise ConflictError(
                f"load {state.id} {status}",
                where=state.file_name,
                mend="List the loads to see what is stored.",
            )
        report = folder.recording(state, progress, may_end=False)
        with loads.storing(report):
            started = datetime.now(UTC)
            graph = NamedNode(state.plan().graph)
            stored = [one for one in loads.all() if one[1].step == "stored" and one[1].id > state.id]
            later = [one for one in stored if one[1].plan().graph == graph.value]
            iri = mint_load(started)
            tabled = not later and has_table(store, graph.value)
            making = begin_table(store, loads, iri, graph.value, wanted=tabled)
            try:
                kept, counts = _prepare(
                    store, folder, graph, later[0] if later else None, report, whole=tabled
                )
                if tabled:
                    making.write(folder.path / "undo-whole.nt", triples=True)
            except BaseException:
                making.withdraw()
                raise
            undoing = Undoing(
                iri=iri,
                load=state.load,
                file_name=state.file_name,
                started=started,
                ended=datetime.now(UTC),
                taken_back=counts[0],
                restored=counts[1],
                started_by=started_by,
            )
            state.step, state.undo, state.kept, state.followed = "undoing", undoing.iri, kept, False
            state.fold_into, state.problem = later[0][0].id if later else None, None
            state.notes = making.notes
            state.phase, state.done, state.total = "undoing", 0, sum(counts)
            folder.write(state)
            # Under a later load, nothing of the graph changes.
            tables = [] if later else making.description()
            with (folder.path / "undo-added.nq").open("ab") as file:
                file.write(quads_text([*undoing_triples(undoing), *tables], GRAPH_LOADS))
            try:
                names = ("undo-removed.nq", "undo-added.nq", "undo-whole.nt")
                removed, added, whole = (folder.path / name for name in names)
                put(store, removed, added, whole, graph)
            except BaseException:
                if not is_recorded(store, undoing.iri):
                    making.withdraw()
                    back_to_stored(folder, loads, state)
                    raise
            finish_undo(store, loads, folder, state)
            sweep_tables(store, loads)
    return Undone(undoing, graph.value, tuple(kept))


def finish_undo(store: Store, loads: Loads, folder: LoadFolder, state: LoadState) -> None:
    """Mark a load as undone, notify the followers and remove its files."""
    if state.fold_into:
        for name in ("added.nq", "removed.nq"):
            target = loads.open(state.fold_into).path / name
            folded = target.with_name(f"folded-{name}")
            if folded.exists():
                folded.replace(target)
                drop_packed(target)
    state.step = "undone"
    folder.write(state)
    follow(store, loads, folder, state)
    folder.clear()


def back_to_stored(folder: LoadFolder, loads: Loads, state: LoadState) -> None:
    """Mark a load as stored again after an undo that failed."""
    if state.fold_into:
        for path in loads.open(state.fold_into).path.glob("folded-*"):
            path.unlink()
    for path in folder.path.glob("undo-*"):
        path.unlink()
    state.step, state.undo, state.kept, state.followed, state.fold_into = "stored", None, [], True, None
    folder.write(state)


def _prepare(
    store: Store,
    folder: LoadFolder,
    graph: NamedNode,
    later: tuple[LoadFolder, LoadState] | None,
    progress: Progress,
    *,
    whole: bool,
) -> tuple[list[str], tuple[int, int]]:
    """Write the changes of an undo; return what is kept and why, and the numbers taken back and restored.

    `whole` also writes what the graph will hold.
    """
    name = str(graph).encode()
    leaving, coming = folder.path / "undo-removed.nq", folder.path / "undo-added.nq"
    with tempfile.TemporaryDirectory(prefix=".undo-", dir=folder.path) as work:
        now, brought, took = (Path(work) / name for name in ("now", "brought", "took"))
        watch = watching(progress, "sorting")
        triples = Path(work) / "now.nt"
        export_sorted(store, graph, triples, progress)
        sort_lines((with_graph(line, name) for line in read_lines(triples)), now, watch=watch)
        brought_count = _sort(folder.added, brought, watch)
        took_count = _sort(folder.removed, took, watch)
        present = write_lines(intersection(brought, now), leaving)
        absent = write_lines(difference(took, now), coming)
        lost, back = brought_count - present, took_count - absent
        if later is not None:
            leaving.write_bytes(b"")
            coming.write_bytes(b"")
            _fold(later[0], brought, took, watch)
            reason = f"load {later[1].id}, stored later from {later[1].file_name}"
            notes = (
                (present, "statement", f"kept: also in {reason}"),
                (absent, "statement", f"not restored: not in {reason}"),
                (lost + back, "change", f"already reverted by {reason}"),
            )
            return [f"{counted(number, noun)} {text}" for number, noun, text in notes if number], (0, 0)
        if whole or not isinstance(store, LocalStore):
            rest = union(difference(now, brought), read_lines(coming))
            write_lines((without_graph(line, name) for line in rest), folder.path / "undo-whole.nt")
    reverted = ((lost, "of the load already removed by an update"), (back, "already restored by an update"))
    kept = [f"{counted(number, 'statement')} {text}" for number, text in reverted if number]
    return kept, (present, absent)


def _fold(later: LoadFolder, brought: Path, took: Path, watch: Watch) -> None:
    """Move the changes of a load into a later one, whose undo then reverts both."""
    later_brought, later_took = brought.with_name("later-brought"), took.with_name("later-took")
    _sort(later.added, later_brought, watch)
    _sort(later.removed, later_took, watch)
    added = union(difference(brought, later_took), difference(later_brought, took))
    removed = union(difference(took, later_brought), difference(later_took, brought))
    write_lines(added, later.path / "folded-added.nq")
    write_lines(removed, later.path / "folded-removed.nq")


def _sort(path: Path, target: Path, watch: Watch) -> int:
    return sort_lines(open_delta(path), target, watch=watch)[0]
