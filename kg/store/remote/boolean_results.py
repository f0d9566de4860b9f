"""Truth values that an engine computes as the integers 1 and 0: where a query asks for them, and mending."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from kg.sparql.lexer import Token, read_tokens

# SPARQL 1.1 section 17.4: what gives a truth value whatever it is given.
_TESTS: Final = frozenset(
    {"bound", "contains", "isblank", "isiri", "isliteral", "isnumeric", "isuri", "langmatches", "regex"}
    | {"sameterm", "strends", "strstarts"}
)
_COMPARES: Final = frozenset({"=", "<", ">", "in"})
# What hands one of the values on that it is given.
_PASSES: Final = frozenset({"min", "max", "sample"})
_OPENING: Final = {"(": 1, "{": 1, ")": -1, "}": -1}
_END: Final = b"</binding>"


def truth_variables(query: str) -> frozenset[str]:
    """Name the variables of a query, without question mark, to which nothing but truth values is assigned."""
    assigned = _assignments(query)
    known: frozenset[str] = frozenset()
    while True:
        found = {name for name, expression in assigned if _is_truth(expression, known)}
        found -= {name for name, expression in assigned if not _is_truth(expression, known)}
        if found <= known:
            return known
        known = frozenset(found)


def with_truths(pieces: Iterable[bytes], names: Iterable[str]) -> Iterator[bytes]:
    """Pass on a result in SPARQL Query Results XML Format, the integers of some columns as truth values."""
    one = b"|".join(re.escape(name.encode()) for name in sorted(names))
    number = re.compile(
        rb'(<binding name="(?:%s)">\s*<literal datatype="http://www\.w3\.org/2001/XMLSchema#)integer">([01])<'
        % one
    )

    def mend(found: re.Match[bytes]) -> bytes:
        return found[1] + b'boolean">' + (b"true<" if found[2] == b"1" else b"false<")

    held = b""
    for piece in pieces:
        # A binding may come in two pieces.
        whole, ends, held = (held + piece).rpartition(_END)
        if whole:
            yield number.sub(mend, whole + ends)
    if held:
        yield held


def _assignments(query: str) -> list[tuple[str, list[Token]]]:
    """Find each `(expression AS ?name)`."""
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


def _is_truth(tokens: Sequence[Token], known: frozenset[str]) -> bool:
    """Tell whether an expression gives a truth value; `known` are variables that hold one."""
    if not tokens:
        return False
    first, rest = tokens[0], tokens[1:]
    if first.word in ("!", "exists", "not") or _compares(tokens):
        return True
    if not rest:
        return first.word in ("true", "false") or (first.kind == "variable" and first.text[1:] in known)
    if first.word == "(":
        return _closes(tokens) and _is_truth(tokens[1:-1], known)
    if not _closes(rest):
        return False
    arguments = _arguments(rest[1:-1])
    if first.word == "if":
        return all(_is_truth(argument, known) for argument in arguments[1:])
    if first.word == "coalesce":
        return all(_is_truth(argument, known) for argument in arguments)
    return first.word in _TESTS or (first.word in _PASSES and _is_truth(rest[1:-1], known))


def _compares(tokens: Sequence[Token]) -> bool:
    """Tell whether an expression compares, or joins truth values, outside of all brackets."""
    depth = 0
    for number, token in enumerate(tokens):
        depth += _OPENING.get(token.word, 0)
        both = token.word in ("|", "&") and tokens[number - 1].word == token.word
        if depth == 0 and (token.word in _COMPARES or both):
            return True
    return False


def _closes(tokens: Sequence[Token]) -> bool:
    """Tell whether the bracket that begins something ends it."""
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
