"""Isolated stores as several tests open them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kg.store.isolated import pool
from kg.store.isolated.store import IsolatedStore
from kg.store.isolated.writer import Writer
from tests.kg.store.opening import open_isolated

Make = Callable[..., IsolatedStore[Writer]]


def only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no long request make room for others."""
    monkeypatch.setattr(pool, "_SLOW", 0)
    monkeypatch.setattr(pool, "_PATIENCE", 1000)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """A function that opens a store in this test's folder; it is closed at the end."""
    made: list[IsolatedStore[Writer]] = []

    def make_store(
        workers: int = 2, timeout: float = 30, memory: int = 256 << 20, rows: int = 0
    ) -> IsolatedStore[Writer]:
        made.append(open_isolated(tmp_path, workers=workers, timeout=timeout, memory=memory, rows=rows))
        return made[-1]

    yield make_store
    for store in made:
        store.close()
