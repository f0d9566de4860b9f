"""Changes by a commit or an undo, for the search index and the entailments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pyoxigraph import NamedNode


class Batch(NamedTuple):
    """Triples as lines of N-Triples or N-Quads, with single spaces between terms.

    The last `end` bytes of each line (graph and full stop) are not part of the triple.
    """

    lines: list[bytes]
    end: int


Statements = Iterator[Batch]


@dataclass(frozen=True)
class Change:
    """The statements added to and removed from one named graph; each call reads them from the beginning.

    They are text, because creating a million triple objects costs more than processing them.
    """

    graph: NamedNode
    added: Callable[[], Statements]
    removed: Callable[[], Statements]
