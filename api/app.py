"""The application factory."""

from __future__ import annotations

from flask import Flask

from api import (
    access,
    crawl,
    discovery,
    editor,
    entities,
    errors,
    headers,
    home,
    lists,
    loads,
    questions,
    reconcile,
    search,
    signposts,
    sparql,
)
from api.data_folder import open_index
from api.state import State
from kg.settings import Settings
from kg.store import Store


def create_app(store: Store, settings: Settings) -> Flask:
    """Build the Flask application over a store that is already open."""
    app = Flask("api")
    index = open_index(settings, store)
    if settings.data.is_dir():
        index.start(store)
    app.extensions["diplograph"] = State(store, settings, index)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_upload
    # A text field is held in memory whole; what is larger comes as a body or a file.
    app.config["MAX_FORM_MEMORY_SIZE"] = min(settings.max_upload, 16 * 1024**2)
    headers.register(app)
    errors.register(app)
    access.register(app)
    signposts.register(app)
    for door in (
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
    ):
        app.register_blueprint(door.blueprint)
    return app
