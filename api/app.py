"""The application factory."""

from __future__ import annotations

from flask import Flask

from api import access, entities, errors, headers, home, loads, ontology, questions, sparql
from api.state import State
from kg.settings import Settings
from kg.store import Store


def create_app(store: Store, settings: Settings) -> Flask:
    """Build the Flask application over a store that is already open."""
    app = Flask("api")
    app.extensions["diplograph"] = State(store, settings)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_upload
    # A text field is held in memory whole; what is larger comes as a body or a file.
    app.config["MAX_FORM_MEMORY_SIZE"] = min(settings.max_upload, 16 * 1024**2)
    headers.register(app)
    errors.register(app)
    access.register(app)
    for door in (
        home,
        sparql,
        entities,
        questions,
        loads,
        ontology,
    ):
        app.register_blueprint(door.blueprint)
    return app
