"""Door: operation. Whether the server is ready, and its figures."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, current_app, jsonify
from flask.typing import ResponseReturnValue

from api.server.metrics import Metrics
from api.web.auth import writes
from api.web.errors import problem_of, send_problem
from api.web.state import state
from kg import __version__
from kg.errors import DiplographError, StoreFailedError, UnknownNameError
from kg.store import Store
from kg.store.isolated.store import IsolatedStore

blueprint = Blueprint("operation", __name__)

METRICS = "diplograph metrics"


@blueprint.get("/health")
def health() -> ResponseReturnValue:
    """Tell whether queries can be answered: 200 and `ready`, else 503 as problem details."""
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
    """Build the entailments anew, and give their number; needs the token."""
    pending = state().pending
    if pending is None:
        raise UnknownNameError(
            "a store elsewhere has no entailments of ours", mend="Reason with that store's own means."
        )
    return jsonify({"entailments": pending.rebuild(state().store)})


@blueprint.get("/metrics")
def metrics() -> Response:
    """Give the figures of operation in Prometheus' text format."""
    found: Metrics = current_app.extensions[METRICS]
    return Response(found.render(), content_type="text/plain; version=0.0.4; charset=utf-8")


def live_workers(store: Store) -> int | None:
    """Count the processes that answer queries; None for a store that has none of its own."""
    return len(store.worker_pids()) if isinstance(store, IsolatedStore) else None


def check_ready(store: Store) -> None:
    """Make sure that a query would be taken. Raises StoreFailedError."""
    if isinstance(store, IsolatedStore):
        # Workers that are all busy are ready; to wait for one would be no answer.
        if not live_workers(store):
            raise _unready("no query process is alive")
        return
    try:
        store.query("ASK {}").truth()
    except DiplographError as error:
        raise _unready(error.detail) from None


def _unready(detail: str) -> StoreFailedError:
    return StoreFailedError(f"the store is not ready: {detail}", mend="Wait, or look into the server's log.")
