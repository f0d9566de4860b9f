"""Recovery after a crash: each load is stored completely or not at all, and its folder records which."""

from __future__ import annotations

import logging
import shutil
import time
from typing import Final

from kg.errors import CancelledError
from kg.load.committing import back_to_ready, finish, is_recorded, pack
from kg.load.followers import follow
from kg.load.load_folder import LoadFolder, Loads, LoadState
from kg.load.locks import locked
from kg.load.record_tables import sweep_tables
from kg.load.undoing import back_to_stored, finish_undo
from kg.rdf.compression import is_packed
from kg.store import Store

_log = logging.getLogger(__name__)

# A load is made a moment before the request that receives its file is noted.
_RECEIVING_SECONDS: Final = 60.0


def recover(store: Store, loads: Loads) -> None:
    """Finish or revert every load that a process left incomplete, and remove expired ones.

    Loads that a running process works on are left alone. A load that cannot be recovered is named in the log
    and left as it is; the others do not wait for it.
    """
    known = loads.all()
    for folder, _ in known:
        try:
            with locked(folder.path / "lock") as got:
                if got:
                    _settle(store, loads, folder, folder.read())
        except Exception:
            _log.exception("the load in %s cannot be recovered; it is left as it is", folder.path)
    for path in set(loads.root.glob("*/")) - {folder.path for folder, _ in known}:
        _log.error("the load in %s has no readable state; it is left as it is", path)
    loads.tidy()
    if loads.tables.exists():
        loads.root.mkdir(parents=True, exist_ok=True)
        with locked(loads.root / ".storing") as got:
            if got:
                sweep_tables(store, loads)


def settle(store: Store, loads: Loads, folder: LoadFolder) -> LoadState:
    """Return the state of a load as others see it, recovered first if its process has ended."""
    if not folder.read().ended and not folder.is_being_processed():
        try:
            with locked(folder.path / "lock") as got:
                if got:
                    _settle(store, loads, folder, folder.read(), patience=_RECEIVING_SECONDS)
        except OSError as error:
            # The disk may be full: what is stored can be read all the same.
            _log.error("the load in %s cannot be recovered yet: %s", folder.path, error)
    return folder.shown()


def _settle(
    store: Store, loads: Loads, folder: LoadFolder, state: LoadState, *, patience: float = 0.0
) -> None:
    known = state.updated <= time.time() - patience or folder.was_requested("preview")
    broken_off = known and not folder.is_requested("preview")
    if state.step == "reading" or (state.step == "receiving" and broken_off):
        folder.fail(state, _broken_off())
    elif state.step == "storing":
        if state.load and is_recorded(store, state.load):
            finish(store, loads, folder, state)
        else:
            back_to_ready(folder, state)
            state.problem = None
            folder.fail(state, _broken_off())
    elif state.step == "undoing":
        if state.undo and is_recorded(store, state.undo):
            finish_undo(store, loads, folder, state)
        else:
            back_to_stored(folder, loads, state)
    elif not state.followed:
        follow(store, loads, folder, state)
    plain = [path for path in (folder.added, folder.removed) if path.exists() and not is_packed(path)]
    if state.step == "stored" and plain:
        pack(folder)
    for path in folder.path.iterdir():
        # Temporary files of a process that has ended.
        if path.name.startswith(".") or path.suffix == ".part" or path.name.startswith("state.json."):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _broken_off() -> CancelledError:
    return CancelledError(
        "the process that worked on the load ended; nothing was stored", mend="Load the file again."
    )
