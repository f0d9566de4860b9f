"""Door: home and search."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue

from api.links import path_of
from api.negotiation import wants_html
from api.questions import catalogue
from api.state import state
from kg.describe import all_events, overview, source_graphs
from kg.search import search

blueprint = Blueprint("home", __name__)

_HITS = 50
_FIRST_QUESTIONS = ("deportations", "quantities", "attribution-chain")
_FIRST_EVENTS = 10


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """Show what is inside, and where to start."""
    store = state().store
    questions = catalogue()
    first = [questions[name] for name in _FIRST_QUESTIONS if name in questions]
    return render_template(
        "home.html",
        counts=overview(store),
        events=all_events(store, 1),
        shown=_FIRST_EVENTS,
        questions=first or list(questions.values())[:3],
        graphs=source_graphs(store),
    )


@blueprint.get("/events")
def events() -> ResponseReturnValue:
    """List all events, newest first."""
    text = request.args.get("page", "1")
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 1
    return render_template(
        "events.html", events=all_events(state().store, max(1, number)), page=max(1, number)
    )


@blueprint.get("/search")
def results() -> ResponseReturnValue:
    """Find things by name: a page, or JSON."""
    text = request.args.get("q", "")
    hits = search(state().store, text, _HITS)
    if wants_html():
        page = render_template("search.html", query_text=text, hits=hits, limit=_HITS)
        response = make_response(page)
    else:
        found = [
            {
                "iri": hit.iri,
                "label": hit.label,
                "kind": hit.kind,
                "type": hit.type_label,
                "page": path_of(hit.iri),
            }
            for hit in hits
        ]
        response = jsonify({"query": text, "results": found})
    response.vary.add("Accept")
    return response


@blueprint.get("/favicon.svg")
@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """Give the sign of the site."""
    response = current_app.send_static_file("favicon.svg")
    response.cache_control.max_age = 86_400
    return response


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Keep crawlers to the pages: queries and downloads cost work and lead nowhere new."""
    paths = ("/sparql", "/data", "/load", "/loads", "/sign-in", "/search", "/update")
    rules = "".join(f"Disallow: {path}\n" for path in paths)
    return Response(f"User-agent: *\n{rules}", content_type="text/plain; charset=utf-8")
