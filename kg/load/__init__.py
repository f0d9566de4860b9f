"""Loading: a preview shows the changes that a file would make, a commit stores them, an undo reverts them."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path

from kg.load.committing import store_load
from kg.load.installation import install
from kg.load.load_folder import Action, LoadFolder, Loads, LoadState, disk_errors
from kg.load.locks import locked
from kg.load.migration import migrate
from kg.load.model import Follower, LoadRequest, Preview, Progress, silent
from kg.load.recovery import recover, settle
from kg.load.staged.staging import stage
from kg.load.staged.staging_rdf import RdfRead, stage_rdf
from kg.load.undoing import undo_load
from kg.provenance import Load, read_load, read_loads
from kg.store import Store
from kg.terms import OWN_GRAPHS

__all__ = ["OWN_GRAPHS", "Action", "Follower", "Load", "LoadFolder", "LoadRequest", "LoadState", "Loads"]
__all__ += ["Preview", "Progress", "install", "locked", "migrate", "prepare", "read_load", "read_loads"]
__all__ += ["recover", "report"]
__all__ += ["settle", "silent", "store_load", "undo_load"]


@disk_errors()
def prepare(store: Store, folder: LoadFolder, request: LoadRequest, progress: Progress = silent) -> Preview:
    """Read a file into the folder of a load and store its preview there.

    Raises what `staging.stage` raises. The state in the folder shows the progress, and the error that ended
    it.
    """
    with folder.working():
        state = folder.read()
        state.step, state.records = "reading", request.records
        folder.write(state)
        try:
            preview = stage(store, folder, request, folder.recording(state, progress))
        except BaseException as error:
            folder.fail(state, error)
            raise
        state.preview = asdict(preview)
        state.step = "unchanged" if preview.unchanged else "ready"
        folder.write(state)
    return preview


@disk_errors()
def report(store: Store, data: bytes | Path, *, name: str, format: str | None = None) -> RdfRead:  # noqa: A002
    """Check RDF, as bytes or in a file, against the shapes; the result's `path` no longer exists.

    Raises UnsupportedFormatError, DataSyntaxError, TooLargeError, StoreFailedError.
    """
    with tempfile.TemporaryDirectory(prefix="diplograph-") as work:
        path = data if isinstance(data, Path) else Path(work) / "data"
        if isinstance(data, bytes):
            path.write_bytes(data)
        return stage_rdf(store, Path(work), LoadRequest(path, name, format))
