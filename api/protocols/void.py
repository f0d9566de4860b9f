"""The description of the dataset (VoID) at its well-known address."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, Response, request

from api.web.negotiation import choose_format, send_answer, wants_html
from api.web.preconditions import conditional
from api.web.query_limit import limited
from api.web.state import state
from kg.dataset import Sizes, TripleAnswer, measure, service_description, void_description
from kg.rdf.formats import GRAPH_FORMATS, RESULT_FORMATS

blueprint = Blueprint("void", __name__)


@blueprint.get("/.well-known/void")
@limited
def void() -> Response:
    """Describe the dataset: counts, and partitions by class and by property."""
    form = GRAPH_FORMATS[0] if wants_html() else choose_format(GRAPH_FORMATS)

    def describe() -> Response:
        found = void_description(_sizes(), _at("/sparql"), _at("/.well-known/void"), dump=_at("/graphs"))
        return send_answer(found, form=form)

    return conditional(f"void {request.root_url}", form.name, describe)


def describe_service() -> TripleAnswer:
    """Describe the endpoint (SPARQL 1.1 Service Description)."""
    return service_description(
        _sizes(),
        _at("/sparql"),
        _at("/.well-known/void"),
        (*RESULT_FORMATS, *GRAPH_FORMATS),
        updates=not state().settings.read_only,
    )


def _sizes() -> Sizes:
    store = state().store
    return state().memory.keep(store, "sizes", lambda: measure(store))


def _at(path: str) -> str:
    # The Host header comes from the client: characters that could end an IRI are encoded.
    return quote(request.root_url.rstrip("/") + path, safe=":/[]%")
