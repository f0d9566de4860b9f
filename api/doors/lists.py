"""Lists of events and of coding records, with their filters in the address, and their exports."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from api.pages.page_parameters import day, meant, page_number
from api.pages.row_files import TYPES, Record, send_rows
from api.web.negotiation import wants_html
from api.web.problem_details import problem_of
from api.web.state import state
from api.web.urls import at
from kg.describe.lists.event_filters import EventFilter, Line, Of, filtered_all, list_page
from kg.errors import ParameterError, RequestError
from kg.search import Name, first_known
from kg.terms import GRAPH, ID

blueprint = Blueprint("lists", __name__)

_PAGE: Final = 50
_LAST_PAGE: Final = 100_000
_SHARED: Final = ("begin", "end", "when", "name", "types", "actors", "recipients", "places")
_COLUMNS: Final[dict[Of, tuple[str, ...]]] = {
    "events": (*_SHARED, "modality", "sources", "iri"),
    "records": (*_SHARED, "goldstein", "documents", "sources", "iri"),
}


@dataclass(frozen=True)
class Asked:
    """A filter as written in the address: the values by field, and the IRIs that they mean."""

    filter: EventFilter
    given: dict[str, list[str]]
    iris: dict[str, list[str]]

    def address(self, path: str, **changes: str) -> str:
        """Return the address of this list with some fields changed."""
        pairs = [(key, value) for key, values in self.given.items() for value in values if key not in changes]
        pairs += [(key, value) for key, value in changes.items() if value]
        return at(path) + ("?" + urlencode(pairs) if pairs else "")


@blueprint.get("/<any(events, records):of>.<form>")
def file(of: Of, form: str) -> Response:
    """Send all events, or all coding records, that the filter selects, in the format of the extension."""
    asked = _asked()
    lines = filtered_all(state().store, of, asked.filter)
    return send_rows(_COLUMNS[of], (_record(line) for line in lines), form, of)


@blueprint.get("/<any(events, records):of>")
def listed(of: Of) -> ResponseReturnValue:
    """List events or coding records, newest first: a page, or all of them as JSON."""
    if not wants_html():
        response = file(of, "json")
        response.headers.pop("Content-Disposition")
        return response
    problem = None
    page = page_number(_LAST_PAGE)
    store = state().store
    try:
        asked = _asked()
        shown = store.run(list_page, of, asked.filter, page)
    except RequestError as error:
        problem = problem_of(error)
        asked = Asked(EventFilter(), _given(), {})
        shown = store.run(list_page, of, None, page)
    html = render_template(
        "events.html",
        of=of,
        found=shown.found,
        problem=problem,
        asked=asked,
        page=page,
        pages=-(-shown.found.total // _PAGE),
        names={key: [shown.names[iri].label for iri in iris] for key, iris in asked.iris.items()}
        if not problem
        else {},
        downloads=[(form, asked.address(f"/{of}.{form}")) for form in TYPES],
        modalities=shown.modalities,
        graphs=shown.graphs,
        address=asked.address(f"/{of}") + ("&" if asked.given else "?"),
    )
    return make_response(html, problem.status if problem else 200)


def _record(line: Line) -> Record:
    when = line.when
    return {
        "begin": (when.begin or "") if when else "",
        "end": (when.end or "") if when else "",
        "when": when.text if when else "",
        "name": line.name.label,
        "types": _things(line.types),
        "actors": _things(line.actors),
        "recipients": _things(line.recipients),
        "places": _things(line.places),
        "modality": _things(line.modalities),
        "goldstein": line.goldstein,
        "documents": _things(line.documents),
        "sources": _things((*line.datasets, *line.sources)),
        "iri": line.name.iri,
    }


def _things(names: Sequence[Name]) -> list[dict[str, str]]:
    return [{"iri": name.iri, "label": name.label} for name in names]


def _given() -> dict[str, list[str]]:
    fields = ("type", "actor", "place", "from", "to", "modality", "source")
    found = {key: [v.strip() for v in request.args.getlist(key) if v.strip()] for key in fields}
    return {key: values for key, values in found.items() if values}


def _asked() -> Asked:
    """Read the filter from the address; raises ParameterError with the name of the field."""
    given = _given()
    for key, values in given.items():
        if len(values) > 1 and key not in ("type", "actor"):
            raise ParameterError(f"{key} is given {len(values)} times", mend=f"Use {key} once.")
        if len(values) > 8:
            raise ParameterError(f"{key} is given {len(values)} times", mend=f"Use {key} at most 8 times.")
    fields = ("type", "actor", "place", "modality", "source")
    iris = meant({key: [_written(key, text) for text in given.get(key, [])] for key in fields})
    wanted = EventFilter(
        types=tuple(iris["type"]),
        actors=tuple(iris["actor"]),
        place=next(iter(iris["place"]), ""),
        begin=day(next(iter(given.get("from", [])), ""), "from"),
        end=day(next(iter(given.get("to", [])), ""), "to", last=True),
        modality=next(iter(iris["modality"]), ""),
        source=next(iter(iris["source"]), ""),
    )
    return Asked(wanted, given, iris)


def _written(key: str, text: str) -> str:
    """Write a short value in full: the code of an event type, a modality, a graph."""
    if key == "source" and text.startswith("graph/"):
        return GRAPH + text.removeprefix("graph/")
    if key == "modality" and "/" not in text:
        return f"{ID}modality/{text}"
    if key == "type" and re.fullmatch(r"[\w-]+", text):
        # A CAMEO code could be taken for the code of a country.
        iris = [f"{ID}event-type/{start}{text.lower()}" for start in ("", "cameo-", "plover-")]
        return state().store.run(first_known, iris) or text
    return text
