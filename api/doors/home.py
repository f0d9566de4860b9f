"""The home page, and the coverage of the sources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from flask import Blueprint, Response, current_app, jsonify, render_template
from flask.typing import ResponseReturnValue

from api.doors.questions import catalogue
from api.pages.kept_pages import kept_page
from api.web.negotiation import wants_html
from api.web.state import state
from kg.describe.lists.event_lists import all_events
from kg.describe.page_model import EventLine, Listing
from kg.describe.site.coverage import Covered, LastLoad, coverage_of, last_load
from kg.describe.site.overview import Overview, overview
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
    covered = _known(coverage_of)
    counts, last, events = _known(overview), _known(last_load), _known(all_events, 1)

    def render() -> str:
        return _home(covered or [], counts, last, events)

    # What could not be counted in time is tried again for the next visitor.
    return render() if covered is None or counts is None or events is None else kept_page(render)


def _home(
    covered: list[Covered], counts: Overview | None, last: LastLoad | None, events: Listing[EventLine] | None
) -> str:
    questions = catalogue()
    first = [questions[name] for name in _FIRST_QUESTIONS if name in questions]
    years = [year for source in covered for year, _, _ in source.years]
    return render_template(
        "home.html",
        counts=counts,
        records=sum(source.records for source in covered),
        years=(min(years), max(years)) if years else None,
        last=last,
        events=events,
        shown=_FIRST_EVENTS,
        questions=first or list(questions.values())[:3],
        sources=[source for source in covered if source.events or source.records or source.claims],
    )


@blueprint.get("/coverage")
def coverage() -> ResponseReturnValue:
    """Show the coverage by source and year: a page, or JSON."""
    covered = state().memory.get(state().store, coverage_of)
    if not wants_html():
        return jsonify({"sources": [_covered(source) for source in covered]})
    years = sorted({year for source in covered for year, _, _ in source.years})
    most = max((e + r for source in covered for _, e, r in source.years), default=1)
    return kept_page(lambda: render_template("coverage.html", covered=covered, years=years, most=most))


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
