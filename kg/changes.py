"""What a commit or an undo changed, for what follows the graph: the search index, the entailments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pyoxigraph import NamedNode, Triple


@dataclass(frozen=True)
class Change:
    """The triples that entered and left one named graph; each call reads them from the beginning."""

    graph: NamedNode
    added: Callable[[], Iterator[Triple]]
    removed: Callable[[], Iterator[Triple]]
