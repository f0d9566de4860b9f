"""The interface of stores of quads, independent of their engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, Protocol, TypeVar
from typing import Literal as OneOf

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Triple, serialize

from kg.rdf.formats import Format, Kind

P = ParamSpec("P")
T = TypeVar("T")

Term = NamedNode | BlankNode | Literal | Triple
Row = Mapping[str, Term]
"""One solution: variable name (no question mark) to term; an unbound variable has no key."""


@dataclass(frozen=True)
class QueryDataset:
    """Graphs and base IRI of a request, beside its text (SPARQL 1.1 Protocol section 2.1.4).

    Without `default` and `named` the default graph is the union of all graphs, and every named graph can be
    named. If one of them is given, they replace the query's own FROM clauses and the other is empty.
    `base_iri` resolves relative IRIs of the text; if it is empty, they are syntax errors.
    """

    default: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    base_iri: str = ""

    @property
    def is_union(self) -> bool:
        """Whether no graphs are given."""
        return not (self.default or self.named)


UNION = QueryDataset()
EngineKind = OneOf["sparql", "sql"]
"""What answered a query: an engine of quads, or one of tables."""


@dataclass(frozen=True)
class Plan:
    """How a store answers a query: the engine, its SQL, or why the query is not answered in SQL."""

    engine: EngineKind
    sql: str = ""
    reason: str = ""


UNNAMED = "urn:x-diplograph:unnamed-graph"
"""Name of the unnamed graph alone in a `QueryDataset`; updates mean this graph outside of GRAPH."""


class Answer(Protocol):
    """The result of one query, read once, in one of three ways."""

    @property
    def kind(self) -> Kind:
        """Kind of result: solutions of a SELECT, boolean of an ASK, graph of a CONSTRUCT or DESCRIBE."""

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the columns of solutions, in the query's order."""

    def rows(self) -> Iterator[Row]:
        """Yield the solutions."""

    def truth(self) -> bool:
        """Return the boolean."""

    def triples(self) -> Iterator[Triple]:
        """Yield the triples of a graph."""

    def serialize(self, form: Format) -> Iterator[bytes]:
        """Yield the serialised result in pieces: all of it, or the iteration raises."""


class Store(ABC):
    """Quads that can be queried and changed. Every change is atomic; readers see all of it or nothing."""

    @abstractmethod
    def query(self, text: str, dataset: QueryDataset = UNION) -> Answer:
        """Answer a SPARQL 1.1 query.

        Raises QuerySyntaxError with line and column, QueryRefusedError, StoreFailedError.
        """

    @property
    def tabled(self) -> Store:
        """The store as it answers queries of users: from tables of records where it has them.

        The small queries of a page would wait longer for their translation than for the engine.
        """
        return self

    def plan(self, text: str, dataset: QueryDataset = UNION) -> Plan:
        """Return how a query would be answered, without answering it."""
        return Plan("sparql", reason="this store has no tables of records")

    def run(self, function: Callable[Concatenate[Store, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function(store, *args, **kwargs)` close to the data and return its result.

        The function is a module-level one of `kg`. It may be called in another process, so its arguments and
        its result are plain, picklable values. The reader's languages travel with the call. By default it is
        called here.
        """
        return function(self, *args, **kwargs)

    @abstractmethod
    def update(self, text: str, dataset: QueryDataset = UNION) -> None:
        """Carry out a SPARQL 1.1 update request as one transaction.

        `dataset` is the protocol's using-graph-uri and using-named-graph-uri. Raises QuerySyntaxError,
        QueryRefusedError, StoreFailedError.
        """

    @abstractmethod
    def change(self, removed: Iterable[Quad], added: Iterable[Quad]) -> None:
        """Remove and add quads as one transaction; the quads hold no blank nodes. Raises StoreFailedError."""

    @abstractmethod
    def replace(self, graph: NamedNode, path: Path, record: Iterable[Quad] = ()) -> None:
        """Replace the content of a named graph by the N-Triples of a file, as one step.

        The quads of `record`, which belong to other graphs, are added in the same step. Blank nodes of the
        file become new ones, whatever their labels; `record` has none. Raises StoreFailedError.
        """

    def export(self, graph: NamedNode, path: Path) -> None:
        """Write the triples of a graph to a file of N-Triples, in no order; raises StoreFailedError."""
        answer = self.query("CONSTRUCT WHERE { ?s ?p ?o }", QueryDataset(default=(graph.value,)))
        serialize(answer.triples(), str(path), format=RdfFormat.N_TRIPLES)

    @property
    @abstractmethod
    def version(self) -> str:
        """Name of the state of the data: it differs after every change; empty if the engine has none."""

    @abstractmethod
    def settle(self) -> None:
        """Wait until `version` counts every commit, before it is compared and a write depends on it."""

    @abstractmethod
    def close(self) -> None:
        """Release the engine; safe to call twice."""


GRAPH_PATTERNS: Final = ("GRAPH ?g { }", "GRAPH ?g { ?any ?has ?something }")
"""Patterns that bind ?g to every named graph: a quick one, and one for engines without support for it."""


def graph_names(store: Store) -> list[str]:
    """Return the IRIs of the named graphs."""
    for pattern in GRAPH_PATTERNS:
        rows = store.query(f"SELECT DISTINCT ?g {{ {pattern} }}").rows()
        found = [name.value for row in rows if isinstance(name := row.get("g"), NamedNode)]
        if found:
            return found
    return []


def never() -> bool:
    """Return False: the default of a `stop` callback."""
    return False
