"""The description of the dataset (VoID) at its well-known address."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

from flask import Blueprint, Response, current_app, request
from flask.blueprints import BlueprintSetupState

from api.web.negotiation import choose_format, send_answer, wants_html
from api.web.preconditions import etag, is_known, not_modified
from kg.dataset import SizeCache, Sizes, TripleAnswer, service_description, void_description
from kg.rdf.formats import GRAPH_FORMATS, RESULT_FORMATS

blueprint = Blueprint("void", __name__)

_BOOK = "diplograph sizes"


@blueprint.record_once
def _set_up(setup: BlueprintSetupState) -> None:
    setup.app.extensions[_BOOK] = SizeCache(setup.app.extensions["diplograph"].store)


@blueprint.get("/.well-known/void")
def void() -> Response:
    """Describe the dataset: counts, and partitions by class and by property."""
    form = GRAPH_FORMATS[0] if wants_html() else choose_format(GRAPH_FORMATS)
    version = current_app.extensions["diplograph"].store.version
    tag = etag(hashlib.sha256(f"void {version} {request.host_url}".encode()).hexdigest()[:24], form.name)
    if version and is_known(tag):
        return not_modified(tag)
    found = void_description(_sizes(), _at("/sparql"), _at("/.well-known/void"), dump=_at("/graphs"))
    response = send_answer(found, form=form)
    if version:
        response.set_etag(tag)
        response.headers["Cache-Control"] = "no-cache"
    return response


def describe_service() -> TripleAnswer:
    """Describe the endpoint (SPARQL 1.1 Service Description)."""
    settings = current_app.extensions["diplograph"].settings
    return service_description(
        _sizes(),
        _at("/sparql"),
        _at("/.well-known/void"),
        (*RESULT_FORMATS, *GRAPH_FORMATS),
        updates=not settings.read_only,
    )


def _sizes() -> Sizes:
    book: SizeCache = current_app.extensions[_BOOK]
    return book.sizes()


def _at(path: str) -> str:
    # The Host header comes from the client: characters that could end an IRI are encoded.
    return quote(request.root_url.rstrip("/") + path, safe=":/[]%")
