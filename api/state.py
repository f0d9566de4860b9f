"""What the doors share: the store and the settings of this application."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from flask import current_app

from api.memory import Memory
from kg.load import Follower, Loads
from kg.reasoning import AssertedStore
from kg.search import SearchIndex
from kg.settings import Settings
from kg.store import Store


@dataclass(frozen=True)
class State:
    """The store, the settings and the index of names of one application."""

    store: Store
    settings: Settings
    index: SearchIndex = field(default_factory=SearchIndex)
    memory: Memory = field(default_factory=Memory)
    followers: tuple[Follower, ...] = ()

    @cached_property
    def asserted(self) -> AssertedStore:
        """Give the store without what is only entailed."""
        return AssertedStore(self.store)

    def asked(self, *, inference: bool) -> Store:
        """Give the store that a query is answered from, with what is entailed or without."""
        return self.store if inference else self.asserted

    @property
    def loads(self) -> Loads:
        """Give the loads of the data folder."""
        return Loads(self.settings.data / "loads")


def state() -> State:
    """Give the state of the application that handles this request."""
    found: State = current_app.extensions["diplograph"]
    return found
