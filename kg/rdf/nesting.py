"""Documents that are nested too deep: the parser recurses, and some 20,000 levels end the process."""

from __future__ import annotations

import re
from typing import Final

from kg.rdf.content import Content

DEPTH: Final = 200

# Strings, IRIs and comments of Turtle and its kin (Turtle 1.1 section 6.5), so that what is left is syntax.
TURTLE_TOKEN: Final = re.compile(
    rb'"""(?:[^"\\]|\\.|"(?!""))*"""|'
    rb"'''(?:[^'\\]|\\.|'(?!''))*'''|"
    rb'"(?:[^"\\\n]|\\.)*"|' + rb"'(?:[^'\\\n]|\\.)*'|<[^<>\s]*>|\#[^\n]*|<<|>>",
    re.DOTALL,
)
_JSON_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{\]}]', re.DOTALL)
_OPENING: Final = (b"[", b"{", b"<<")
_CLOSING: Final = (b"]", b"}", b">>")


def refuse_deep_json(content: Content) -> None:
    """Refuse JSON of more than 200 levels; raises DataSyntaxError with its place."""
    _refuse(content, _JSON_TOKEN)


def refuse_deep_terms(content: Content) -> None:
    """Refuse triple terms (RDF 1.2) of more than 200 levels; raises DataSyntaxError with their place."""
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
                    f"it is nested more than {DEPTH} deep",
                    "Write the parts side by side, with references to one another.",
                    found.start(),
                )
