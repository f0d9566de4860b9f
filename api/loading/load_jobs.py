"""Jobs of loading as plain values, carried out in this process or in another one."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from kg import load as loading
from kg.load import LoadRequest, Loads
from kg.store import Store


class Job(TypedDict):
    """One step of a load: preview it, store it without the IRIs in `skip`, or undo it."""

    do: Literal["preview", "store", "undo"]
    load: str
    reading: NotRequired[LoadRequest]
    skip: NotRequired[list[str]]
    started_by: NotRequired[str]


def carry_out(store: Store, loads: Loads, job: Job) -> None:
    """Carry out a job. Raises what `prepare`, `store_load` and `undo_load` of `kg.load` raise."""
    folder = loads.open(job["load"])
    match job["do"]:
        case "preview":
            loading.prepare(store, folder, job["reading"])
        case "store":
            loading.store_load(store, loads, folder, skip=job["skip"])
        case "undo":
            loading.undo_load(store, loads, folder, started_by=job["started_by"])
