"""The application factory."""

from __future__ import annotations

import logging
import sys
from functools import partial
from typing import Final

from flask import Flask

from api import (
    access,
    crawl,
    discovery,
    dyads,
    editor,
    entities,
    errors,
    gate,
    graphs,
    headers,
    home,
    language,
    lists,
    loads,
    ontology,
    operation,
    pictures,
    questions,
    reconcile,
    search,
    signposts,
    sparql,
    void,
    wording,
)
from api.ahead import Ahead
from api.cache import CacheDoor, ResultCache
from api.compress import Compressor
from api.data_folder import followers, open_index
from api.load_jobs import Elsewhere
from api.metrics import Metrics
from api.state import State
from api.straight import Straight
from api.traffic import Traffic
from kg.settings import Settings
from kg.store import Store
from kg.store.isolated import IsolatedStore

AHEAD: Final = "diplograph.ahead"
"""Names the extension that makes an `Ahead` for a loop."""


def create_app(store: Store, settings: Settings, elsewhere: Elsewhere | None = None) -> Flask:
    """Build the Flask application over a store that is already open.

    Loads are carried out by threads of this process where there is nothing `elsewhere` that does it.
    """
    app = Flask("api")
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
        ontology,
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
