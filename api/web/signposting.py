"""Signposting: Link headers that tell programs what a page is about, and where its data are (RFC 8288)."""

from __future__ import annotations

import functools
from typing import Final
from urllib.parse import quote

from flask import Response

from api.web.urls import data_path, path_of
from kg.describe.page_model import Signposts
from kg.ontology import article_graphs, reference_graphs
from kg.rdf.formats import GRAPH_FORMATS
from kg.terms import ID

_OURS: Final = "https://www.apache.org/licenses/LICENSE-2.0"


def signpost(response: Response, iri: str, posts: Signposts, *, is_data: bool = False) -> Response:
    """Add the links to an answer about a thing: the thing itself or its page, or its data."""
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
    found += [(cls, 'rel="type"') for cls in posts.types]
    # Graphs without a licence of their own have ours if they are bundled.
    licences = {licence or _OURS for graph, licence in posts.licences if licence or graph in _ours()}
    found += [(licence, 'rel="license"') for licence in sorted(licences)]
    for target, relation in found:
        response.headers.add("Link", f"<{target}>; {relation}")
    return response


@functools.cache
def _ours() -> frozenset[str]:
    return frozenset(graph.value for graph in (*reference_graphs(), *article_graphs()))
