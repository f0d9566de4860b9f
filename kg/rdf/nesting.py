"""Refuses documents nested so deeply that a recursive parser would end the process (some 20,000 levels)."""

from __future__ import annotations

import re
from typing import Final

from kg.rdf.content import Content

DEPTH: Final = 200

# Strings, IRIs and comments of Turtle and related formats (Turtle 1.1 section 6.5); the rest is syntax.
TURTLE_TOKEN: Final = re.compile(
    rb'"""(?:[^"\\]|\\.|"(?!""))*"""|'
    rb"'''(?:[^'\\]|\\.|'(?!''))*'''|"
    rb'"(?:[^"\\\n]|\\.)*"|' + rb"'(?:[^'\\\n]|\\.)*'|<[^<>\s]*>|\#[^\n]*|<<|>>",
    re.DOTALL,
)
_JSON_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{\]}]', re.DOTALL)
_BRACKET: Final = re.compile(TURTLE_TOKEN.pattern + rb"|[\[\](){}]", re.DOTALL)
_OTHER: Final = bytes(set(range(256)) - set(b"[](){}"))
_OPENING: Final = (b"[", b"(", b"{", b"<<")
_CLOSING: Final = (b"]", b")", b"}", b">>")
_CHUNK: Final = 16 * 1024**2
_ROUNDS: Final = 16


def refuse_deep_json(content: Content) -> None:
    """Raise DataSyntaxError, with position, for JSON of more than 200 levels."""
    _refuse(content, _JSON_TOKEN)


def refuse_deep_turtle(content: Content) -> None:
    """Raise DataSyntaxError, with position, for Turtle or TriG of more than 200 levels."""
    with content.view() as view:
        pieces = (bytes(view[at : at + _CHUNK]) for at in range(0, len(view), _CHUNK))
        brackets = b"".join(piece.translate(None, _OTHER) for piece in pieces)
    # Most documents are known to be shallow without their tokens: pairs are taken out, level by level. What
    # is left may be brackets in strings.
    for _ in range(_ROUNDS):
        before = len(brackets)
        for pair in (b"[]", b"()", b"{}"):
            brackets = brackets.replace(pair, b"")
        if len(brackets) == before:
            break
    if len(brackets) > DEPTH:
        _refuse(content, _BRACKET)


def refuse_deep_terms(content: Content) -> None:
    """Raise DataSyntaxError, with position, for triple terms (RDF 1.2) of more than 200 levels."""
    with content.view() as view:
        has_terms = view.find(b"<<") >= 0
    if has_terms:
        _refuse(content, TURTLE_TOKEN)


def _refuse(content: Content, token: re.Pattern[bytes]) -> None:
    depth = 0
    with content.view() as view:
        for found in token.finditer(view):
            word = found.group()
            depth += (word in _OPENING) - (word in _CLOSING)
            if depth > DEPTH:
                raise content.fault(
                    f"it is nested more than {DEPTH} levels deep",
                    "Write the parts one after the other, with references between them.",
                    found.start(),
                )
