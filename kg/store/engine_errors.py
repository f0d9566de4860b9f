"""Error messages of the embedded engine, as errors of our tree with advice."""

from __future__ import annotations

import re
from typing import Final, Literal

from kg.errors import (
    ConflictError,
    DiplographError,
    DiskFullError,
    ParameterError,
    QuerySyntaxError,
    RequestError,
    StoreFailedError,
    UnknownNameError,
    is_disk_full,
)
from kg.sparql.text import request_kind, undeclared_prefix
from kg.terms import PREFIXES

_PLACED: Final = re.compile(r"error at (\d+):(\d+): expected (?:one of )?(.*)", re.DOTALL)
# Quoted tokens, then character classes (left out), then keywords and sentences.
_EXPECTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|\[[^\]]*\](?:\])?|([A-Za-z][^,"\[]*)')
_SHOWN: Final = 8
_FREE_SPACE: Final = "Free space on the disk; the server needs no restart."


def explain_syntax(text: str, message: str, wanted: Literal["query", "update"]) -> QuerySyntaxError:
    """Build an error with line, column and advice from the engine's message about a text.

    `wanted` is what the text should have been.
    """
    if not text.strip():
        return QuerySyntaxError(f"the {wanted} is empty", mend="Write some SPARQL.")
    match = _PLACED.match(message)
    line, column = (int(match.group(1)), int(match.group(2))) if match else (None, None)
    kind = request_kind(text)
    if kind is not None and kind != wanted:
        return QuerySyntaxError(
            f"this is {_named(kind)}, sent as {_named(wanted)}",
            mend="Send it to /update, with the token." if kind == "update" else "Send it to /sparql.",
            line=line,
            column=column,
        )
    if lacking := undeclared_prefix(text):
        prefix, line, column = lacking
        return QuerySyntaxError(
            f"the prefix {prefix}: is not declared", mend=_declare(prefix), line=line, column=column
        )
    if match is None or line is None or column is None:
        return QuerySyntaxError(message, mend=_ADVICE[wanted])
    found, listed = _found(text, line, column), _expected(match.group(3))
    sentence = next((item for item in listed if " " in item), "")
    if sentence:
        detail = sentence if sentence[1].isupper() else sentence[0].lower() + sentence[1:]
    else:
        detail = f"unexpected {found}"
        if listed:
            more = " and more" if len(listed) > _SHOWN else ""
            detail += f"; expected {'one of ' if len(listed) > 1 else ''}{' '.join(listed[:_SHOWN])}{more}"
    return QuerySyntaxError(detail, mend=_ADVICE[wanted], line=line, column=column)


def explain_failure(message: str) -> DiplographError:
    """Build an error of our tree from the engine's message about a request that failed."""
    if name := unknown_function(message):
        return RequestError(
            f"the store does not know the function <{name}>, and refuses the whole text for it",
            mend="Use the functions of SPARQL 1.1, or those of xsd: to cast.",
        )
    if match := re.fullmatch(r"The graph <(.*)> does not exist", message):
        return UnknownNameError(
            f"there is no graph <{match.group(1)}>", mend="List the graphs that exist, or write SILENT."
        )
    if match := re.fullmatch(r"The graph <(.*)> already exists", message):
        return ConflictError(
            f"the graph <{match.group(1)}> exists already", mend="Use another name, or write SILENT."
        )
    if match := re.match(r"Invalid base IRI '(.*?)'", message):
        return ParameterError(
            f"relative IRIs cannot be resolved against <{match.group(1)}>", mend="Write IRIs in full."
        )
    if is_disk_full(RuntimeError(message)):
        return disk_full(message)
    return StoreFailedError(
        f"the engine failed: {message}", mend="Try again; if it fails again, check the disk of the store."
    )


def disk_full(message: str, where: str | None = None) -> DiskFullError:
    """Build the error for the engine's message that the disk is full."""
    return DiskFullError(f"the disk of the store is full: {message}", where=where, mend=_FREE_SPACE)


def unknown_function(message: str) -> str | None:
    """Return the IRI of the function that the engine does not know, by its message; None for another."""
    match = re.fullmatch(r"The custom function <(.*)> is not supported", message)
    return match[1] if match else None


_ADVICE: Final = {
    "query": "Check just before it for a missing bracket, dot or quote. After its PREFIX lines a "
    "query begins with SELECT, ASK, CONSTRUCT or DESCRIBE.",
    "update": "Check just before it for a missing bracket, dot, semicolon or quote. After its PREFIX "
    "lines an update begins with INSERT, DELETE, WITH, LOAD, CLEAR, CREATE, DROP, COPY, MOVE or ADD.",
}


def _named(kind: Literal["query", "update"]) -> str:
    return "a query" if kind == "query" else "an update"


def _declare(prefix: str) -> str:
    if prefix in ("http", "https", "urn"):
        return f"An IRI is written between < and >, as <{prefix}:…>."
    if prefix in PREFIXES:
        return f"Add this line at the top: PREFIX {prefix}: <{PREFIXES[prefix]}>"
    return f"Declare it in a line at the top: PREFIX {prefix}: <…>"


def _expected(text: str) -> list[str]:
    items = (match.group(1) or (match.group(2) or "").strip() for match in _EXPECTED.finditer(text))
    return list(dict.fromkeys(item.replace('\\"', '"') for item in items if item))


def _found(text: str, line: int, column: int) -> str:
    lines = re.split(r"\r\n|\n|\r", text)
    rest = "\n".join([lines[line - 1][column - 1 :], *lines[line:]]).lstrip() if line <= len(lines) else ""
    return f"'{rest.split()[0][:40]}'" if rest else "end of the text"
