"""What a load asks for, as plain values: here or in another process, it is carried out by the same code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NotRequired, Protocol, TypedDict

from api.commands.load_targets import reader_by
from kg import load as loading
from kg.load import Follower, Loads
from kg.store import Store


class Reading(TypedDict):
    """Which file a load has been sent, and what is said of it."""

    path: str
    name: str
    format: str | None
    media_type: str | None
    source: str | None
    base_iri: str | None
    max_errors: int
    mapping: str | None


class Job(TypedDict):
    """What is to be done with a load: preview it, store it without the IRIs in `skip`, or take it back."""

    do: Literal["preview", "store", "undo"]
    load: str
    reading: NotRequired[Reading]
    skip: NotRequired[list[str]]
    started_by: NotRequired[str]


class Elsewhere(Protocol):
    """Where jobs are carried out that this process is to be spared."""

    def expect(self) -> None:
        """Note that a job is about to come."""
        ...

    def carry_out(self, job: Job) -> None:
        """Have a job done; see `carry_out`."""
        ...


def carry_out(store: Store, loads: Loads, followers: Sequence[Follower], job: Job) -> None:
    """Do what a job says. Raises what `prepare`, `store_load` and `undo_load` of `kg.load` raise."""
    folder = loads.open(job["load"])
    match job["do"]:
        case "preview":
            told = job["reading"]
            mapping = told["mapping"]
            loading.prepare(
                store,
                folder,
                Path(told["path"]),
                name=told["name"],
                format=told["format"],
                media_type=told["media_type"],
                source=told["source"],
                base_iri=told["base_iri"],
                max_errors=told["max_errors"],
                find_reader=reader_by(None if mapping is None else Path(mapping)),
            )
        case "store":
            loading.store_load(store, loads, folder, skip=job["skip"], followers=followers)
        case "undo":
            loading.undo_load(store, loads, folder, followers=followers, started_by=job["started_by"])
