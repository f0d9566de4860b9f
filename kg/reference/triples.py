"""Triples that the descriptions of reference data share."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from functools import cache
from typing import Final

from pyoxigraph import Literal, NamedNode, Triple

from kg.terms import ID, mint, read_turtle, term

# The six languages of the United Nations, and eight more.
LANGUAGES: Final = ("ar", "en", "es", "fr", "ru", "zh", "de", "fa", "it", "ja", "ko", "pt", "tr", "uk")
TYPE: Final = term("rdf:type")
LABEL: Final = term("rdfs:label")
ALIAS: Final = term("skos:altLabel")
HIDDEN: Final = term("skos:hiddenLabel")
_DATE: Final = term("xsd:date")
_MONTH: Final = len("YYYY-MM")


def english(text: str) -> Literal:
    """Return a literal in English."""
    return Literal(text, language="en")


def names_in_languages(code: str) -> dict[str, str]:
    """Return the names of a country or region in CLDR, by language."""
    return {language: names[code] for language in LANGUAGES if code in (names := _territories(language))}


@cache
def _territories(language: str) -> dict[str, str]:
    import babel  # here, because few processes need it and it takes long

    return dict(babel.Locale.parse(language).territories)


def named(thing: NamedNode, label: str, names: dict[str, str], aliases: tuple[str, ...] = ()) -> list[Triple]:
    """Label a thing in English and in other languages, with its alternative names.

    If the English name in CLDR differs from `label`, it becomes an alternative name.
    """
    triples = [Triple(thing, LABEL, english(label))]
    triples += [
        Triple(thing, LABEL, Literal(text, language=tag)) for tag, text in names.items() if tag != "en"
    ]
    further = dict.fromkeys((*aliases, names.get("en", label)))
    triples += [Triple(thing, ALIAS, english(text)) for text in further if text and text != label]
    return triples


def place_of(town: str, country: str) -> NamedNode:
    """Mint the place of a town by its name and the key of its country."""
    return mint("place", f"{town} {country}")


def region_of(code: str) -> NamedNode:
    """Return the IRI of a region of UN M49."""
    return NamedNode(f"{ID}place/m49-{code}")


def town(name: str, country: str) -> list[Triple]:
    """Describe a town of a country."""
    place, land = place_of(name, country), mint("country", country)
    return [
        Triple(place, TYPE, term("dg:Place")),
        Triple(place, LABEL, english(name)),
        Triple(place, term("dg:country"), land),
        Triple(place, term("dg:locatedIn"), land),
    ]


def interval(thing: NamedNode, time: NamedNode, begin: str, end: str) -> Iterator[Triple]:
    """Relate a thing to the interval between two days or months; a bound may be empty."""
    label = f"{begin} to {end}" if begin and end else f"from {begin} on" if begin else f"until {end}"
    whole_days = all(len(bound) != _MONTH for bound in (begin, end))
    precision = "open" if not (begin and end) else "day" if whole_days else "month"
    yield from read_turtle(f"""
        {thing} dg:time {time} . {time} a time:ProperInterval ; rdfs:label {english(label)} ;
            dg:precision <{ID}time-precision/{precision}> .""")
    for name, bound, last in (("dg:begin", begin, False), ("dg:end", end, True)):
        if bound:
            yield Triple(time, term(name), Literal(_day(bound, last), datatype=_DATE))


def _day(bound: str, last: bool) -> str:
    """Return a day unchanged, and the first or last day of a month."""
    if len(bound) != _MONTH:
        return bound
    year, month = (int(part) for part in bound.split("-"))
    return f"{bound}-{monthrange(year, month)[1] if last else 1:02}"
