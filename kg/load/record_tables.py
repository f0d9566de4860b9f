"""Tables of the coding records that a load, an undo or a rebuilding leaves in a graph (`kg.table`).

Each table is announced, then the graph is looked at, then the table is written and described in the commit
of the load. Other changes of the graph since the announcement put it out of use, so none goes unnoticed.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pyoxigraph import NamedNode, Triple

from kg.errors import CancelledError, DiplographError, StoreFailedError
from kg.load.load_folder import Loads, disk_errors
from kg.load.locks import sync_folder
from kg.load.model import Preview, Progress, silent
from kg.provenance import mint_load
from kg.store import LocalStore, Store, graph_names
from kg.store.free_space import require_space
from kg.table.current import (
    announced,
    describe_table,
    known_tables,
    outdated,
    shared_tables,
    table_file,
)
from kg.table.record_files import write_table
from kg.table.record_table import RecordTable
from kg.terms import GRAPH_LOADS, LOAD, ONTOLOGY, compact
from kg.validation.rdf_rules import in_graph

_CODING_RECORD: Final = ONTOLOGY + "CodingRecord"
_log = logging.getLogger(__name__)


def codes_records(preview: Preview) -> bool:
    """Return whether the graph holds coding records after the load."""
    return any(
        count.type == _CODING_RECORD and count.new + count.changed + count.unchanged
        for count in preview.counts
    )


def has_table(store: Store, graph: str) -> bool:
    """Return whether a table says the same as a graph of a local store."""
    return isinstance(store, LocalStore) and any(
        table.graph == graph and table.in_force for table in known_tables(store)
    )


@dataclass
class TableInMaking:
    """The table of a graph that `activity` makes, announced already if it is `wanted`.

    `problem` says why there is none.
    """

    store: Store
    folder: Path
    activity: str
    graph: str
    wanted: bool
    problem: str = ""
    table: RecordTable | None = field(default=None, init=False)
    _shares: list[str] = field(default_factory=list, init=False)

    def write(self, lines: Path, *, triples: bool) -> None:
        """Write the table from the quads, or triples, that the graph will hold; a failure is noted only."""
        if not self.wanted:
            return
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            require_space(self.folder)
            path = table_file(self.folder, self.activity)
            table = write_table(lines, self.graph, path, triples=triples)
            if table is not None:
                self._shares = shared_tables(self.store, self.folder, table)
                sync_folder(self.folder)
            self.table = table
        except CancelledError:
            raise
        except Exception as error:
            self.fail(str(error) or type(error).__name__)

    def fail(self, problem: str) -> None:
        """Note why there is no table."""
        self.problem = problem
        _log.warning("%s has no table of its records: %s", compact(self.graph), problem)

    @property
    def notes(self) -> list[str]:
        """What the user should know."""
        slow = "queries over many of its records are slower"
        return [f"without a table of its records, {slow}: {self.problem}"] if self.problem else []

    def description(self) -> list[Triple]:
        """Return what the commit says of the table, and the marks of those that it replaces."""
        if not isinstance(self.store, LocalStore):
            return []
        marks = outdated(self.store, self.graph, but=self.activity if self.table else "")
        if self.table is None:
            return marks
        return [*describe_table(self.activity, self.table, self._shares), *marks]

    def withdraw(self) -> None:
        """Take back the announcement and remove the file."""
        if self.wanted:
            # What remains is swept later.
            with suppress(DiplographError, OSError):
                self.store.change(announced(self.activity, self.graph), ())
                table_file(self.folder, self.activity).unlink(missing_ok=True)


def begin_table(store: Store, loads: Loads, activity: str, graph: str, *, wanted: bool) -> TableInMaking:
    """Announce the table that an activity makes if one is wanted; only local stores have tables."""
    wanted = wanted and isinstance(store, LocalStore)
    if wanted:
        store.change((), announced(activity, graph))
    return TableInMaking(store, loads.tables, activity, graph, wanted)


def record_graphs(store: Store) -> list[str]:
    """Return the IRIs of the graphs that hold coding records."""
    pattern = f"?record a {NamedNode(_CODING_RECORD)}"
    # One record tells; with DISTINCT, all of them would be read.
    return [
        graph
        for graph in sorted(graph_names(store))
        if store.query(f"ASK {{ GRAPH {NamedNode(graph)} {{ {pattern} }} }}").truth()
    ]


@disk_errors()
def rebuild_table(store: Store, loads: Loads, graph: str, progress: Progress = silent) -> RecordTable | None:
    """Write the table of a graph anew from its quads; return None if it holds no coding records.

    Raises StoreFailedError.
    """
    loads.root.mkdir(parents=True, exist_ok=True)
    with loads.storing(progress):
        making = begin_table(store, loads, mint_load(datetime.now(UTC)), graph, wanted=True)
        try:
            loads.tables.mkdir(mode=0o700, parents=True, exist_ok=True)
            progress("reading the graph", 0)
            with tempfile.TemporaryDirectory(prefix=".export-", dir=loads.tables) as work:
                triples = Path(work) / "graph.nt"
                store.export(NamedNode(graph), triples)
                progress("writing the table of records", 0)
                making.write(triples, triples=True)
            if making.problem:
                raise StoreFailedError(
                    making.problem, where=graph, mend="Free space on the disk, and try again."
                )
            store.change((), in_graph(making.description(), GRAPH_LOADS))
        except BaseException:
            making.withdraw()
            raise
        sweep_tables(store, loads)
    return making.table


def sweep_tables(store: Store, loads: Loads) -> None:
    """Remove files that no table in force has, and announcements of tables that were not made.

    No load may be under way. A failure is logged only.
    """
    try:
        known = known_tables(store)
        for table in known:
            if not table.file_name:
                store.change(announced(LOAD + table.id, table.graph), ())
        kept = {table.file_name for table in known if table.in_force}
        for path in loads.tables.glob("*"):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name not in kept:
                path.unlink(missing_ok=True)
    except (DiplographError, OSError) as error:
        _log.warning("files of tables that are out of use are not removed: %s", error)
