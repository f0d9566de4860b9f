"""The home page, and the coverage of the sources."""

from __future__ import annotations

from concurrent.futures import Future, wait
from typing import TypeVar, cast

from flask import Blueprint, Response, current_app, jsonify, render_template
from flask.typing import ResponseReturnValue

from api.doors.questions import catalogue
from api.pages.kept_pages import kept_page
from api.web.negotiation import wants_html
from api.web.state import state
from kg.describe.lists.event_lists import all_events
from kg.describe.site.coverage import Covered, coverage_of, last_load
from kg.describe.site.overview import overview
from kg.errors import QueryStoppedError

T = TypeVar("T")

blueprint = Blueprint("home", __name__)

_FIRST_QUESTIONS = ("deportations", "quantities", "attribution-chain")
_FIRST_EVENTS = 10
PATIENCE = 1.0
"""Seconds that the home page waits for its counts; the others go on being counted."""


class _IncompleteError(Exception):
    """Raised with a page that lacks counts which take long; the next visitor may get them."""


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """Show counts, the latest events and questions to start with."""
    try:
        return kept_page(_home)
    except _IncompleteError as error:
        return str(error)


def _home() -> str:
    memory, store = state().memory, state().store
    begun = (
        memory.begin(store, overview),
        memory.begin(store, coverage_of),
        memory.begin(store, last_load),
        memory.begin(store, all_events, 1),
    )
    wait(cast(tuple[Future[object], ...], begun), PATIENCE)
    counts, covered, last, events = (_known(begun[0]), _known(begun[1]), _known(begun[2]), _known(begun[3]))
    questions = catalogue()
    first = [questions[name] for name in _FIRST_QUESTIONS if name in questions]
    years = [year for source in covered or () for year, _, _ in source.years]
    page = render_template(
        "home.html",
        counts=counts,
        records=sum(source.records for source in covered or ()),
        years=(min(years), max(years)) if years else None,
        last=last,
        events=events,
        shown=_FIRST_EVENTS,
        questions=first or list(questions.values())[:3],
        sources=[source for source in covered or () if source.events or source.records or source.claims],
    )
    if counts is None or covered is None or events is None:
        raise _IncompleteError(page)
    return page


def _known(future: Future[T]) -> T | None:
    """Return a result; None if it is not there yet, or took longer than a query may."""
    try:
        return future.result() if future.done() else None
    except QueryStoppedError:
        return None


@blueprint.get("/coverage")
def coverage() -> ResponseReturnValue:
    """Show the coverage by source and year: a page, or JSON."""
    if wants_html():
        return kept_page(_coverage)
    covered = state().memory.get(state().store, coverage_of)
    return jsonify({"sources": [_covered(source) for source in covered]})


def _coverage() -> str:
    covered = state().memory.get(state().store, coverage_of)
    years = sorted({year for source in covered for year, _, _ in source.years})
    most = max((e + r for source in covered for _, e, r in source.years), default=1)
    return render_template("coverage.html", covered=covered, years=years, most=most)


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
