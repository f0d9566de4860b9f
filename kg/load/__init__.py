"""Loading: a preview shows what a file would change, a commit stores it, an undo takes it back."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Unpack

from pyoxigraph import NamedNode

from kg.load.committing import store_load
from kg.load.installation import install
from kg.load.model import (
    Conflict,
    FindReader,
    Follower,
    Newcomer,
    Options,
    Preview,
    Progress,
    TableReader,
    Thing,
    TypeCount,
    silent,
)
from kg.load.recovery import recover, settle
from kg.load.staging import stage
from kg.load.staging_rdf import RdfRead, stage_rdf
from kg.load.state import LoadFolder, Loads, State, disk_errors
from kg.load.undoing import Undone, undo_load
from kg.provenance import Load, read_load, read_loads
from kg.store import Store
from kg.validation.rdf_rules import OWN_GRAPHS

__all__ = [
    "OWN_GRAPHS",
    "Conflict",
    "FindReader",
    "Follower",
    "Load",
    "LoadFolder",
    "Loads",
    "Newcomer",
    "Plan",
    "Preview",
    "Progress",
    "RdfRead",
    "State",
    "TableReader",
    "Thing",
    "TypeCount",
    "Undone",
    "commit",
    "install",
    "list_loads",
    "plan",
    "prepare",
    "read_load",
    "recover",
    "report",
    "settle",
    "silent",
    "store_load",
    "undo_load",
]


@dataclass(frozen=True)
class Plan:
    """A preview and the folder that its commit needs; a folder of its own goes with the plan."""

    loads: Loads
    folder: LoadFolder
    preview: Preview

    @property
    def graph(self) -> NamedNode:
        """Give the graph that the file goes into."""
        return NamedNode(self.preview.graph)

    def __getattr__(self, name: str) -> Any:
        """Give what the preview says."""
        return getattr(object.__getattribute__(self, "preview"), name)


@disk_errors()
def prepare(
    store: Store,
    folder: LoadFolder,
    path: Path,
    *,
    name: str,
    progress: Progress = silent,
    **options: Unpack[Options],
) -> Preview:
    """Read a file into a load's folder and keep its preview there.

    Takes and raises what `staging.stage` does. The folder's state tells how far it is meanwhile, and what
    ended it.
    """
    with folder.working():
        state = folder.read()
        state.step = "reading"
        folder.write(state)
        try:
            preview = stage(
                store, folder, path, name=name, progress=folder.teller(state, progress), **options
            )
        except BaseException as error:
            folder.fail(state, error)
            raise
        state.preview = preview.stored()
        state.step = "unchanged" if preview.unchanged else "ready"
        folder.write(state)
    return preview


def plan(
    store: Store, data: bytes, *, name: str, root: Path | None = None, **options: Unpack[Options]
) -> Plan:
    """Work out what loading some RDF at hand would change; nothing is stored.

    Everything goes into one graph, which the file replaces: `source` (an IRI or a name), else the graph the
    file itself names, else `graph/<file name>`. `root` is the folder of loads; without one the load cannot be
    undone. Raises UnsupportedFormatError, DataSyntaxError, ParameterError for a graph that is the tool's own,
    and ValidationFailedError with every violation.
    """
    home = root or Path(tempfile.mkdtemp(prefix="diplograph-"))
    loads = Loads(home)
    try:
        folder, _ = loads.new(PurePath(name).name)
        path = folder.source / "data"
        path.write_bytes(data)
        preview = prepare(store, folder, path, name=name, **options)
        made = Plan(loads, folder, preview)
    except BaseException:
        if root is None:
            shutil.rmtree(home, ignore_errors=True)
        raise
    if root is None:
        weakref.finalize(made, shutil.rmtree, home, True)
    return made


def commit(store: Store, plan: Plan, *, followers: Sequence[Follower] = ()) -> Load | None:
    """Carry out a plan; None when it changes nothing. Raises what `store_load` raises."""
    return store_load(store, plan.loads, plan.folder, followers=followers)


@disk_errors()
def report(store: Store, data: bytes | Path, *, name: str, format: str | None = None) -> RdfRead:  # noqa: A002
    """Check RDF, at hand or in a file, against the shapes; `path` of the answer is gone already.

    Raises UnsupportedFormatError, DataSyntaxError, TooLargeError, StoreFailedError.
    """
    with tempfile.TemporaryDirectory(prefix="diplograph-") as work:
        path = data if isinstance(data, Path) else Path(work) / "data"
        if isinstance(data, bytes):
            path.write_bytes(data)
        return stage_rdf(store, Path(work), path, name=name, format=format)


def list_loads(store: Store) -> list[Load]:
    """List the loads, newest first. Raises StoreFailedError."""
    return read_loads(store)
