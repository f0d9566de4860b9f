"""How pages word what the graph holds."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from flask import Flask

from api.pages import urls as links
from kg.describe.page_model import Statement, Value
from kg.search import Name, kind_of
from kg.terms import ID, ONTOLOGY

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
# Who gives an identifier, by the form of its IRI.
_SCHEMES: Final = {
    r"https?://www\.wikidata\.org/(?:entity|wiki)/(Q[0-9]+)": "Wikidata",
    r"https?://(?:sws|www)\.geonames\.org/([0-9]+)/?(?:about\.rdf)?": "GeoNames",
    r"https?://viaf\.org/viaf/([0-9]+)/?": "VIAF",
    r"https?://orcid\.org/([0-9X-]+)": "ORCID",
}
_ISO: Final = "https://www.iso.org/obp/ui/#iso:code:3166:"
_CODES: Final = {
    "iso2": "ISO 3166-1 alpha-2",
    "iso3": "ISO 3166-1 alpha-3",
    "isoNumeric": "ISO 3166-1 numeric",
    "fips": "FIPS 10-4",
    "cameo": "CAMEO",
    "cow": "Correlates of War",
    "cowAbbreviation": "Correlates of War",
    "unM49": "UN M49",
}
# Languages by their tag, each in itself; others go by their tag.
_LANGUAGES: Final = {
    "ar": "العربية", "de": "Deutsch", "en": "English", "es": "español", "fa": "فارسی", "fr": "français",
    "he": "עברית", "hi": "हिन्दी", "it": "italiano", "ja": "日本語", "ko": "한국어", "nl": "Nederlands",
    "pl": "polski", "pt": "português", "ru": "русский", "tr": "Türkçe", "uk": "українська", "zh": "中文",
}  # fmt: skip
# Which filter of the list of events a kind of thing stands for.
_FILTERS: Final = {
    "country": "actor",
    "person": "actor",
    "agency": "actor",
    "organization": "actor",
    "government": "actor",
    "administration": "actor",
    "group": "actor",
    "place": "place",
    "event-type": "type",
    "source": "source",
}


def register(app: Flask) -> None:
    """Make the filters known to the templates."""
    for filtered in (
        links.href,
        links.link,
        links.links,
        links.path_of,
        links.data_path,
        links.sign,
        links.tail,
        links.short,
        links.number,
        commas,
        inverse,
        by_kind,
        language_name,
        sparql,
        events_path,
        identifier,
        fragment,
        bar_width,
    ):
        app.add_template_filter(filtered)


def commas(count: int) -> str:
    """Set the digits of a count in groups of three."""
    return f"{count:,}"


def inverse(name: Name) -> str:
    """Say what a link by this property means to the thing it leads to."""
    local = name.iri.replace("#", "/").rpartition("/")[2]
    return _INVERSE.get(local, f"By “{name.label}”")


def by_kind(names: Iterable[Name]) -> list[tuple[str, list[Name]]]:
    """Group things by the kind that their IRIs bear."""
    groups: dict[str, list[Name]] = defaultdict(list)
    for name in names:
        groups[kind_of(name.iri)].append(name)
    return sorted(groups.items())


def language_name(tag: str) -> str:
    """Name a language in itself; one that we have no name for goes by its tag."""
    return _LANGUAGES.get(tag.partition("-")[0].lower(), tag)


def sparql(query: str) -> str:
    """Give the address of the editor with a query in it."""
    return "/sparql?" + urlencode({"query": query})


@dataclass(frozen=True)
class Identifier:
    """An identifier as a page shows it: whose it is, how it reads, and where it leads, if anywhere."""

    scheme: str
    text: str
    address: str = ""


def identifier(prop: Name, value: Value) -> Identifier:
    """Word an identifier of a thing; `prop` is the property that gives it."""
    if value.name:
        iri = value.name.iri
        for pattern, scheme in _SCHEMES.items():
            if found := re.fullmatch(pattern, iri):
                return Identifier(scheme, found[1], iri)
        return Identifier(prop.label, links.short(iri), links.href(value.name))
    local = prop.iri.removeprefix(ONTOLOGY)
    if local == "url":
        web = value.text if value.text.startswith(("https://", "http://")) else ""
        return Identifier("address", value.text, web)
    if local == "iso2" and re.fullmatch("[A-Z]{2}", value.text):
        return Identifier(_CODES[local], value.text, _ISO + value.text)
    return Identifier(_CODES.get(local, prop.label), value.text)


def events_path(name: Name, begin: str, end: str) -> str:
    """Give the address of the list of a thing's events between two days; empty where there is none."""
    field = _FILTERS.get(kind_of(name.iri))
    if field is None:
        return ""
    return "/events?" + urlencode({field: name.iri.removeprefix(ID), "from": begin, "to": end})


def fragment(statement: Statement) -> str:
    """Give the address of a claim's source on the web, with the words to look for; empty where unknown.

    The words are the passage that the graph quotes, else the quoted phrase (URL Fragment Text Directives).
    """
    for span in statement.spans:
        if span.url and span.url.startswith(("https://", "http://")):
            words = span.exact or statement.quoted
            if not words or "#" in span.url:
                return span.url
            first, last = words[:120].rsplit(" ", 1)[0] if len(words) > 120 else words, ""
            if len(words) > 120:
                last = "," + _directive(words[-60:].split(" ", 1)[-1])
            return f"{span.url}#:~:text={_directive(first)}{last}"
    return ""


def bar_width(count: int, most: int) -> int:
    """Give the width of a bar in hundredths of the longest; what is there at all is seen."""
    return max(2, round(100 * count / most)) if count and most else 0


def _directive(words: str) -> str:
    # Commas and hyphens have a meaning of their own in a text directive.
    return quote(words, safe="").replace("-", "%2D")
