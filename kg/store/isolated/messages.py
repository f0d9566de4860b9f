"""What a serving process and its engine processes say to each other, as pickled objects on a connection.

A worker answers a request by one message, except that the body of a result follows its `Head` as pieces of
bytes and ends with None. Any message may be a `DiplographError` instead.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from kg.rdf.formats import Kind
from kg.store.interface import UNION, QueryDataset


@dataclass(frozen=True)
class Limits:
    """Limits of one query: bytes of memory, rows (0: any number); URL prefixes for SERVICE and LOAD."""

    memory: int
    rows: int = 0
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class QueryRequest:
    """A query. `forms` names the serialisation wanted for each kind of result, which then follows at once."""

    text: str
    dataset: QueryDataset = UNION
    forms: dict[Kind, str] = field(default_factory=dict)
    any_number: bool = False


@dataclass(frozen=True)
class Head:
    """The beginning of a result. `body` is the whole of it, where that is short and its format is known."""

    kind: Kind
    variables: tuple[str, ...]
    body: bytes | None = None


@dataclass(frozen=True)
class WriteRequest:
    """Serialise the result of the query before, in the format of this name."""

    form: str


@dataclass(frozen=True)
class ExportRequest:
    """Write the triples of a graph to a file of N-Triples."""

    graph: str
    path: str


@dataclass(frozen=True)
class RunRequest:
    """Call a function of `kg` with the store, for readers of these languages."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    languages: tuple[str, ...]


@dataclass(frozen=True)
class Done:
    """A request is carried out; `result` is what the function of a `RunRequest` returned."""

    result: Any = None


@dataclass(frozen=True)
class UpdateRequest:
    """Carry out a SPARQL update."""

    text: str
    dataset: QueryDataset = UNION


@dataclass(frozen=True)
class ChangeRequest:
    """Remove and add quads, as N-Quads."""

    removed: bytes
    added: bytes


@dataclass(frozen=True)
class ChangeFilesRequest:
    """Remove and add the quads of two files of N-Quads."""

    removed: str
    added: str


def send(connection: Connection, message: object) -> None:
    """Send a message; raises OSError. It takes a fifth of the time of `Connection.send`."""
    connection.send_bytes(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))


def receive(connection: Connection) -> Any:
    """Receive a message from a process of ours; raises EOFError, OSError."""
    return pickle.loads(connection.recv_bytes())  # noqa: S301 - the other side is our own


Change = UpdateRequest | ChangeRequest | ChangeFilesRequest
