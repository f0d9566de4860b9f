"""N-Triples as text in the engine's canonical form, without term objects."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import Final

import pyoxigraph
from pyoxigraph import NamedNode

from kg.rdf.literals import number_hint
from kg.terms import ID, ONTOLOGY, PREFIXES

TYPE: Final = f"<{PREFIXES['rdf']}type>"
LABEL: Final = f"<{PREFIXES['rdfs']}label>"
_XSD: Final = PREFIXES["xsd"]
INTEGER: Final = f"^^<{_XSD}integer>"
DECIMAL: Final = f"^^<{_XSD}decimal>"
TRUE: Final = f'"true"^^<{_XSD}boolean>'
FALSE: Final = f'"false"^^<{_XSD}boolean>'

# N-Triples, section 2.4, as the engine writes it.
_SPECIAL: Final = re.compile(r'[\x00-\x1f"\\\x7f]')
_ESCAPES: Final = {
    **{code: f"\\u{code:04X}" for code in (*range(0x20), 0x7F)},
    **{ord(char): f"\\{name}" for char, name in zip('\b\t\n\f\r"\\', 'btnfr"\\', strict=True)},
}
_PLAIN_DECIMAL: Final = re.compile(r"(-?)(0|[1-9]\d{0,17})(?:\.(\d{1,17}))?", re.ASCII)
_EXPONENT_LIMIT = 400


def dg(name: str) -> str:
    """Return a term of the ontology as N-Triples."""
    return f"<{ONTOLOGY}{name}>"


def thing(kind: str, slug: str) -> str:
    """Return `id/<kind>/<slug>` as N-Triples; the slug must be valid in an IRI."""
    return f"<{ID}{kind}/{slug}>"


def statements(node: str, *pairs: tuple[str, str | None]) -> str:
    """Return a line for each pair of predicate and object, all in N-Triples; an empty object yields none."""
    return "".join([f"{node} {predicate} {value} .\n" for predicate, value in pairs if value])


def escape(text: str) -> str:
    """Escape a text for the inside of a literal."""
    return text.translate(_ESCAPES) if _SPECIAL.search(text) else text


def plain(text: str) -> str:
    """Return a plain string literal."""
    return f'"{escape(text)}"'


def english(text: str) -> str:
    """Return an English literal."""
    return f'"{escape(text)}"@en'


def date(day: str) -> str:
    """Return an xsd:date of YYYY-MM-DD."""
    return f'"{day}"^^<{_XSD}date>'


def moment(text: str) -> str:
    """Return an xsd:dateTime of YYYY-MM-DDThh:mm:ssZ."""
    return f'"{text}"^^<{_XSD}dateTime>'


def url(text: str) -> str:
    """Return an xsd:anyURI."""
    return f'"{escape(text)}"^^<{_XSD}anyURI>'


def integer(text: str) -> str:
    """Return an xsd:integer of any size; raises ValueError for other text."""
    if not re.fullmatch(r"[+-]?\d+", text, re.ASCII):
        raise ValueError(f'"{text}" is not a whole number{number_hint(text)}')
    sign = "-" if text[0] == "-" else ""
    digits = text.lstrip("+-").lstrip("0") or "0"
    if len(digits) > 18 or digits == "0":
        return _stored(sign + digits, "integer")
    return f'"{sign}{digits}"{INTEGER}'


def decimal(text: str) -> str:
    """Return an xsd:decimal for a number in a table, which may have an exponent.

    Raises ValueError for other text.
    """
    found = _PLAIN_DECIMAL.fullmatch(text)
    if found:
        sign, whole, fraction = found.groups()
        fraction = fraction.rstrip("0") if fraction else ""
        if fraction:
            return f'"{sign}{whole}.{fraction}"{DECIMAL}'
        return f'"{sign if whole != "0" else ""}{whole}"{DECIMAL}'
    return _odd_decimal(text)


@cache
def _odd_decimal(text: str) -> str:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f'"{text}" is not a number{number_hint(text)}') from None
    if not value.is_finite() or abs(value.adjusted()) > _EXPONENT_LIMIT:
        raise ValueError(f'"{text}" is not a number that can be stored')
    return _stored(f"{value:f}", "decimal")


@lru_cache(maxsize=100_000)
def typed(text: str, datatype: str) -> str:
    """Return a literal of an XML Schema datatype, given as an IRI, in the engine's form."""
    return _stored(text, datatype.removeprefix(_XSD))


def _stored(text: str, datatype: str) -> str:
    """Return a literal as the engine stores it; it keeps the lexical form of types it does not know."""
    store = pyoxigraph.Store()
    node = NamedNode("urn:x")
    literal = pyoxigraph.Literal(text, datatype=NamedNode(_XSD + datatype))
    store.add(pyoxigraph.Quad(node, node, literal))
    return str(next(iter(store)).object)
