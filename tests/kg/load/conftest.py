"""Fixtures of the tests of loads."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg.store import EmbeddedStore
from tests.kg.load.desks import Desk


@pytest.fixture
def desk(store: EmbeddedStore, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path)
