"""Booleans that an engine computes as the integers 1 and 0: found in the query, corrected in the result."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from kg.sparql.lexer import Token, read_tokens

# Functions whose result is always a boolean (SPARQL 1.1 Query section 17.4).
_TESTS: Final = frozenset(
    {"bound", "contains", "isblank", "isiri", "isliteral", "isnumeric", "isuri", "langmatches", "regex"}
    | {"sameterm", "strends", "strstarts"}
)
_COMPARES: Final = frozenset({"=", "<", ">", "in"})
# Functions that return one of their arguments.
_PASSES: Final = frozenset({"min", "max", "sample"})
_OPENING: Final = {"(": 1, "{": 1, ")": -1, "}": -1}
_END: Final = b"</binding>"


def boolean_variables(query: str) -> frozenset[str]:
    """Return the variables of a query, without question mark, to which only booleans are assigned."""
    assigned = _assignments(query)
    known: frozenset[str] = frozenset()
    while True:
        found = {name for name, expression in assigned if _is_boolean(expression, known)}
        found -= {name for name, expression in assigned if not _is_boolean(expression, known)}
        if found <= known:
            return known
        known = frozenset(found)


def with_booleans(pieces: Iterable[bytes], names: Iterable[str]) -> Iterator[bytes]:
    """Yield a result in SPARQL Query Results XML Format with the integers of some columns as booleans."""
    one = b"|".join(re.escape(name.encode()) for name in sorted(names))
    number = re.compile(
        rb'(<binding name="(?:%s)">\s*<literal datatype="http://www\.w3\.org/2001/XMLSchema#)integer">([01])<'
        % one
    )

    def mend(found: re.Match[bytes]) -> bytes:
        return found[1] + b'boolean">' + (b"true<" if found[2] == b"1" else b"false<")

    held = b""
    for piece in pieces:
        # A binding may be split between two pieces.
        whole, ends, held = (held + piece).rpartition(_END)
        if whole:
            yield number.sub(mend, whole + ends)
    if held:
        yield held


def _assignments(query: str) -> list[tuple[str, list[Token]]]:
    """Return the name and tokens of each `(expression AS ?name)`."""
    found: list[tuple[str, list[Token]]] = []
    open_at: list[int] = []
    tokens = list(read_tokens(query))
    for number, token in enumerate(tokens):
        if token.word == "(":
            open_at.append(number)
        elif token.word == ")" and open_at:
            open_at.pop()
        elif token.word == "as" and open_at and tokens[number + 1 : number + 2]:
            found.append((tokens[number + 1].text[1:], tokens[open_at[-1] + 1 : number]))
    return found


def _is_boolean(tokens: Sequence[Token], known: frozenset[str]) -> bool:
    """Return whether an expression is a boolean; `known` are variables that hold one."""
    if not tokens:
        return False
    first, rest = tokens[0], tokens[1:]
    if first.word in ("!", "exists", "not") or _compares(tokens):
        return True
    if not rest:
        return first.word in ("true", "false") or (first.kind == "variable" and first.text[1:] in known)
    if first.word == "(":
        return _closes(tokens) and _is_boolean(tokens[1:-1], known)
    if not _closes(rest):
        return False
    arguments = _arguments(rest[1:-1])
    if first.word == "if":
        return all(_is_boolean(argument, known) for argument in arguments[1:])
    if first.word == "coalesce":
        return all(_is_boolean(argument, known) for argument in arguments)
    return first.word in _TESTS or (first.word in _PASSES and _is_boolean(rest[1:-1], known))


def _compares(tokens: Sequence[Token]) -> bool:
    """Return whether an expression has a comparison, `||` or `&&` outside of all brackets."""
    depth = 0
    for number, token in enumerate(tokens):
        depth += _OPENING.get(token.word, 0)
        both = token.word in ("|", "&") and tokens[number - 1].word == token.word
        if depth == 0 and (token.word in _COMPARES or both):
            return True
    return False


def _closes(tokens: Sequence[Token]) -> bool:
    """Return whether the first token is a bracket that the last one closes."""
    depth = 0
    for number, token in enumerate(tokens):
        depth += _OPENING.get(token.word, 0)
        if depth == 0:
            return token.word == ")" and number == len(tokens) - 1
    return False


def _arguments(tokens: Sequence[Token]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += _OPENING.get(token.word, 0)
        if depth == 0 and token.word == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    return parts
