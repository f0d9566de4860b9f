"""The application factory."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from functools import partial

from flask import Flask
from starlette.types import ASGIApp

from api.doors import (
    dyads,
    editor,
    entities,
    home,
    lists,
    loads,
    ontology_page,
    questions,
    search,
)
from api.folder.data_folder import followers, open_index
from api.loading.load_jobs import Job
from api.pages import template_filters
from api.protocols import (
    feeds,
    graphs,
    openapi,
    operation,
    picture_data,
    reconcile,
    sparql,
    void,
)
from api.server.asgi import Application
from api.server.content_coding import ContentCoding
from api.server.metrics import Metrics
from api.server.plain_queries import PlainQueries
from api.server.request_log import RequestLog
from api.server.spool import Spooling
from api.web import auth, headers, negotiation, problem_details
from api.web.state import State
from kg.settings import Settings
from kg.store import Store
from kg.store.isolated.store import IsolatedStore

# Threads beside those that queries may take: for pages, while all queries wait.
_SPARE_THREADS = 8


def create_app(store: Store, settings: Settings, loader: Callable[[Job], None] | None = None) -> Flask:
    """Build the Flask application over an open store.

    `loader` carries out loads; without one, threads of this process do.
    """
    app = Flask("api", template_folder="pages/templates", static_folder="pages/static")
    # An address with a slash at its end leads to the same door.
    app.url_map.strict_slashes = False
    index = open_index(settings, store)
    if settings.data.is_dir():
        index.start(store)
    shared = State(store, settings, index, followers=followers(settings, index), loader=loader)
    app.extensions["diplograph"] = shared
    if shared.pending and not settings.read_only:
        shared.pending.start(store)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_upload
    # A text field is held in memory whole; what is larger comes as a body or a file.
    app.config["MAX_FORM_MEMORY_SIZE"] = min(settings.max_upload, 16 * 1024**2)
    for part in (headers, problem_details, auth, negotiation, template_filters):
        part.register(app)
    for door in (
        graphs,  # before entities: both answer at /graph/SLUG, and this one knows which is meant
        void,
        operation,
        home,
        sparql,
        entities,
        questions,
        loads,
        lists,
        search,
        editor,
        feeds,
        reconcile,
        openapi,
        dyads,
        picture_data,
        ontology_page,
    ):
        app.register_blueprint(door.blueprint)
    metrics = app.extensions[operation.METRICS] = Metrics()
    metrics.gauges.sources.append(lambda: operation.gauges(shared))
    return app


def create_asgi_app(app: Flask) -> ASGIApp:
    """Build what a server runs: the application with its log, figures, cache and content codings."""
    shared: State = app.extensions["diplograph"]
    settings = shared.settings
    metrics: Metrics = app.extensions[operation.METRICS]
    plain = None
    if isinstance(shared.store, IsolatedStore):
        plain = PlainQueries(shared.store, shared.asserted, settings.cache, shared.limit)
        metrics.gauges.sources.append(plain.gauges)
    if settings.request_log:
        _log_requests()
    knows = partial(auth.knows, app)
    inner = Application(app, plain, settings.max_waiting + _SPARE_THREADS, knows)
    return RequestLog(Spooling(ContentCoding(inner)), metrics, log=settings.request_log)


def _log_requests() -> None:
    log = logging.getLogger("diplograph.requests")
    log.setLevel(logging.INFO)
    if not log.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        log.addHandler(handler)
        log.propagate = False
