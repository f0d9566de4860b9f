"""The home page, and the coverage of the sources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from flask import Blueprint, Response, current_app, jsonify, make_response, render_template
from flask.typing import ResponseReturnValue

from api.doors.questions import catalogue
from api.web.negotiation import wants_html
from api.web.state import state
from kg.describe.lists.event_lists import all_events
from kg.describe.site.coverage import Covered, coverage_of, last_load
from kg.describe.site.overview import overview
from kg.errors import QueryStoppedError
from kg.store import Store

P = ParamSpec("P")
T = TypeVar("T")

blueprint = Blueprint("home", __name__)

_FIRST_QUESTIONS = ("deportations", "quantities", "attribution-chain")
_FIRST_EVENTS = 10


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """Show counts, the latest events and questions to start with."""
    questions = catalogue()
    first = [questions[name] for name in _FIRST_QUESTIONS if name in questions]
    covered = _known(coverage_of) or []
    years = [year for source in covered for year, _, _ in source.years]
    return render_template(
        "home.html",
        counts=_known(overview),
        records=sum(source.records for source in covered),
        years=(min(years), max(years)) if years else None,
        last=_known(last_load),
        events=_known(all_events, 1),
        shown=_FIRST_EVENTS,
        questions=first or list(questions.values())[:3],
        sources=[source for source in covered if source.events or source.records or source.claims],
    )


@blueprint.get("/coverage")
def coverage() -> ResponseReturnValue:
    """Show the coverage by source and year: a page, or JSON."""
    covered = state().memory.get(state().store, coverage_of)
    if not wants_html():
        response = jsonify({"sources": [_covered(source) for source in covered]})
    else:
        years = sorted({year for source in covered for year, _, _ in source.years})
        most = max((e + r for source in covered for _, e, r in source.years), default=1)
        page = render_template("coverage.html", covered=covered, years=years, most=most)
        response = make_response(page)
    response.vary.add("Accept")
    return response


def _known(function: Callable[Concatenate[Store, P], T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """Run a function once for each version of the store; None if it takes longer than a query may."""
    try:
        return state().memory.get(state().store, function, *args, **kwargs)
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


@blueprint.get("/favicon.svg")
@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """Send the icon of the site."""
    response = current_app.send_static_file("favicon.svg")
    response.cache_control.max_age = 86_400
    return response
