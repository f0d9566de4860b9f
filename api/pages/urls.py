"""Where things are on this server, and how a page words them."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlencode

from kg.search import Name
from kg.terms import BASE, GRAPH, ID, LOAD, ONTOLOGY, compact

_PLAIN: Final = re.compile(r"[^%#?\s\\/]+")
# The sign that goes with a modality, and the tone it is shown in.
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


def path_of(iri: str) -> str:
    """Give the local page of an IRI, whether or not the store knows it."""
    if iri.startswith(ONTOLOGY):
        return f"/ontology#{quote(iri.removeprefix(ONTOLOGY))}"
    if iri == BASE + "ontology":
        return "/ontology"
    for start, path, parts in ((ID, "/page/", 2), (GRAPH, "/graph/", 1), (LOAD, "/loads/", 1)):
        rest = iri.removeprefix(start).split("/")
        if iri.startswith(start) and len(rest) == parts and all(_PLAIN.fullmatch(part) for part in rest):
            return path + "/".join(quote(part, safe="") for part in rest)
    return "/page?" + urlencode({"iri": iri})


def href(name: Name) -> str:
    """Give where a link leads: the local page, or the web for what the store says nothing of."""
    if not name.iri.startswith(BASE) and not name.described and re.match(r"https?://", name.iri):
        return name.iri
    return path_of(name.iri)


def data_path(iri: str, form: str) -> str:
    """Give the address of a thing's RDF in a format (`ttl`, `jsonld`, `nt`, `rdf`)."""
    path = path_of(iri)
    if path.startswith("/page/"):
        return f"/data/{path.removeprefix('/page/')}.{form}"
    return "/data?" + urlencode({"iri": iri, "format": form})


def sign(modality: Name | None) -> tuple[str, str]:
    """Give the sign of a modality and its tone: `firm`, `ahead`, `unsure`, `denied` or `plain`."""
    return _SIGNS.get(modality.iri.rpartition("/")[2], ("·", "plain")) if modality else ("·", "plain")


def tail(name: Name | None) -> str:
    """Give the last part of an IRI, for a style class of one of our concepts."""
    found = re.fullmatch(r".*/([a-z-]+)", name.iri) if name else None
    return found[1] if found else ""


def short(iri: str) -> str:
    """Shorten an IRI for the eye."""
    return compact(iri)


def number(text: str) -> str:
    """Set the digits of a whole number in groups of three; other texts stay as they are."""
    return f"{int(text):,}" if re.fullmatch(r"-?[0-9]{1,30}", text) else text
