"""Stores that tests of pages share."""

from __future__ import annotations

import pytest

from kg.store import EmbeddedStore
from tests.api.words import make_hostile


@pytest.fixture
def hostile(store: EmbeddedStore) -> EmbeddedStore:
    """A graph in which everything that bears a text bears a hostile one."""
    return make_hostile(store)
