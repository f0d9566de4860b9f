"""The isolated store as tests open it."""

from __future__ import annotations

from pathlib import Path

from kg.store import Store
from kg.store.isolated import worker
from kg.store.isolated.limits import Limits
from kg.store.isolated.store import IsolatedStore
from kg.store.isolated.writer import Writer


def open_isolated(
    folder: Path, *, workers: int = 2, timeout: float = 60, memory: int = 256 << 20, rows: int = 0
) -> IsolatedStore[Writer]:
    """Open the store in a folder, with its snapshots beside it."""
    return IsolatedStore.open(folder / "store", folder / "snapshots", Limits(timeout, memory, rows), workers)


def hurry(store: Store) -> None:
    """Let the worker that runs this open newer snapshots after a moment without requests."""
    worker._IDLE = 0.05  # type: ignore[misc]
