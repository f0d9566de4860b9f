"""Loading: a preview shows what a file would change, a commit stores it, an undo takes it back."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Unpack

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
    "Preview",
    "Progress",
    "RdfRead",
    "State",
    "TableReader",
    "Thing",
    "TypeCount",
    "Undone",
    "install",
    "list_loads",
    "prepare",
    "read_load",
    "recover",
    "report",
    "settle",
    "silent",
    "store_load",
    "undo_load",
]


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
