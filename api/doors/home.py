"""Door: home and search."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import Blueprint, Response, current_app, jsonify, make_response, render_template
from flask.typing import ResponseReturnValue

from api.doors.questions import catalogue
from api.web.negotiation import wants_html
from api.web.state import state
from kg.describe import (
    Covered,
    EventLine,
    Listing,
    all_events,
    coverage_of,
    last_load,
    overview,
)
from kg.errors import QueryStoppedError
from kg.store import Store

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


@blueprint.get("/favicon.svg")
@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """Give the sign of the site."""
    response = current_app.send_static_file("favicon.svg")
    response.cache_control.max_age = 86_400
    return response
