"""Fixtures of the tests of loads."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg.store import EmbeddedStore
from tests.kg.load.desks import Desk, find_small


@pytest.fixture
def desk(store: EmbeddedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr("kg.load.staged.staging.find_reader", find_small)
    return Desk(store, tmp_path)
