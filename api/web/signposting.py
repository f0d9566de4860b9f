"""Signposting: Link headers that tell programs what a page is about, and where its data are (RFC 8288)."""

from __future__ import annotations

import functools
from typing import Final
from urllib.parse import quote

from flask import Flask, Response, g, request

from api.web.state import state
from api.web.urls import data_path, path_of
from kg.describe.entity.signposts import signposts_of
from kg.describe.page_model import Signposts
from kg.ontology import article_graphs, reference_graphs
from kg.rdf.formats import GRAPH_FORMATS
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
    """Return targets and relations: from a thing or its page, or from its data."""
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
    posts: Signposts = g.get("signposts") or state().store.run(signposts_of, iri)
    found += [(cls, 'rel="type"') for cls in posts.types]
    # Graphs without a licence of their own have ours if they are bundled.
    licences = {licence or _OURS for graph, licence in posts.licences if licence or graph in _ours()}
    return found + [(licence, 'rel="license"') for licence in sorted(licences)]


@functools.cache
def _ours() -> frozenset[str]:
    return frozenset(graph.value for graph in (*reference_graphs(), *article_graphs()))
