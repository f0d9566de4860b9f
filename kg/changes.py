"""What a commit or an undo changed, for what follows the graph: the search index, the entailments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

from pyoxigraph import NamedNode, Triple


class Batch(NamedTuple):
    """Some triples as lines of N-Triples or N-Quads, one space between terms.

    The last `end` bytes of each line are not of its triple (the graph, the full stop).
    """

    lines: list[bytes]
    end: int


Statements = Iterator[Batch]

_BATCH: Final = 5_000


@dataclass(frozen=True)
class Change:
    """The triples that entered and left one named graph; each call reads them from the beginning.

    `added_text` and `removed_text` give the same as text, where it is at hand: an object for each of a
    million triples costs more than what follows them.
    """

    graph: NamedNode
    added: Callable[[], Iterator[Triple]]
    removed: Callable[[], Iterator[Triple]]
    added_text: Callable[[], Statements] | None = None
    removed_text: Callable[[], Statements] | None = None

    def statements(self, *, gone: bool) -> Statements:
        """Give the triples that left (`gone`), else those that entered, as text."""
        text = self.removed_text if gone else self.added_text
        if text is not None:
            yield from text()
            return
        triples = self.removed() if gone else self.added()
        while lines := [f"{triple} .".encode() for triple in islice(triples, _BATCH)]:
            yield Batch(lines, 2)
