"""What the tool asks of a store."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from pyoxigraph import NamedNode, Quad

from kg.store.answer import Answer

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class QueryDataset:
    """The RDF dataset that a request asks for, as graph IRIs (SPARQL 1.1 Protocol 2.1.4).

    Both empty: the default graph is the union of all graphs, and every named graph can be named. As soon as
    one is given it replaces the query's own FROM clauses, and what it leaves out is empty.
    """

    default: tuple[str, ...] = ()
    named: tuple[str, ...] = ()


UNION = QueryDataset()

UNNAMED = "urn:x-diplograph:unnamed-graph"
"""Stands in a `QueryDataset` for the unnamed graph alone, which updates mean outside of GRAPH."""


def settle(store: Store) -> None:
    """Have a store's version count every commit, before it is compared with another and a write follows."""
    getattr(store, "settle", _at_once)()


def _at_once() -> None:
    """Most stores count a commit when it is done."""


class Store(Protocol):
    """Quads that can be asked and changed. Every change is atomic; readers see it whole or not at all."""

    def query(self, text: str, dataset: QueryDataset = UNION) -> Answer:
        """Answer a SPARQL 1.1 query.

        Raises QuerySyntaxError with line and column, QueryRefusedError, StoreFailedError.
        """
        ...

    def update(self, text: str, dataset: QueryDataset = UNION) -> None:
        """Carry out a SPARQL 1.1 update request as one transaction.

        `dataset` is the protocol's using-graph-uri and using-named-graph-uri. Raises QuerySyntaxError,
        QueryRefusedError, StoreFailedError.
        """
        ...

    def change(self, removed: Iterable[Quad], added: Iterable[Quad]) -> None:
        """Remove and add quads as one transaction; the quads hold no blank nodes. Raises StoreFailedError."""
        ...

    def replace(self, graph: NamedNode, path: Path, record: Iterable[Quad] = ()) -> None:
        """Put the N-Triples of a file in the place of everything a named graph holds, as one step.

        The quads of `record`, of other graphs, enter with them; after a crash all of it is there or nothing.
        Blank nodes of the file are new ones, whatever their labels; `record` has none.
        Raises StoreFailedError.
        """
        ...

    def run(self, function: Callable[Concatenate[Store, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function(store, *args, **kwargs)` close to the data and return its result.

        The call may happen in another process, on one snapshot of the data: `function` must be defined at
        the top level of a module of kg, and its arguments and result must be picklable. The languages that
        the reader prefers (`kg.languages`) apply there as well. Raises what the function raises.
        """
        ...

    @property
    def version(self) -> str:
        """Name the state of the data: another text after every change; empty where nobody can tell."""
        ...

    def close(self) -> None:
        """Let go of the engine; safe to call twice."""
        ...
