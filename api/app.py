"""The application factory."""

from __future__ import annotations

import logging
import sys
from functools import partial
from typing import Final

from flask import Flask

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
from api.pages import template_filters as wording
from api.protocols import (
    feeds as crawl,
)
from api.protocols import (
    graphs,
    operation,
    reconcile,
    sparql,
    void,
)
from api.protocols import (
    openapi as discovery,
)
from api.protocols import (
    picture_data as pictures,
)
from api.server import query_limit as gate
from api.server.ahead import Ahead
from api.server.data_folder import followers, open_index
from api.server.load_jobs import Elsewhere
from api.server.metrics import Metrics
from api.server.request_log import Traffic
from api.server.result_cache import CacheDoor, ResultCache
from api.server.straight import Straight
from api.web import (
    auth as access,
)
from api.web import (
    errors,
    headers,
    language,
)
from api.web import (
    signposting as signposts,
)
from api.web.compression import Compressor
from api.web.state import State
from kg.settings import Settings
from kg.store import Store
from kg.store.isolated.store import IsolatedStore

AHEAD: Final = "diplograph.ahead"
"""Names the extension that makes an `Ahead` for a loop."""


def create_app(store: Store, settings: Settings, elsewhere: Elsewhere | None = None) -> Flask:
    """Build the Flask application over a store that is already open.

    Loads are carried out by threads of this process where there is nothing `elsewhere` that does it.
    """
    app = Flask("api", template_folder="pages/templates", static_folder="pages/static")
    index = open_index(settings, store)
    if settings.data.is_dir():
        index.start(store)
    shared = State(store, settings, index, followers=followers(settings, index), elsewhere=elsewhere)
    app.extensions["diplograph"] = shared
    if shared.pending and not settings.read_only:
        shared.pending.start(store)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_upload
    # A text field is held in memory whole; what is larger comes as a body or a file.
    app.config["MAX_FORM_MEMORY_SIZE"] = min(settings.max_upload, 16 * 1024**2)
    headers.register(app)
    errors.register(app)
    access.register(app)
    places = gate.Gate(settings.max_waiting)
    gate.register(app, places)
    signposts.register(app)
    language.register(app)
    wording.register(app)
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
        crawl,
        reconcile,
        discovery,
        dyads,
        pictures,
        ontology_page,
    ):
        app.register_blueprint(door.blueprint)
    _wrap(app, store, settings, places)
    return app


def _wrap(app: Flask, store: Store, settings: Settings, places: gate.Gate) -> None:
    """Put around it what sees every request, from the inside out."""
    cache = ResultCache(settings.cache)
    metrics = app.extensions[operation.METRICS] = Metrics()
    metrics.gauges.sources = {
        ("diplograph_workers", "Processes that answer queries."): lambda: operation.live_workers(store),
        ("diplograph_queries_inside", "Queries that run or wait, in this process."): lambda: places.inside,
        ("diplograph_cache_bytes", "Bytes of results kept, in this process."): lambda: cache.size,
        ("diplograph_cache_hits", "Queries answered from the cache, in this process."): lambda: cache.hits,
        ("diplograph_cache_misses", "Queries not found there, in this process."): lambda: cache.misses,
    }
    inner = app.wsgi_app
    isolated = store if isinstance(store, IsolatedStore) else None
    if isolated is not None:
        inner = Straight(inner, isolated, places)
    cached = CacheDoor(Compressor(inner), store, cache)
    if settings.request_log:
        _log_requests()
    traffic = Traffic(cached, metrics, log=settings.request_log)
    app.extensions[AHEAD] = partial(Ahead, cached, isolated, places, traffic.abandoned)
    app.wsgi_app = traffic  # type: ignore[method-assign]


def _log_requests() -> None:
    log = logging.getLogger("diplograph.requests")
    log.setLevel(logging.INFO)
    if not log.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        log.addHandler(handler)
        log.propagate = False
