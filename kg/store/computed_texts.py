"""Extends updates that compute texts, so that they fail instead of storing a text that is too long."""

from __future__ import annotations

import re
from typing import Any, Final

from pyoxigraph import Literal, NamedNode

from kg.errors import TooLargeError
from kg.rdf.literals import is_too_long
from kg.settings import LITERAL_LIMIT
from kg.sparql.guard import too_long
from kg.sparql.lexer import END, place, read_tokens

FUNCTION: Final = NamedNode("urn:x-diplograph:too-long")
"""The function that the engine needs for these updates: `is_long`."""
# What makes a text longer than those that it is made of, or fetches one.
_GROWING: Final = re.compile("concat|replace|encode_for_uri|ucase|lcase|service", re.IGNORECASE)
_MARK: Final = re.compile(rf"<{FUNCTION.value}/(\d+)>")


def is_long(term: Any) -> Literal | None:
    """Return true for a literal or IRI that is too long, no value for another term."""
    return Literal(True) if isinstance(term, Literal | NamedNode) and is_too_long(term) else None


def refusing_long_texts(update: str) -> str:
    """Return an update that fails as a whole if it would store a computed term that is too long.

    Each operation that may do so then marks it by a triple in a graph of its own, and creating a graph that
    exists is an error (SPARQL 1.1 Update section 3.2.1).
    """
    if not (_GROWING.search(update) and "where" in update.lower()):
        return update
    edits: list[tuple[int, str]] = []
    marks: list[str] = []
    depth = opened = template_end = 0
    block, growing = "", -1
    variables: dict[str, None] = {}
    before = END
    flag = "?tooLong"
    while flag in update:
        flag += "_"
    for token in read_tokens(update):
        if depth == 0 and token.word == ";":
            growing, variables = -1, {}
        elif depth == 0 and token.nesting == 1:
            opened, block = token.end, before.word
        elif depth and block.endswith("insert") and token.kind == "variable":
            variables[token.text] = None
        elif depth and growing < 0 and token.kind == "word" and _GROWING.search(token.text):
            growing = token.start
        depth += token.nesting
        if depth == 0 and token.nesting == -1 and block.endswith("insert"):
            template_end = token.start
        elif depth == 0 and token.nesting == -1 and variables and growing >= 0:
            mark = f"<{FUNCTION.value}/{growing}>"
            marks.append(mark)
            # A character has six bytes at most; the engine counts characters faster.
            size = LITERAL_LIMIT // 6
            tests = " || ".join(f"STRLEN(STR({v})) > {size} && {FUNCTION}({v})" for v in variables)
            edits += [
                (template_end, f" GRAPH {mark} {{ {mark} {mark} {flag} }} "),
                (opened, " {"),
                (token.start, f"}} BIND(IF({tests}, true, 1/0) AS {flag}) "),
            ]
        before = token
    if not marks:
        return update
    ends = "".join(f" ;\nCREATE GRAPH {mark} ;\nDROP GRAPH {mark}" for mark in marks)
    edits.append((len(update), "\n" + (ends.removeprefix(" ;") if before.word == ";" else ends)))
    pieces, copied = [], 0
    for at, text in edits:
        pieces += [update[copied:at], text]
        copied = at
    return "".join(pieces)


def explain_long_text(update: str, message: str) -> TooLargeError | None:
    """Return the error for an engine's message that names a mark of `refusing_long_texts`, else None."""
    marked = _MARK.search(message)
    return too_long(*place(update, int(marked[1]))) if marked else None
