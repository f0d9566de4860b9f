"""Changes by a commit or an undo, for the search index and the entailments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

from pyoxigraph import NamedNode, Triple


class Batch(NamedTuple):
    """Triples as lines of N-Triples or N-Quads, with single spaces between terms.

    The last `end` bytes of each line (graph and full stop) are not part of the triple.
    """

    lines: list[bytes]
    end: int


Statements = Iterator[Batch]

_BATCH: Final = 5_000


@dataclass(frozen=True)
class Change:
    """The triples added to and removed from one named graph; each call reads them from the beginning.

    `added_text` and `removed_text` return them as text, if available: creating a million triple objects costs
    more than processing them.
    """

    graph: NamedNode
    added: Callable[[], Iterator[Triple]]
    removed: Callable[[], Iterator[Triple]]
    added_text: Callable[[], Statements] | None = None
    removed_text: Callable[[], Statements] | None = None

    def statements(self, *, gone: bool) -> Statements:
        """Yield the removed triples (`gone`), else the added ones, as text."""
        text = self.removed_text if gone else self.added_text
        if text is not None:
            yield from text()
            return
        triples = self.removed() if gone else self.added()
        while lines := [f"{triple} .".encode() for triple in islice(triples, _BATCH)]:
            yield Batch(lines, 2)
