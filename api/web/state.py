"""What the doors share: the store and the settings of this application."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property

from flask import current_app

from api.server.data_folder import LOADS
from api.server.load_jobs import Elsewhere, Job, carry_out
from api.web.memo import Memory
from kg.load import Follower, Loads
from kg.reasoning import AssertedStore, Pending
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
    elsewhere: Elsewhere | None = None

    def expect_job(self) -> None:
        """Have things ready for a load's job that is about to come."""
        if self.elsewhere is not None:
            self.elsewhere.expect()

    def carry_out(self, job: Job) -> None:
        """Do what a load's job says, in another process where there is one for that."""
        if self.elsewhere is None:
            carry_out(self.store, self.loads, self.followers, job)
        else:
            self.elsewhere.carry_out(job)

    @cached_property
    def asserted(self) -> AssertedStore:
        """Give the store without what is only entailed."""
        return AssertedStore(self.store)

    def asked(self, *, inference: bool) -> Store:
        """Give the store that a query is answered from, with what is entailed or without."""
        return self.store if inference else self.asserted

    @cached_property
    def pending(self) -> Pending | None:
        """Give what knows whether the entailments are in step; None where a store elsewhere has none."""
        return (
            Pending(self.settings.data) if self.settings.data.is_dir() and not self.settings.store else None
        )

    def writing(self) -> AbstractContextManager[None]:
        """Hold a change of the graph that is no load: the entailments do not follow it by themselves."""
        return self.pending.writing(self.store) if self.pending else nullcontext()

    @property
    def stale(self) -> bool:
        """Tell whether the entailments are older than the data."""
        return bool(self.pending and self.pending.stale())

    @property
    def loads(self) -> Loads:
        """Give the loads of the data folder."""
        return Loads(self.settings.data / LOADS)


def state() -> State:
    """Give the state of the application that handles this request."""
    found: State = current_app.extensions["diplograph"]
    return found
