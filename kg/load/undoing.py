"""Taking one load back: what it brought leaves, what it took away comes back, what others hold stays."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pyoxigraph import NamedNode

from kg.errors import ConflictError
from kg.load.committing import is_recorded, put, quads_text
from kg.load.followers import follow, open_delta
from kg.load.model import Follower, Progress, silent
from kg.load.staging import export_sorted
from kg.load.state import LoadFolder, Loads, State, disk_errors
from kg.provenance import Undoing, mint_load, undoing_triples
from kg.rdf.compression import drop_packed
from kg.rdf.sorted_lines import Watch, read_lines, sort_lines, with_graph
from kg.store import LocalStore, Store
from kg.terms import GRAPH_LOADS


@dataclass(frozen=True)
class Undone:
    """What undoing a load came to; `kept` says what could not be taken back, and why."""

    undoing: Undoing
    graph: str
    kept: tuple[str, ...]

    def summary(self) -> dict[str, object]:
        """Give it as JSON has it."""
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
    store: Store,
    loads: Loads,
    folder: LoadFolder,
    *,
    followers: Sequence[Follower] = (),
    progress: Progress = silent,
    started_by: str = "",
) -> Undone:
    """Take back exactly what one load changed, and record it, as one step.

    Where a later load of the same source was stored, the graph is what that load made it: all of it stays,
    and what the load changed is taken over by the later one, whose undoing then goes back before both. Raises
    ConflictError for a load that is not stored or was undone, StoreFailedError.
    """
    with folder.working():
        state = folder.read()
        if state.step != "stored" or state.load is None:
            told = "was undone already" if state.step == "undone" else f"is {state.step}, not stored"
            raise ConflictError(
                f"load {state.id} {told}", where=state.file_name, mend="List the loads to see what is stored."
            )
        tell = folder.teller(state, progress, may_end=False)
        with loads.storing(lambda: tell("waiting for another load", 0)):
            started = datetime.now(UTC)
            graph = NamedNode(state.plan().graph)
            later = [
                (other, said)
                for other, said in loads.all()
                if said.step == "stored" and said.id > state.id and said.plan().graph == graph.value
            ]
            kept, counts = _prepare(store, folder, graph, later[0] if later else None, tell)
            undoing = Undoing(
                iri=mint_load(started),
                load=state.load,
                file_name=state.file_name,
                started=started,
                ended=datetime.now(UTC),
                taken_back=counts[0],
                restored=counts[1],
                started_by=started_by,
            )
            state.step, state.undo, state.kept, state.followed = "undoing", undoing.iri, kept, False
            state.fold_into = later[0][0].id if later else None
            state.phase, state.done, state.total = "undoing", 0, sum(counts)
            folder.write(state)
            with (folder.path / "undo-added.nq").open("ab") as file:
                file.write(quads_text(undoing_triples(undoing), GRAPH_LOADS))
            try:
                whole = folder.path / "undo-whole.nt"
                put(
                    store,
                    folder.path / "undo-removed.nq",
                    folder.path / "undo-added.nq",
                    whole if whole.exists() else None,
                    graph,
                )
            except BaseException:
                if not is_recorded(store, undoing.iri):
                    back_to_stored(folder, loads, state)
                    raise
            finish_undo(store, loads, folder, state, followers)
    return Undone(undoing, graph.value, tuple(kept))


def finish_undo(
    store: Store, loads: Loads, folder: LoadFolder, state: State, followers: Sequence[Follower]
) -> None:
    """Note that a load is undone, tell the followers, and let go of its files."""
    if state.fold_into:
        for name in ("added.nq", "removed.nq"):
            target = loads.open(state.fold_into).path / name
            folded = target.with_name(f"folded-{name}")
            if folded.exists():
                folded.replace(target)
                drop_packed(target)
    state.step = "undone"
    folder.write(state)
    follow(store, folder, state, followers)
    folder.clear()


def back_to_stored(folder: LoadFolder, loads: Loads, state: State) -> None:
    """Note that the undoing came to nothing."""
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
    later: tuple[LoadFolder, State] | None,
    progress: Progress,
) -> tuple[list[str], tuple[int, int]]:
    """Write what the undoing changes; gives what stays and why, and the counts taken back and restored."""
    name = str(graph).encode()
    leaving, coming = folder.path / "undo-removed.nq", folder.path / "undo-added.nq"
    with tempfile.TemporaryDirectory(prefix=".undo-", dir=folder.path) as work:
        at = Path(work)

        def watch(number: int) -> None:
            progress("sorting", number)

        export_sorted(store, graph, at / "now.nt", progress)
        sort_lines((with_graph(line, name) for line in read_lines(at / "now.nt")), at / "now", watch=watch)
        brought = _sorted(folder.added, at / "brought", watch)
        took = _sorted(folder.removed, at / "took", watch)
        if later is not None:
            present = _write(both(at / "brought", at / "now"), leaving)
            absent = _write(minus(at / "took", at / "now"), coming)
            leaving.write_bytes(b"")
            coming.write_bytes(b"")
            _fold(later[0], at, watch)
            reason = f"load {later[1].id}, stored later from {later[1].file_name},"
            kept = []
            if present:
                kept.append(f"{present:,} statements stay: {reason} holds them too")
            if absent:
                kept.append(f"{absent:,} statements do not come back: {reason} does not hold them")
            if brought - present or took - absent:
                kept.append(
                    f"{brought - present + took - absent:,} changes were taken back by {reason} already"
                )
            return kept, (0, 0)
        out = _write(both(at / "brought", at / "now"), leaving)
        back = _write(minus(at / "took", at / "now"), coming)
        if not isinstance(store, LocalStore):
            rest = heapq.merge(minus(at / "now", at / "brought"), read_lines(coming))
            ending = b" " + name + b" .\n"
            _write((line.removesuffix(ending) + b" .\n" for line in rest), folder.path / "undo-whole.nt")
    kept = []
    if brought > out:
        kept.append(f"{brought - out:,} statements of the load had been taken out since by an update")
    if took > back:
        kept.append(f"{took - back:,} statements that it took away had been put back since by an update")
    return kept, (out, back)


def _fold(later: LoadFolder, at: Path, watch: Watch) -> None:
    """Let a later load take over what this one changed, so that its undoing goes back before both."""
    _sorted(later.added, at / "later-brought", watch)
    _sorted(later.removed, at / "later-took", watch)
    _write(
        _unique(
            heapq.merge(minus(at / "brought", at / "later-took"), minus(at / "later-brought", at / "took"))
        ),
        later.path / "folded-added.nq",
    )
    _write(
        _unique(
            heapq.merge(minus(at / "took", at / "later-brought"), minus(at / "later-took", at / "brought"))
        ),
        later.path / "folded-removed.nq",
    )


def both(one: Path, other: Path) -> Iterator[bytes]:
    """Give the lines that two sorted files share."""
    rest = read_lines(other)
    there = next(rest, None)
    for line in read_lines(one):
        while there is not None and there < line:
            there = next(rest, None)
        if there == line:
            yield line


def minus(one: Path, other: Path) -> Iterator[bytes]:
    """Give the lines of a sorted file that another does not have."""
    rest = read_lines(other)
    there = next(rest, None)
    for line in read_lines(one):
        while there is not None and there < line:
            there = next(rest, None)
        if there != line:
            yield line


def _sorted(path: Path, target: Path, watch: Watch) -> int:
    return sort_lines(open_delta(path), target, watch=watch)[0]


def _unique(lines: Iterable[bytes]) -> Iterator[bytes]:
    last = b""
    for line in lines:
        if line != last:
            yield line
            last = line


def _write(lines: Iterable[bytes], target: Path) -> int:
    count = 0
    with target.open("wb", buffering=1024 * 1024) as out:
        for line in lines:
            out.write(line)
            count += 1
    return count
