"""The parts of a request that a store elsewhere has to know: what it begins with, and its FROM clauses."""

from __future__ import annotations

from typing import Final, Literal

from kg.sparql.text import read_tokens

_PROLOGUE: Final = frozenset({"prefix", "base", "version"})
_QUERY: Final = frozenset({"select", "ask", "construct", "describe"})
_UPDATE: Final = frozenset(
    {"insert", "delete", "load", "clear", "create", "drop", "copy", "move", "add", "with"}
)


def opening(text: str) -> str:
    """Give the first word after the prologue in lower case; empty where there is none."""
    for token in read_tokens(text):
        if token.kind not in ("name", "iri", "string") and token.word not in _PROLOGUE:
            return token.word
    return ""


def is_kind(text: str, wanted: Literal["query", "update"]) -> bool:
    """Tell whether a text begins as a query, or an update, does after the prologue, and with nothing else."""
    return opening(text) in (_QUERY if wanted == "query" else _UPDATE)


def query_form(text: str) -> str | None:
    """Tell whether a query is a `select`, `ask`, `construct` or `describe`."""
    return next((token.word for token in read_tokens(text) if token.word in _QUERY), None)


def dataset_clauses(query: str) -> list[tuple[int, int, bool]]:
    """Find the FROM clauses of a query: where each begins and ends, and whether it is FROM NAMED."""
    found: list[tuple[int, int, bool]] = []
    opened: int | None = None
    named = False
    for token in read_tokens(query):
        if token.text == "{":
            break
        if token.word in ("from", "fromnamed"):
            opened, named = token.start, token.word == "fromnamed"
        elif opened is not None and token.word == "named":
            named = True
        elif opened is not None and token.kind in ("iri", "name"):
            found.append((opened, token.end, named))
            opened = None
    return found
