"""Updates that name addresses which this server must not fetch: the standard's answer to each of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import pyoxigraph

from kg.errors import QueryRefusedError
from kg.sparql.guard import FETCHING, refuse_remote_access, without_silent_loads
from kg.sparql.lexer import ESCAPED
from kg.sparql.text import first_operation
from kg.store.engine_errors import explain_syntax

# An operation that fails: the engine reads the whole text before it, and carries out nothing after it.
_FAILING: Final = "\nDROP GRAPH <urn:x-diplograph:none> ;\n"
_PLACED: Final = re.compile(r"error at (\d+):(\d+)")


def permitted(update: str, allowed: Sequence[str], base_iri: str) -> str:
    """Return an update without the LOAD SILENT of each address that is not allowed.

    A silent LOAD that fails is a success without effect (SPARQL 1.1 Update section 3.1.4). Raises
    QuerySyntaxError for a malformed text, and QueryRefusedError for another fetch.
    """
    try:
        refuse_remote_access(update, allowed)
    except QueryRefusedError:
        _refuse_malformed(update, base_iri)
        update = without_silent_loads(update, allowed)
        refuse_remote_access(update, allowed)
    return update


def _refuse_malformed(update: str, base_iri: str) -> None:
    line, column, start = first_operation(update)
    if ESCAPED.search(update) or FETCHING.search(update, 0, start):
        return  # What the engine reads first may be another operation.

    def moved(place: re.Match[str]) -> str:
        at_line, at_column = int(place[1]), int(place[2])
        if at_line > line:
            at_line -= 2
            at_column += column - 1 if at_line == line else 0
        return f"error at {at_line}:{at_column}"

    text = update[:start] + _FAILING + update[start:]
    try:
        pyoxigraph.Store().update(text, base_iri=base_iri or None)
    except SyntaxError as error:
        raise explain_syntax(update, _PLACED.sub(moved, str(error), count=1), "update") from None
    except (OSError, RuntimeError, ValueError):
        return
