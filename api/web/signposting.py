"""Signposting: Link headers that tell programs what a page is about, and where its data are (RFC 8288)."""

from __future__ import annotations

import functools
from typing import Final
from urllib.parse import quote

from flask import Flask, Response, request

from api.pages.urls import data_path, path_of
from api.web.state import state
from kg.ontology import article_graphs, reference_graphs
from kg.rdf.formats import GRAPH_FORMATS
from kg.search import types_of
from kg.terms import ID

_OURS: Final = "https://www.apache.org/licenses/LICENSE-2.0"
_THINGS: Final = ("entities.thing", "entities.page", "entities.data")


def register(app: Flask) -> None:
    """Attach to the application."""
    app.after_request(_add)


def _add(response: Response) -> Response:
    if request.endpoint in _THINGS and response.status_code in (200, 303) and request.view_args:
        view = request.view_args
        slug = str(view.get("slug") or str(view.get("name", "")).rpartition(".")[0])
        iri = f"{ID}{view['kind']}/" + quote(slug, safe="/:@!$&'()*+,;=~")
        for target, relation in _links(iri, request.endpoint == "entities.data"):
            response.headers.add("Link", f"<{target}>; {relation}")
    return response


def _links(iri: str, is_data: bool) -> list[tuple[str, str]]:
    """Give targets and relations: from a thing or its page, or from its data."""
    found = [(iri, 'rel="cite-as"')]
    if is_data:
        found.append((path_of(iri), 'rel="describes"; type="text/html"'))
    else:
        found += [
            (data_path(iri, form.name), f'rel="describedby"; type="{form.media_type}"')
            for form in GRAPH_FORMATS
        ]
        feed = "/feed/" + quote(iri.removeprefix(ID), safe="/%") + ".atom"
        found.append((feed, 'rel="alternate"; type="application/atom+xml"'))
        found.append(("https://schema.org/AboutPage", 'rel="type"'))
    found += [(cls, 'rel="type"') for cls in types_of(state().store, [iri]).get(iri, [])]
    return found + [(licence, 'rel="license"') for licence in _licences(iri)]


def _licences(iri: str) -> list[str]:
    """Name the licences of the graphs that tell of a thing: as they state them, ours for what we bring."""
    text = f"""PREFIX dcterms: <http://purl.org/dc/terms/> SELECT DISTINCT ?g ?licence WHERE {{
        GRAPH ?g {{ <{iri}> ?p ?o }} OPTIONAL {{ ?g dcterms:license ?licence FILTER(isIRI(?licence)) }}
        }} LIMIT 20"""
    found = set()
    for row in state().store.query(text).rows():
        if "licence" in row:
            found.add(str(row["licence"])[1:-1])
        elif str(row.get("g")) in _ours():
            found.add(_OURS)
    return sorted(found)


@functools.cache
def _ours() -> frozenset[str]:
    return frozenset(str(graph) for graph in (*reference_graphs(), *article_graphs()))
