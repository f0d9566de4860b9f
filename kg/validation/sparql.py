"""Questions of shapes in SPARQL (SHACL section 5), asked once for many nodes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import pyoxigraph
from pyoxigraph import RdfFormat, Store

_PREFIXED: Final = re.compile(r"(?<![\w?$])([a-z]+):(\w+)")


class Query:
    """A SELECT that gives `$this` and `?value` where something is wrong.

    It binds `$this` in its outermost pattern, so that asking it once for all nodes gives what asking it for
    each of them would. `predicates` are the properties that it names: nothing else has to be known.
    """

    def __init__(self, select: str, prefixes: Mapping[str, str]) -> None:
        self._select = select
        self._prefixes = dict(prefixes)
        self.predicates = frozenset(
            f"<{prefixes[prefix]}{name}>".encode()
            for prefix, name in _PREFIXED.findall(select)
            if prefix in prefixes
        )

    def ask(self, statements: Iterable[tuple[bytes, bytes, bytes]]) -> Iterator[tuple[bytes, bytes | None]]:
        """Ask it of some statements; gives node and value of each answer."""
        store = Store()
        lines = b"".join(b" ".join((*statement, b".\n")) for statement in statements)
        store.load(lines, format=RdfFormat.N_TRIPLES)
        answer = store.query(self._select, prefixes=self._prefixes)
        assert isinstance(answer, pyoxigraph.QuerySolutions)  # noqa: S101
        for row in answer:
            value = row["value"]
            yield str(row["this"]).encode(), None if value is None else str(value).encode()
