"""Door: things. Every IRI of ours leads to a page or to RDF."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from api import links
from api.negotiation import choose_format, send_answer, wants_html
from api.state import state
from kg.describe import Description, Facts, describe, describe_triples
from kg.errors import ParameterError, UnknownNameError
from kg.formats import GRAPH_FORMATS, Format
from kg.search import Name, exists, kind_of
from kg.terms import BASE, GRAPH, ID, ONTOLOGY

blueprint = Blueprint("entities", __name__)

for _filter in (
    links.href,
    links.path_of,
    links.data_path,
    links.sign,
    links.tail,
    links.short,
    links.number,
):
    blueprint.add_app_template_filter(_filter)

_LABELS: Final = {"ttl": "Turtle", "nt": "N-Triples", "rdf": "RDF/XML", "jsonld": "JSON-LD"}
_LAST_PAGE: Final = 1_000

# What a page shows, in order, by kind of thing; each section appears when it holds something.
_ORDER: Final = [
    "statement",
    "contents",
    "holdings",
    "facts",
    "figures",
    "events",
    "by",
    "about",
    "mentions",
    "identifiers",
    "incoming",
]
_ORDERS: Final = {
    "event": ["glance", "about", "facts", "mentions", "identifiers", "incoming"],
    "country": ["events", "by", "about", "facts", "identifiers", "mentions", "incoming"],
    "person": ["holdings", "events", "by", "about", "facts", "identifiers", "mentions", "incoming"],
    "claim": ["statement", "about", "facts", "incoming"],
}
# What a claim's page has said already, and an event's: shown apart from the other facts.
_SAID: Final = {
    ONTOLOGY + local for local in ("modality", "attributionStep", "span", "about", "statedIn", "quotedPhrase")
}
_GLANCE: Final = {
    ONTOLOGY + local
    for local in [
        "eventType",
        "actor",
        "orderedBy",
        "recipient",
        "affected",
        "participant",
        "target",
        "means",
        "time",
        "origin",
        "transit",
        "destination",
        "place",
        "resultOf",
        "ledTo",
        "subEventOf",
        "partOfPolicy",
    ]
}
_TOLD_APART: Final = {ONTOLOGY + "hasInteraction", ONTOLOGY + "duration"}
# How a link reads from its far end.
_INVERSE: Final = {
    "country": "Part of it, or acting for it",
    "locatedIn": "Places in it",
    "nationality": "Groups of its nationals",
    "subgroupOf": "Groups within it",
    "headedBy": "What this person heads",
    "speaksFor": "Who speaks for it",
    "adoptedBy": "Policies it adopted",
    "holds": "Held by",
    "postIn": "Posts in it",
    "subOrganizationOf": "Bodies within it",
    "statedIn": "Claims stated in it",
    "textOf": "Texts of it",
    "hasSource": "Places in it that are cited",
    "hasSelector": "Selects the place of",
    "cites": "Cited by",
    "attributionStep": "Step in the chain of",
    "span": "Where to find",
    "publisher": "Published by it",
    "type": "Examples of it",
    "modality": "Claims made so",
    "sourceKind": "Steps of this kind",
    "comparator": "Figures given so",
    "unit": "Figures counted so",
    "precision": "Times known so",
    "character": "Relations of this character",
    "resolutionMethod": "Words resolved so",
    "time": "What took place then",
    "memberDuring": "Posts held over it",
    "asOf": "Figures as of then",
    "deadline": "Figures due by then",
    "party": "Relations it is a party to",
    "broader": "Narrower than it",
    "wasDerivedFrom": "Made from it",
    "subClassOf": "Classes under it",
    "subPropertyOf": "Properties under it",
    "inScheme": "Concepts in it",
    "quadClass": "Event types of this class",
}


@dataclass(frozen=True)
class Download:
    """A format that a thing's data is offered in."""

    name: str
    label: str
    media_type: str


DOWNLOADS: Final = tuple(Download(form.name, _LABELS[form.name], form.media_type) for form in GRAPH_FORMATS)


@blueprint.app_template_filter()
def commas(count: int) -> str:
    """Set the digits of a count in groups of three."""
    return f"{count:,}"


@blueprint.app_template_filter()
def inverse(name: Name) -> str:
    """Say what a link by this property means to the thing it leads to."""
    local = name.iri.replace("#", "/").rpartition("/")[2]
    return _INVERSE.get(local, f"By “{name.label}”")


@blueprint.app_template_filter()
def by_kind(names: Iterable[Name]) -> list[tuple[str, list[Name]]]:
    """Group things by the kind that their IRIs bear."""
    groups: dict[str, list[Name]] = defaultdict(list)
    for name in names:
        groups[kind_of(name.iri)].append(name)
    return sorted(groups.items())


@blueprint.get("/id/<kind>/<path:slug>")
def thing(kind: str, slug: str) -> ResponseReturnValue:
    """Send a client on from a thing to what tells of it: 303 to a page or to data, by Accept."""
    iri = _known(f"{ID}{kind}/", slug)
    target = links.path_of(iri) if wants_html() else links.data_path(iri, choose_format(GRAPH_FORMATS).name)
    response = redirect(target, 303)
    response.vary.add("Accept")
    return response


@blueprint.get("/page/<kind>/<path:slug>")
def page(kind: str, slug: str) -> ResponseReturnValue:
    """Show the page of a thing of ours."""
    return _page(_known(f"{ID}{kind}/", slug))


@blueprint.get("/page")
def any_page() -> ResponseReturnValue:
    """Show the page of anything, named by `iri`; what has an address of its own is sent on there."""
    iri = request.args.get("iri", "")
    if not iri:
        raise ParameterError("no iri was given", mend="Write /page?iri=IRI, or search by name.")
    target = links.path_of(iri)
    if target.startswith(("/page/", "/graph/", "/loads/")):
        return redirect(target, 302)
    return _page(iri)


@blueprint.get("/graph/<slug>")
def graph(slug: str) -> ResponseReturnValue:
    """Show what a named graph holds."""
    return _page(_known(GRAPH, slug))


@blueprint.get("/data/<kind>/<path:name>")
def data(kind: str, name: str) -> ResponseReturnValue:
    """Give the RDF of a thing of ours, in the format that the ending names."""
    slug, _, extension = name.rpartition(".")
    form = _format(extension)
    return send_answer(describe_triples(state().store, _known(f"{ID}{kind}/", slug)), form=form)


@blueprint.get("/data")
def any_data() -> ResponseReturnValue:
    """Give the RDF of anything, named by `iri`, in `format` or as Accept says."""
    name = request.args.get("format")
    form = _format(name) if name else choose_format(GRAPH_FORMATS)
    return send_answer(describe_triples(state().store, request.args.get("iri", "")), form=form)


def _known(start: str, rest: str) -> str:
    """Give the IRI that a path stands for: as it reads, or percent-encoded as it was sent.

    Flask decodes paths once, and an IRI may hold either form; the store knows which one is meant.
    """
    plain = start + rest
    for candidate in (plain, start + quote(rest, safe="/:@!$&'()*+,;=~")):
        if exists(state().store, candidate):
            return candidate
    return plain


def _page(iri: str) -> Response:
    number = _number(request.args.get("page", "1"))
    found = describe(state().store, iri, page=number)
    if number > found.pages:
        raise UnknownNameError(
            f"there is no page {number}",
            mend=f"The last page is {found.pages}: leave out `page` for the first.",
        )
    order = _ORDERS.get(_kind(found), _ORDER)
    apart: set[str] = set()
    if "glance" in order:
        apart = _GLANCE | _TOLD_APART
    elif "statement" in order and found.statement:
        apart = _SAID
    glance = [facts for facts in found.facts if facts.property.iri in _GLANCE and not _routed(found, facts)]
    response = make_response(
        render_template(
            "entity.html",
            thing=found,
            known=bool(found.types or found.facts or found.contents or iri.startswith(BASE + "ontology")),
            order=order,
            glance=glance,
            rest=[facts for facts in found.facts if facts.property.iri not in apart],
            forms=DOWNLOADS,
            address=links.path_of(iri) + ("&" if "?" in links.path_of(iri) else "?"),
        )
    )
    response.vary.add("Accept")
    return response


def _kind(found: Description) -> str:
    # What is foreign, or minted elsewhere, is shown by what it is rather than by how its IRI reads.
    types = {name.iri for name in found.types}
    if found.statement:
        return "claim"
    if types & {ONTOLOGY + "Event", ONTOLOGY + "Journey"}:
        return "event"
    return found.kind


def _routed(found: Description, facts: Facts) -> bool:
    """Tell whether the way of the event, shown as a whole, already holds this place."""
    way = facts.property.iri.removeprefix(ONTOLOGY) in ("origin", "transit", "destination")
    return way and len(found.route) > 1


def _number(text: str) -> int:
    if text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= _LAST_PAGE:
        return int(text)
    raise ParameterError(f"page={text[:40]} is no page", mend=f"Give a whole number from 1 to {_LAST_PAGE}.")


def _format(name: str) -> Format:
    for form in GRAPH_FORMATS:
        if name == form.name:
            return form
    raise UnknownNameError(
        f"data is not kept as .{name[:40]}",
        mend=f"Use one of the endings: {', '.join(form.name for form in GRAPH_FORMATS)}.",
    )
