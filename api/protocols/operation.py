"""Readiness and figures of the server."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, current_app, jsonify
from flask.typing import ResponseReturnValue

from api.server.metrics import Gauge, Metrics
from api.web.auth import writes
from api.web.problem_details import problem_of, send_problem
from api.web.state import State, state
from kg import __version__
from kg.errors import DiplographError, StoreFailedError, UnknownNameError
from kg.store import Store
from kg.store.isolated.store import IsolatedStore

blueprint = Blueprint("operation", __name__)

METRICS = "diplograph metrics"


@blueprint.get("/health")
def health() -> ResponseReturnValue:
    """Report whether requests can be carried out: 200 and `ready`, or 503 as problem details."""
    store = state().store
    try:
        check_ready(store)
    except DiplographError as error:
        return send_problem(replace(problem_of(error), status=503))
    members: dict[str, object] = {"status": "ready", "program": __version__, "store_version": store.version}
    if isinstance(store, IsolatedStore):
        members["workers"] = live_workers(store)
        members["snapshot_age"] = store.snapshot_age()
    if state().pending:
        members["entailments"] = "older than the data" if state().stale else "in step"
    response = jsonify(members)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/entailments")
@writes
def entail() -> ResponseReturnValue:
    """Rebuild the entailments and report their number; needs the token."""
    pending = state().pending
    if pending is None:
        raise UnknownNameError(
            "entailments are not kept for a store elsewhere", mend="Use the reasoner of that store."
        )
    return jsonify({"entailments": pending.rebuild(state().store)})


@blueprint.get("/metrics")
def metrics() -> Response:
    """Send the figures of operation in the text format of Prometheus."""
    found: Metrics = current_app.extensions[METRICS]
    return Response(found.render(), content_type="text/plain; version=0.0.4; charset=utf-8")


def gauges(shared: State) -> list[Gauge]:
    """Return the figures that are read on request."""
    workers, inside = live_workers(shared.store), shared.limit.taken
    return [
        ("diplograph_workers", "Processes that answer queries.", workers),
        ("diplograph_queries_inside", "Queries that run or wait, in this process.", inside),
    ]


def live_workers(store: Store) -> int | None:
    """Count the processes that answer queries; None for a store that has none of its own."""
    return len(store.worker_pids()) if isinstance(store, IsolatedStore) else None


def check_ready(store: Store) -> None:
    """Check that a query would be answered, and a change stored. Raises StoreFailedError."""
    if isinstance(store, IsolatedStore):
        # Busy workers are ready, too; waiting for one would delay the answer.
        if not live_workers(store):
            raise _unready("no query process is alive")
        store.check_writing()
        return
    try:
        store.query("ASK {}").truth()
    except DiplographError as error:
        raise _unready(error.detail) from None


def _unready(detail: str) -> StoreFailedError:
    return StoreFailedError(f"the store is not ready: {detail}", mend="Wait, or read the server's log.")
