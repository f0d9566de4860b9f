"""State that all doors share: the store and the settings of the application."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property

from flask import current_app

from api.folder.data_folder import LOADS
from api.loading.load_jobs import Job, carry_out
from api.web.memo import Memory
from api.web.query_limit import QueryLimit
from kg.load import Follower, Loads
from kg.reasoning import AssertedStore, StaleEntailments
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
    pages: Memory = field(default_factory=Memory)
    followers: tuple[Follower, ...] = ()
    loader: Callable[[Job], None] | None = None

    @cached_property
    def limit(self) -> QueryLimit:
        """Limit on the queries that run or wait at once."""
        return QueryLimit(self.settings.max_waiting)

    def carry_out(self, job: Job) -> None:
        """Carry out one step of a load, by the loader where there is one."""
        if self.loader is None:
            carry_out(self.store, self.loads, job)
        else:
            self.loader(job)

    @cached_property
    def asserted(self) -> AssertedStore:
        """The store without entailments."""
        return AssertedStore(self.store)

    def asked(self, *, inference: bool) -> Store:
        """Return the store for a query, with entailments or without."""
        return self.store if inference else self.asserted

    @cached_property
    def pending(self) -> StaleEntailments | None:
        """Record of whether the entailments are up to date; None for a store elsewhere, which has none."""
        folder = self.settings.data
        return StaleEntailments(folder) if folder.is_dir() and not self.settings.store else None

    def writing(self) -> AbstractContextManager[None]:
        """Mark the entailments as outdated by a change that is not a load."""
        return self.pending.writing(self.store) if self.pending else nullcontext()

    @property
    def stale(self) -> bool:
        """Whether the entailments are older than the data."""
        return bool(self.pending and self.pending.stale())

    @property
    def loads(self) -> Loads:
        """Loads of the data folder."""
        return Loads(self.settings.data / LOADS, self.followers)


def state() -> State:
    """Return the state of the application that handles this request."""
    found: State = current_app.extensions["diplograph"]
    return found
