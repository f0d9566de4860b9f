"""Things: their pages and their data."""

from __future__ import annotations

import re
from collections.abc import Set
from datetime import date
from typing import Final

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from api.pages.citation import cite, schema_of
from api.pages.page_parameters import page_number
from api.web import urls as links
from api.web.negotiation import choose_format, graph_format, send_answer, wants_html
from api.web.state import state
from kg.describe.entity.description_rdf import describe_triples, facts_table
from kg.describe.entity.entity_page import describe
from kg.describe.entity.signposts import signposts_of
from kg.describe.page_model import Description, Facts
from kg.errors import ParameterError, UnknownNameError
from kg.rdf.formats import GRAPH_FORMATS, result_format
from kg.search import first_known, unknown
from kg.terms import BASE, GRAPH, ID, ONTOLOGY

blueprint = Blueprint("entities", __name__)

_LABELS: Final = {"ttl": "Turtle", "nt": "N-Triples", "rdf": "RDF/XML", "jsonld": "JSON-LD"}
_LAST_PAGE: Final = 1_000

# The sections of a page, in order, by kind of thing; empty ones are left out.
_END: Final = ["map", "neighbourhood", "incoming"]
_ORDER: Final = [
    "statement",
    "contents",
    "statuses",
    "holdings",
    "identifiers",
    "facts",
    "related",
    "disagreements",
    "figures",
    "timeline",
    "events",
    "records",
    "by",
    "about",
    "mentions",
    *_END,
]
_ACTOR: Final = ["events", "records", "related", "by", "about", "facts", "disagreements", "mentions", *_END]
_ORDERS: Final = {
    "event": [
        "glance",
        "related",
        "disagreements",
        "map",
        "about",
        "facts",
        "records",
        "mentions",
        "identifiers",
        *_END[1:],
    ],
    "country": ["identifiers", "timeline", *_ACTOR],
    "person": ["identifiers", "holdings", "timeline", *_ACTOR],
    "agency": ["identifiers", "holdings", "facts", "timeline", *(name for name in _ACTOR if name != "facts")],
    "source": [
        "identifiers",
        "facts",
        "related",
        "by",
        "about",
        "timeline",
        "events",
        "records",
        "mentions",
        *_END,
    ],
    "place": ["identifiers", "map", "facts", "related", "timeline", "events", "about", "mentions", *_END[1:]],
    "event-type": ["facts", "related", "timeline", "events", "records", "about", "identifiers", "incoming"],
    "quantity": ["figures", "facts", "about", "related", "incoming"],
    "claim": ["statement", "about", "facts", "related", "incoming"],
}
# Facts that the page of a claim, or of an event, shows apart from the others.
_SAID: Final = {
    ONTOLOGY + local
    for local in (
        "modality", "attributionStep", "span", "about", "statedIn", "quotedPhrase", "states", "saidBy",
        "topic", "stance", "towards", "saidOn", "audience", "medium", "repeatedly",
    )
}  # fmt: skip
_EVENTS: Final = {
    ONTOLOGY + local
    for local in (
        "Event", "Journey", "State", "Visit", "Summit", "Mediation", "Demand", "PrisonerExchange",
        "Appointment", "CredentialsPresentation",
    )
}  # fmt: skip
_TOLD_APART: Final = {ONTOLOGY + "hasInteraction", ONTOLOGY + "duration", ONTOLOGY + "hasParticipation"}


@blueprint.get("/id/<kind>/<path:slug>")
def thing(kind: str, slug: str) -> ResponseReturnValue:
    """Redirect from a thing to its page or its data, by Accept: 303."""
    iri = _known(f"{ID}{kind}/", slug)
    target = links.path_of(iri) if wants_html() else links.data_path(iri, choose_format(GRAPH_FORMATS).name)
    return links.signpost(make_response(redirect(target, 303)), iri, state().store.run(signposts_of, iri))


@blueprint.get("/page/<kind>/<path:slug>")
def page(kind: str, slug: str) -> ResponseReturnValue:
    """Show the page of a thing with an IRI of ours."""
    return _page(*links.path_readings(f"{ID}{kind}/", slug), asked=f"{ID}{kind}/{slug}")


@blueprint.get("/page")
def any_page() -> ResponseReturnValue:
    """Show the page of the thing with the parameter `iri`, or redirect to its own address."""
    iri = request.args.get("iri", "")
    if not iri:
        raise ParameterError("the parameter iri is missing", mend="Use /page?iri=IRI, or search by name.")
    target = links.page_path(iri)
    if target.startswith(("/page/", "/graph/", "/loads/")):
        return redirect(links.at(target), 302)
    return _page(iri, asked=iri)


@blueprint.get("/graph/<path:slug>")
def graph(slug: str) -> ResponseReturnValue:
    """Show the contents of a named graph."""
    return _page(*links.path_readings(GRAPH, slug), asked=GRAPH + slug)


@blueprint.get("/data/<kind>/<path:name>")
def data(kind: str, name: str) -> ResponseReturnValue:
    """Send the RDF of a thing with an IRI of ours, in the format of the extension."""
    slug, _, extension = name.rpartition(".")
    iri = _known(f"{ID}{kind}/", slug, f".{extension}")
    if extension == "csv":
        response = _facts_csv(iri)
    else:
        response = send_answer(describe_triples(state().store, iri), form=graph_format(extension))
    return links.signpost(response, iri, state().store.run(signposts_of, iri), is_data=True)


@blueprint.get("/data")
def any_data() -> ResponseReturnValue:
    """Send the RDF of the thing with the parameter `iri`, in `format` or by Accept."""
    name = request.args.get("format")
    iri = request.args.get("iri", "")
    if name == "csv":
        return _facts_csv(iri)
    form = graph_format(name) if name else choose_format(GRAPH_FORMATS)
    return send_answer(describe_triples(state().store, iri), form=form)


def _known(start: str, rest: str, ending: str = "") -> str:
    """Return the IRI in the store that the request's path stands for; raises UnknownNameError."""
    readings = links.path_readings(start, rest, ending)
    found = state().store.run(first_known, readings)
    if found is None:
        raise unknown(state().store, start + rest)
    return found


def _facts_csv(iri: str) -> Response:
    answer = facts_table(state().store, iri)
    name = re.sub(r"[^A-Za-z0-9-]+", "-", iri.removeprefix(ID))[:80].strip("-") or "facts"
    return send_answer(answer, form=result_format(answer.kind, "csv"), file=f"{name}.csv")


def _page(*readings: str, asked: str) -> Response:
    number = page_number(_LAST_PAGE)
    whole = request.args.get("timeline") == "all"
    found = state().store.run(describe, *readings, page=number, whole=whole)
    if found is None:
        raise unknown(state().store, asked)
    iri = found.name.iri
    if number > found.pages:
        raise UnknownNameError(
            f"page {number} does not exist",
            mend=f"The last page is {found.pages}; leave out `page` for the first one.",
        )
    order = _ORDERS.get(_kind(found), _ORDER)
    apart: Set[str] = frozenset()
    if "glance" in order:
        apart = found.ordered | _TOLD_APART
    elif "statement" in order and found.statement:
        apart = _SAID
    glance = [
        facts
        for facts in found.facts
        if facts.property.iri in found.ordered - _TOLD_APART and not _routed(found, facts)
    ]
    response = make_response(
        render_template(
            "entity.html",
            thing=found,
            known=bool(found.types or found.facts or found.contents or iri.startswith(BASE + "ontology")),
            order=order,
            glance=glance,
            rest=[facts for facts in found.facts if facts.property.iri not in apart],
            forms=[(form, _LABELS[form.name]) for form in GRAPH_FORMATS],
            here=links.path_of(iri),
            address=links.path_of(iri) + ("&" if "?" in links.path_of(iri) else "?"),
            schema=schema_of(found),
            citation=cite(found, date.today(), request.root_url.rstrip("/")),
            longest=max((bar.count for bar in found.timeline.bars), default=0),
        )
    )
    return links.signpost(response, iri, found.signposts) if iri.startswith(ID) else response


def _kind(found: Description) -> str:
    # The class of a thing counts more than its IRI, which may be foreign or minted elsewhere.
    types = {name.iri for name in (*found.types, *found.inferred)}
    if found.statement:
        return "claim"
    if types & _EVENTS:
        return "event"
    kinds = {"government": "agency", "administration": "agency", "organization": "agency"}
    return kinds.get(found.kind, found.kind)


def _routed(found: Description, facts: Facts) -> bool:
    """Return whether the route of the event shows these places already."""
    way = facts.property.iri.removeprefix(ONTOLOGY) in ("origin", "transit", "destination")
    return way and len(found.route) > 1
