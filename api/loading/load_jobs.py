"""Jobs of loading as plain values, carried out in this process or in another one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal, NotRequired, TypedDict

from kg import load as loading
from kg.load import Follower, Loads
from kg.readers.detect import find_reader
from kg.store import Store


class Reading(TypedDict):
    """The file of a load, and how to read it."""

    path: str
    name: str
    format: str | None
    media_type: str | None
    source: str | None
    base_iri: str | None
    max_errors: int
    mapping: str | None


class Job(TypedDict):
    """One step of a load: preview it, store it without the IRIs in `skip`, or undo it."""

    do: Literal["preview", "store", "undo"]
    load: str
    reading: NotRequired[Reading]
    skip: NotRequired[list[str]]
    started_by: NotRequired[str]


def carry_out(store: Store, loads: Loads, followers: Sequence[Follower], job: Job) -> None:
    """Carry out a job. Raises what `prepare`, `store_load` and `undo_load` of `kg.load` raise."""
    folder = loads.open(job["load"])
    match job["do"]:
        case "preview":
            reading = job["reading"]
            mapping = reading["mapping"]
            loading.prepare(
                store,
                folder,
                Path(reading["path"]),
                name=reading["name"],
                format=reading["format"],
                media_type=reading["media_type"],
                source=reading["source"],
                base_iri=reading["base_iri"],
                max_errors=reading["max_errors"],
                find_reader=partial(find_reader, mapping=None if mapping is None else Path(mapping)),
            )
        case "store":
            loading.store_load(store, loads, folder, skip=job["skip"], followers=followers)
        case "undo":
            loading.undo_load(store, loads, folder, followers=followers, started_by=job["started_by"])
