"""Addresses of things on this server, and links to them, in pages and in headers."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, urlencode

from flask import Response, request
from markupsafe import Markup
from werkzeug.urls import iri_to_uri

from kg.describe.page_model import Signposts
from kg.ontology import article_graphs, reference_graphs
from kg.rdf.formats import GRAPH_FORMATS
from kg.search import Name
from kg.terms import BASE, GRAPH, ID, LOAD, ONTOLOGY

_KEPT: Final = 20_000
_LICENCE: Final = "https://www.apache.org/licenses/LICENSE-2.0"
_PLAIN: Final = re.compile(r"[^%#?\s\\/]+")
# The sign of each modality, and the tone in which it is shown.
_SIGNS: Final = {
    "asserted": ("✓", "firm"),
    "happened": ("✓", "firm"),
    "realised": ("✓", "firm"),
    "planned": ("→", "ahead"),
    "projected": ("↗", "ahead"),
    "opinion": ("“", "unsure"),
    "possible": ("?", "unsure"),
    "undisclosed": ("–", "unsure"),
    "denied": ("×", "denied"),
}


def at(path: str) -> str:
    """Return the path of one of our addresses on this host, where all of them may lie under another path."""
    return request.script_root + path


def path_of(iri: str) -> str:
    """Return the path of the local page of an IRI, whether or not the store has it."""
    return at(page_path(iri))


@functools.lru_cache(maxsize=_KEPT)
def page_path(iri: str) -> str:
    """Return the path of `path_of` as the application's routes have it."""
    if iri.startswith(ONTOLOGY):
        return f"/ontology#{quote(iri.removeprefix(ONTOLOGY))}"
    if iri == BASE + "ontology":
        return "/ontology"
    for start, path, parts in ((ID, "/page/", 2), (GRAPH, "/graph/", 1), (LOAD, "/loads/", 1)):
        rest = iri.removeprefix(start).split("/")
        if iri.startswith(start) and len(rest) == parts and all(_PLAIN.fullmatch(part) for part in rest):
            return path + "/".join(quote(part, safe="") for part in rest)
    return "/page?" + urlencode({"iri": iri})


def path_readings(start: str, rest: str, ending: str = "") -> tuple[str, ...]:
    """Return the IRIs below `start` that the path of this request may stand for, the likeliest first.

    `rest` is the decoded path, without `ending`. An IRI may hold either form, and the slash at the end of an
    address may be the client's own; the store knows which one is meant.
    """
    sent = str(request.environ.get("REQUEST_URI", "")).partition("?")[0]
    sent = sent.split("/", str(request.url_rule).count("/"))[-1].removesuffix(ending)
    forms = (sent, rest, quote(rest, safe="/:@!$&'()*+,;=~"))
    return tuple(dict.fromkeys(start + form for form in (*forms, *(form.rstrip("/") for form in forms))))


def href(name: Name) -> str:
    """Return the address of a link: the local page, or the IRI if the store does not describe the thing."""
    return name.iri if _is_elsewhere(name) else path_of(name.iri)


def _is_elsewhere(name: Name) -> bool:
    return not name.iri.startswith(BASE) and not name.described and bool(re.match(r"https?://", name.iri))


def link(name: Name) -> Markup:
    """Write a link to a thing. Its label is isolated by <bdi>, so that it keeps its own direction."""
    return _link(name, request.script_root)


@functools.lru_cache(maxsize=_KEPT)
def _link(name: Name, root: str) -> Markup:
    address = name.iri if _is_elsewhere(name) else root + page_path(name.iri)
    away = (
        Markup(' class="external" rel="external noopener noreferrer"') if address.startswith("http") else ""
    )
    foreign = name.language and not name.language.startswith("en")
    lang = Markup(' lang="{}"').format(name.language) if foreign else ""
    return Markup('<a href="{}"{}{}><bdi>{}</bdi></a>').format(address, away, lang, name.label)


def links(names: Iterable[Name]) -> Markup:
    """Write links to things, with commas between them."""
    return Markup(", ").join(map(link, names))


def data_path(iri: str, form: str) -> str:
    """Return the address of a thing's RDF in a format (`ttl`, `jsonld`, `nt`, `rdf`)."""
    path = page_path(iri)
    if path.startswith("/page/"):
        return at(f"/data/{path.removeprefix('/page/')}.{form}")
    return at("/data?" + urlencode({"iri": iri, "format": form}))


def signpost(response: Response, iri: str, posts: Signposts, *, is_data: bool = False) -> Response:
    """Add Link headers that programs follow (Signposting, RFC 8288) to an answer about a thing.

    The answer is the thing itself or its page, or its data.
    """
    found = [(iri, 'rel="cite-as"')]
    if is_data:
        found.append((path_of(iri), 'rel="describes"; type="text/html"'))
    else:
        found += [
            (data_path(iri, form.name), f'rel="describedby"; type="{form.media_type}"')
            for form in GRAPH_FORMATS
        ]
        feed = at("/feed/") + quote(iri.removeprefix(ID), safe="/%") + ".atom"
        found.append((feed, 'rel="alternate"; type="application/atom+xml"'))
        found.append(("https://schema.org/AboutPage", 'rel="type"'))
    found += [(cls, 'rel="type"') for cls in posts.types]
    # Graphs without a licence of their own have ours if they are bundled.
    licences = {licence or _LICENCE for graph, licence in posts.licences if licence or graph in _ours()}
    found += [(licence, 'rel="license"') for licence in sorted(licences)]
    for target, relation in found:
        response.headers.add("Link", f"<{iri_to_uri(target)}>; {relation}")
    return response


@functools.cache
def _ours() -> frozenset[str]:
    return frozenset(graph.value for graph in (*reference_graphs(), *article_graphs()))


def sign(modality: Name | None) -> tuple[str, str]:
    """Return the sign of a modality and its tone: `firm`, `ahead`, `unsure`, `denied` or `plain`."""
    return _SIGNS.get(modality.iri.rpartition("/")[2], ("·", "plain")) if modality else ("·", "plain")


def tail(name: Name | None) -> str:
    """Return the last part of the IRI of one of our concepts, for a style class."""
    found = re.fullmatch(r".*/([a-z-]+)", name.iri) if name else None
    return found[1] if found else ""


def number(text: str) -> str:
    """Write a whole number with commas; other texts stay as they are."""
    return f"{int(text):,}" if re.fullmatch(r"-?[0-9]{1,30}", text) else text
