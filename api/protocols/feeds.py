"""For crawlers and feed readers: robots.txt, the sitemap, and an Atom feed of each thing (RFC 4287)."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from flask import Blueprint, Response, request

from api.web.state import state
from api.web.urls import path_of
from kg.describe.site.site_index import described, feed_of
from kg.errors import UnknownNameError
from kg.search import unknown
from kg.terms import ID

blueprint = Blueprint("crawl", __name__)

_PAGES: Final = ("/", "/events", "/queries", "/coverage", "/ontology")
# The sitemap protocol allows 50,000 addresses per file.
_SITEMAP: Final = 10_000
_NO_XML: Final = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF, *range(0xD800, 0xE000)))


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Limit crawlers to pages: queries and downloads cost work and contain no new links."""
    paths = (
        "/sparql",
        "/data",
        "/load",
        "/loads",
        "/sign-in",
        "/search",
        "/suggest",
        "/update",
        "/reconcile",
    )
    lists = ("/events?", "/events.", "/records", "/queries/*?", "/queries/*.", "/feed")
    rules = "".join(f"Disallow: {path}\n" for path in (*paths, *lists))
    sitemap = request.url_root + "sitemap.xml"
    return Response(f"User-agent: *\n{rules}Sitemap: {sitemap}\n", content_type="text/plain; charset=utf-8")


@blueprint.get("/sitemap.xml")
def sitemap() -> Response:
    """List the parts of the sitemap (sitemaps.org protocol 0.9)."""
    total = state().memory.get(state().store, described).total
    parts = "".join(
        f"<sitemap><loc>{escape(request.url_root)}sitemap-{number}.xml</loc></sitemap>\n"
        for number in range(1, 2 + (total - 1) // _SITEMAP if total else 2)
    )
    return _xml(
        f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{parts}</sitemapindex>\n'
    )


@blueprint.get("/sitemap-<int:number>.xml")
def sitemap_part(number: int) -> Response:
    """List the pages in one part: events, actors, places, claims, sources and event types."""
    found = state().store.run(described, _SITEMAP, (number - 1) * _SITEMAP)
    if number < 1 or (not found.iris and number > 1):
        raise UnknownNameError(
            f"the sitemap has no part {number}", mend="The parts are listed in /sitemap.xml."
        )
    paths = [*(_PAGES if number == 1 else ()), *(path_of(iri) for iri in found.iris)]
    root = request.url_root.rstrip("/")
    urls = "".join(f"<url><loc>{escape(root + path)}</loc></url>\n" for path in paths)
    return _xml(f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}</urlset>\n')


@blueprint.get("/feed/<kind>/<path:name>")
def feed(kind: str, name: str) -> Response:
    """Send an Atom feed of the events and claims of a thing that were loaded last."""
    slug, _, ending = name.rpartition(".")
    if ending != "atom":
        raise UnknownNameError(
            "the address of a feed ends with .atom", mend=f"Use /feed/{kind}/{quote(name)}.atom."
        )
    iri = f"{ID}{kind}/{slug}"
    found = state().store.run(feed_of, iri)
    if found is None:
        raise unknown(state().store, iri)
    label, entries = found.name.label, found.entries
    root = request.url_root.rstrip("/")
    latest = max((entry.updated for entry in entries), default="1970-01-01T00:00:00Z")
    parts = [
        f"<title>{_text(label)}</title>",
        f"<subtitle>{_text(f'Events and claims that concern {label}')}</subtitle>",
        f"<id>{_text(iri)}</id>",
        f"<updated>{_text(latest)}</updated>",
        "<author><name>diplograph</name></author>",
        f'<link rel="self" type="application/atom+xml" href={_attribute(request.base_url)}/>',
        f'<link rel="alternate" type="text/html" href={_attribute(root + path_of(iri))}/>',
    ]
    for entry in entries:
        parts.append(
            f"<entry><title>{_text(entry.name.label)}</title><id>{_text(entry.name.iri)}</id>"
            f"<updated>{_text(entry.updated)}</updated>"
            f'<link rel="alternate" type="text/html" href={_attribute(root + path_of(entry.name.iri))}/>'
            f"<summary>{_text(entry.summary)}</summary></entry>"
        )
    body = "\n".join(parts)
    return Response(
        f'<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n{body}\n</feed>\n',
        content_type="application/atom+xml; charset=utf-8",
    )


def _xml(body: str) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'
    return Response(text, content_type="application/xml; charset=utf-8")


def _text(text: str) -> str:
    return escape(text.translate(_NO_XML))


def _attribute(text: str) -> str:
    return quoteattr(text.translate(_NO_XML))
