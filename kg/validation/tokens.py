"""Terms as N-Triples writes them (bytes): what kind they are, what they say, how they compare."""

from __future__ import annotations

import logging
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import pyoxigraph
from pyoxigraph import RdfFormat

from kg.lazy import Late
from kg.terms import PREFIXES, compact

if TYPE_CHECKING:
    import rdflib
else:
    rdflib = Late("rdflib")

# rdflib prints a traceback for every literal that is none of its datatype; here each is a finding.
logging.getLogger("rdflib.term").addFilter(
    lambda record: not record.getMessage().startswith("Failed to convert Literal lexical form")
)

TYPE: Final = f"<{PREFIXES['rdf']}type>".encode()
SUBCLASS: Final = f"<{PREFIXES['rdfs']}subClassOf>".encode()
_STRING: Final = f"<{PREFIXES['xsd']}string>".encode()
_LANG_STRING: Final = f"<{PREFIXES['rdf']}langString>".encode()
_NUMBERS: Final = (int, float, Decimal)
_QUOTE: Final = ord('"')
_CLOSE: Final = ord(">")


def split(line: bytes) -> tuple[bytes, bytes, bytes]:
    """Give subject, predicate and object of a line of N-Triples."""
    subject, predicate, rest = line.split(b" ", 2)
    return subject, predicate, rest[:-3]


def is_iri(token: bytes) -> bool:
    """Tell whether it is an IRI."""
    return token[:1] == b"<"


def is_literal(token: bytes) -> bool:
    """Tell whether it is a literal."""
    return token[:1] == b'"'


def is_typed(token: bytes) -> bool:
    """Tell whether it is a literal that names its datatype."""
    return token[0] == _QUOTE and token[-1] == _CLOSE


def datatype_of(token: bytes) -> bytes | None:
    """Give the datatype of a literal, None for what is none."""
    if not is_literal(token):
        return None
    if token[-1] == _QUOTE:
        return _STRING
    return token[token.rindex(b'"^^<') + 3 :] if token[-1] == _CLOSE else _LANG_STRING


def language_of(token: bytes) -> bytes | None:
    """Give the language of a literal, None where it has none."""
    if datatype_of(token) != _LANG_STRING:
        return None
    return token[token.rindex(b'"@') + 2 :]


def text_of(token: bytes) -> str:
    """Give an IRI without its brackets, a literal's text, a blank node's label."""
    if is_iri(token):
        return token[1:-1].decode()
    if not is_literal(token):
        return token.decode().removeprefix("_:")
    if b"\\" not in token:
        return token[1 : token.rindex(b'"')].decode()
    return _unescaped(token)


def show(token: bytes) -> str:
    """Write a term for people: prefixed names, literals in quotes with their datatype or language."""
    if not is_literal(token):
        return compact(text_of(token))
    text = f'"{text_of(token)}"'
    language = language_of(token)
    if language is not None:
        return f"{text}@{language.decode()}"
    return f"{text}^^{compact((datatype_of(token) or b'')[1:-1].decode())}"


def datatype_name(token: bytes) -> str:
    """Give the prefixed name of a literal's datatype."""
    return compact((datatype_of(token) or b"")[1:-1].decode())


@lru_cache(maxsize=50_000)
def is_ill_typed(token: bytes) -> bool:
    """Tell whether a literal's text is no value of its datatype (RDF 1.1 Concepts section 3.3)."""
    return is_typed(token) and _literal(token).ill_typed is True


@lru_cache(maxsize=50_000)
def order(one: bytes, other: bytes) -> int | None:
    """Compare two values: below 0 where the first is less; None for what has no order (SHACL section 4.5)."""
    if is_literal(one) != is_literal(other):
        return None
    if not is_literal(one):
        return (one > other) - (one < other)
    left, right = _literal(one), _literal(other)
    numbers = isinstance(left.value, _NUMBERS) and isinstance(right.value, _NUMBERS)
    if not numbers and left.datatype != right.datatype:
        return None  # SPARQL 1.1 section 17.3 has no operator for them
    try:
        if left.eq(right):
            return 0
        return 1 if left.value > right.value else -1
    except (TypeError, NotImplementedError):
        return None


def _unescaped(token: bytes) -> str:
    line = b"<a:a> <a:a> " + token + b" ."
    for quad in pyoxigraph.parse(line, format=RdfFormat.N_TRIPLES):
        return str(getattr(quad.object, "value", ""))
    return ""


def _literal(token: bytes) -> rdflib.Literal:
    language = language_of(token)
    if language is not None:
        return rdflib.Literal(text_of(token), lang=language.decode())
    datatype = (datatype_of(token) or b"")[1:-1].decode()
    return rdflib.Literal(text_of(token), datatype=rdflib.URIRef(datatype), normalize=False)
