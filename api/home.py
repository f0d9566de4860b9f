"""Door: home, search, and two actors side by side."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, jsonify, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from api.negotiation import wants_html
from api.questions import catalogue
from api.state import state
from kg.describe import (
    Covered,
    EventLine,
    Listing,
    all_events,
    between_actors,
    coverage_of,
    last_load,
    overview,
)
from kg.errors import QueryStoppedError
from kg.search import name_all, resolve
from kg.store import Store
from kg.terms import ID

T = TypeVar("T")

blueprint = Blueprint("home", __name__)

_FIRST_QUESTIONS = ("deportations", "quantities", "attribution-chain")
_FIRST_EVENTS = 10


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """Show what is inside, and where to start."""
    questions = catalogue()
    first = [questions[name] for name in _FIRST_QUESTIONS if name in questions]
    covered = _known("coverage", coverage_of) or []
    years = [year for source in covered for year, _, _ in source.years]
    return render_template(
        "home.html",
        counts=_known("overview", overview),
        records=sum(source.records for source in covered),
        years=(min(years), max(years)) if years else None,
        last=_known("last load", last_load),
        events=_known("latest", _latest),
        shown=_FIRST_EVENTS,
        questions=first or list(questions.values())[:3],
        sources=[source for source in covered if source.events or source.records or source.claims],
    )


@blueprint.get("/coverage")
def coverage() -> ResponseReturnValue:
    """Tell which source covers which years: a page, or JSON."""
    store = state().store
    covered = state().memory.get(store, "coverage", coverage_of)
    if not wants_html():
        response = jsonify({"sources": [_covered(source) for source in covered]})
    else:
        years = sorted({year for source in covered for year, _, _ in source.years})
        most = max((e + r for source in covered for _, e, r in source.years), default=1)
        page = render_template("coverage.html", covered=covered, years=years, most=most)
        response = make_response(page)
    response.vary.add("Accept")
    return response


def _known(name: str, compute: Callable[[Store], T]) -> T | None:
    """Count something once for each version of the store; None where that takes longer than a query may."""
    try:
        return state().memory.get(state().store, name, compute)
    except QueryStoppedError:
        return None


def _covered(source: Covered) -> dict[str, object]:
    return {
        "iri": source.source.iri,
        "label": source.source.label,
        "years": [{"year": y, "events": events, "records": records} for y, events, records in source.years],
        "undated": {"events": source.undated[0], "records": source.undated[1]},
        "claims": source.claims,
    }


def _latest(store: Store) -> Listing[EventLine]:
    return all_events(store, 1)


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
