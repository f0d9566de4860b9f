"""Filters for the templates: words, addresses and formats."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Final
from urllib.parse import quote, urlencode

from flask import Flask

from api.web import urls as links
from kg.describe.page_model import Figure, Linked, Links, Participation, Statement, Value
from kg.search import Name, kind_of
from kg.terms import ID, ONTOLOGY, compact

# The register of an identifier, by the pattern of its IRI.
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
# Names of languages, each in that language; others are shown by their tag.
_LANGUAGES: Final = {
    "ar": "العربية", "de": "Deutsch", "en": "English", "es": "español", "fa": "فارسی", "fr": "français",
    "he": "עברית", "hi": "हिन्दी", "it": "italiano", "ja": "日本語", "ko": "한국어", "nl": "Nederlands",
    "pl": "polski", "pt": "português", "ru": "русский", "tr": "Türkçe", "uk": "українська", "zh": "中文",
}  # fmt: skip
# The filter of the list of events for each kind of thing.
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
    """Register the filters with the application."""
    for filtered in (
        links.href,
        links.link,
        links.links,
        links.path_of,
        links.data_path,
        links.sign,
        links.tail,
        links.number,
        compact,
        commas,
        sentence,
        figure_words,
        says_itself,
        plays,
        by_number,
        in_groups,
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
    """Write a count with commas between thousands."""
    return f"{count:,}"


def sentence(words: str) -> str:
    """Begin words with a capital letter."""
    return words[:1].upper() + words[1:]


def figure_words(figure: Figure) -> str:
    """Write a figure as in a text: "at least 12 people killed"; empty if nothing but its name is known."""
    effect = figure.effect.label if figure.effect else ""
    words = [_comparator(figure), links.number(figure.value or ""), figure.unit, effect]
    return " ".join(filter(None, words))


def says_itself(figure: Figure) -> bool:
    """Return whether the label of a figure gives its number and how exact it is."""
    label = figure.name.label.lower()
    value = figure.value or ""
    return _comparator(figure).lower() in label and (value in label or links.number(value) in label)


def _comparator(figure: Figure) -> str:
    said = figure.comparator
    return said.label if said and not said.iri.endswith("/exactly") else ""


def plays(part: Participation, agent: str, prop: Name) -> bool:
    """Return whether a participation is that of an agent in the role that a property stands for."""
    role = part.role.iri.rpartition("/")[2] if part.role else ""
    return part.agent.iri == agent and prop.iri in (ONTOLOGY + role, ONTOLOGY + "participant")


def by_number(claims: Iterable[Name], numbers: Mapping[str, int]) -> list[Name]:
    """Sort claims by their numbers on the page; those without one come last."""
    return sorted(claims, key=lambda claim: numbers.get(claim.iri, len(numbers) + 1))


def in_groups(found: Links) -> list[tuple[Name | None, list[Linked]]]:
    """Group the things of a list, which are in the order of their groups."""
    return [(group, list(things)) for group, things in groupby(found.things, key=attrgetter("group"))]


def by_kind(names: Iterable[Name]) -> list[tuple[str, list[Name]]]:
    """Group things by the kind in their IRIs."""
    groups: dict[str, list[Name]] = defaultdict(list)
    for name in names:
        groups[kind_of(name.iri)].append(name)
    return sorted(groups.items())


def language_name(tag: str) -> str:
    """Return the name of a language in that language, or its tag."""
    return _LANGUAGES.get(tag.partition("-")[0].lower(), tag)


def sparql(query: str) -> str:
    """Return the address of the editor with a query."""
    return links.at("/sparql?") + urlencode({"query": query})


@dataclass(frozen=True)
class Identifier:
    """An identifier as a page shows it: its register, its text and its address, empty if there is none."""

    scheme: str
    text: str
    address: str = ""


def identifier(prop: Name, value: Value) -> Identifier:
    """Prepare an identifier for a page; `prop` is its property."""
    if value.name:
        iri = value.name.iri
        for pattern, scheme in _SCHEMES.items():
            if found := re.fullmatch(pattern, iri):
                return Identifier(scheme, found[1], iri)
        return Identifier(prop.label, compact(iri), links.href(value.name))
    local = prop.iri.removeprefix(ONTOLOGY)
    if local == "url":
        web = value.text if value.text.startswith(("https://", "http://")) else ""
        return Identifier("address", value.text, web)
    if local == "iso2" and re.fullmatch("[A-Z]{2}", value.text):
        return Identifier(_CODES[local], value.text, _ISO + value.text)
    return Identifier(_CODES.get(local, prop.label), value.text)


def events_path(name: Name, begin: str, end: str) -> str:
    """Return the address of the list of a thing's events between two days; empty if it has none."""
    field = _FILTERS.get(kind_of(name.iri))
    if field is None:
        return ""
    return links.at("/events?") + urlencode({field: name.iri.removeprefix(ID), "from": begin, "to": end})


def fragment(statement: Statement) -> str:
    """Return the address of a claim's source on the web, with a text fragment; empty if it is unknown.

    The fragment is the quoted passage, else the quoted phrase (URL Fragment Text Directives).
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
    """Compute the width of a bar in hundredths of the longest; at least 2 unless the count is 0."""
    return max(2, round(100 * count / most)) if count and most else 0


def _directive(words: str) -> str:
    # Commas and hyphens are special in a text directive.
    return quote(words, safe="").replace("-", "%2D")
