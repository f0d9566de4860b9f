"""The grammar of SPARQL asked of our own engine, for engines elsewhere that do not say where a text is wrong.

Run as `python -m kg.store.remote.syntax_check query` or `update` with the text on standard input: writes the
engine's
message where the text is malformed. It is a process of its own because to read a text, the engine carries it
out, on nothing; a text made to keep it busy is stopped.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final, Literal

import pyoxigraph

from kg.errors import QuerySyntaxError
from kg.store.engine_errors import explain_syntax

_PATIENCE: Final = 10.0


def syntax_error(text: str, wanted: Literal["query", "update"]) -> QuerySyntaxError | None:
    """Find what is malformed in a text; None where nothing is, or where it takes too long to tell."""
    try:
        told = subprocess.run(
            [sys.executable, "-m", "kg.store.remote.syntax_check", wanted],
            input=text.encode("utf-8", "replace"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
            cwd=Path(__file__).parents[3],
        ).stdout.decode()
    except subprocess.TimeoutExpired:
        return None
    return explain_syntax(text, told, wanted) if told else None


def main(wanted: str) -> None:
    """Write the engine's message about the text on standard input."""
    text = sys.stdin.buffer.read().decode()
    store = pyoxigraph.Store()
    try:
        if wanted == "query":
            store.query(text)
        else:
            store.update(text)
    except SyntaxError as error:
        sys.stdout.write(str(error))
    except (OSError, RuntimeError, ValueError):
        pass  # Well-formed; what else is wrong with it is not asked here.


if __name__ == "__main__":
    main(sys.argv[1])
