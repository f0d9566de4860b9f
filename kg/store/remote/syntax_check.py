"""Syntax check of SPARQL by our own engine, for engines elsewhere that do not say where a text is wrong.

It runs in a process of its own, because the engine carries a text out to read it: on an empty store, but a
text can still be written to keep it busy.
"""

from __future__ import annotations

from multiprocessing.connection import Connection
from typing import Final, Literal

import pyoxigraph

from kg.errors import QuerySyntaxError
from kg.processes import end, start_connected
from kg.store.engine_errors import explain_syntax

_TIME: Final = 10.0


def syntax_error(text: str, wanted: Literal["query", "update"]) -> QuerySyntaxError | None:
    """Return the error in a malformed text; None if there is none, or if the check takes too long."""
    process, connection = start_connected(_check, text, wanted)
    with connection:
        try:
            message: str = connection.recv() if connection.poll(_TIME) else ""
        except (EOFError, OSError):
            message = ""
        end(process)
    return explain_syntax(text, message, wanted) if message else None


def _check(connection: Connection, text: str, wanted: str) -> None:
    """Send the engine's message about a malformed text, or an empty one."""
    store = pyoxigraph.Store()
    message = ""
    try:
        if wanted == "query":
            store.query(text)
        else:
            store.update(text)
    except SyntaxError as error:
        message = str(error)
    except (OSError, RuntimeError, ValueError):
        pass  # The text is well-formed; other errors do not matter here.
    connection.send(message)
