"""For crawlers and feed readers: robots.txt, the sitemap, and an Atom feed of each thing (RFC 4287)."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from flask import Blueprint, Response, render_template, request

from api.web.state import state
from api.web.urls import at, path_of, path_readings
from kg.describe.site.site_index import described, feed_of
from kg.errors import UnknownNameError
from kg.search import first_known, unknown
from kg.terms import ID

blueprint = Blueprint("crawl", __name__)

_PAGES: Final = ("/", "/events", "/queries", "/coverage", "/ontology")
# The sitemap protocol allows 50,000 addresses per file.
_SITEMAP: Final = 10_000
_NO_XML: Final = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF, *range(0xD800, 0xE000)))


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Limit crawlers to pages: queries and downloads cost work and contain no new links."""
    text = render_template("robots.txt", sitemap=request.url_root + "sitemap.xml")
    return Response(text, content_type="text/plain; charset=utf-8")


@blueprint.get("/sitemap.xml")
def sitemap() -> Response:
    """List the parts of the sitemap (sitemaps.org protocol 0.9)."""
    total = state().memory.get(state().store, described).total
    return _xml("sitemap-parts.xml", parts=range(1, max(1, -(-total // _SITEMAP)) + 1), root=request.url_root)


@blueprint.get("/sitemap-<int:number>.xml")
def sitemap_part(number: int) -> Response:
    """List the pages in one part: events, actors, places, claims, sources and event types."""
    found = state().store.run(described, _SITEMAP, (number - 1) * _SITEMAP)
    if number < 1 or (not found.iris and number > 1):
        raise UnknownNameError(
            f"the sitemap has no part {number}", mend="The parts are listed in /sitemap.xml."
        )
    paths = [*(map(at, _PAGES) if number == 1 else ()), *(path_of(iri) for iri in found.iris)]
    return _xml("sitemap.xml", paths=paths, root=request.host_url.rstrip("/"))


@blueprint.get("/feed/<kind>/<path:name>")
def feed(kind: str, name: str) -> Response:
    """Send an Atom feed of the events and claims of a thing that were loaded last."""
    slug, _, ending = name.rpartition(".")
    if ending != "atom":
        raise UnknownNameError(
            "the address of a feed ends with .atom", mend=f"Use /feed/{kind}/{quote(name)}.atom."
        )
    start = f"{ID}{kind}/"
    iri = state().store.run(first_known, path_readings(start, slug, ".atom"))
    found = state().store.run(feed_of, iri) if iri else None
    if found is None:
        raise unknown(state().store, start + slug)
    latest = max((entry.updated for entry in found.entries), default="1970-01-01T00:00:00Z")
    feed = _xml(
        "feed.xml", found=found, latest=latest, here=request.base_url, root=request.host_url.rstrip("/")
    )
    feed.content_type = "application/atom+xml; charset=utf-8"
    return feed


def _xml(template: str, **values: object) -> Response:
    text = render_template(template, **values).translate(_NO_XML)
    return Response(text, content_type="application/xml; charset=utf-8")
