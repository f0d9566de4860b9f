"""Door: home, search, and two actors side by side."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue

from api.questions import catalogue
from api.state import state
from kg.describe import all_events, between_actors, overview, source_graphs
from kg.search import name_all, resolve
from kg.terms import ID

blueprint = Blueprint("home", __name__)

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


@blueprint.get("/dyad")
def dyad_form() -> ResponseReturnValue:
    """Ask for two actors, by whatever names, and show what passed between them."""
    first, second = (request.args.get(name, "").strip() for name in ("a", "b"))
    if not (first and second):
        return render_template("dyad.html", a=None, b=None, found=None, first=first, second=second)
    one, other = resolve(state().store, first), resolve(state().store, second)
    if all(re.fullmatch(re.escape(ID) + "country/[a-z]{3}", iri) for iri in (one, other)):
        return redirect("/dyad/" + "/".join(iri.rpartition("/")[2] for iri in (one, other)), 303)
    return _side_by_side(one, other)


@blueprint.get("/dyad/<a>/<b>")
def dyad(a: str, b: str) -> ResponseReturnValue:
    """Show two countries side by side, by their ISO 3166-1 codes."""
    return _side_by_side(*(resolve(state().store, code) for code in (a, b)))


@blueprint.get("/dyad/<kind_a>/<a>/<kind_b>/<b>")
def dyad_of_things(kind_a: str, a: str, kind_b: str, b: str) -> ResponseReturnValue:
    """Show two actors of any kind side by side."""
    return _side_by_side(*(resolve(state().store, name) for name in (f"{kind_a}/{a}", f"{kind_b}/{b}")))


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


def _side_by_side(first: str, second: str) -> str:
    names = name_all(state().store, [first, second])
    actors = {"a": first, "b": second}
    return render_template(
        "dyad.html",
        a=names[first],
        b=names[second],
        found=between_actors(state().store, catalogue()["dyad"].fill(actors)),
        question="/queries/dyad?" + urlencode({name: iri.removeprefix(ID) for name, iri in actors.items()}),
        first=names[first].label,
        second=names[second].label,
    )
