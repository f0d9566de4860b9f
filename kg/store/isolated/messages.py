"""Messages between a serving process and its workers and writer: pickled objects on a connection.

The writer first sends whether it finished a large change that had been broken off. Then it gets a
`RunRequest` for each change, and answers with `True` or an exception.

A worker answers a request with one message, except that the body of a result follows its `Head` as pieces of
bytes and ends with None. An exception may come in place of any message. `CloseRequest` has no answer.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kg.languages import DEFAULT
from kg.rdf.formats import Kind
from kg.store.interface import UNION, EngineKind, QueryDataset


@dataclass(frozen=True)
class WorkerQuery:
    """Answer a query. `forms` names the format of each kind of result that is to follow at once.

    `any_number` lifts the limit on rows.
    """

    text: str
    dataset: QueryDataset = UNION
    forms: dict[Kind, str] = field(default_factory=dict)
    any_number: bool = False


@dataclass(frozen=True)
class Head:
    """Kind and columns of a result. `body` is the whole result if it is short and its format was given.

    `engine` is that which answered.
    """

    kind: Kind
    variables: tuple[str, ...]
    body: bytes | None = None
    engine: EngineKind = "sparql"


@dataclass(frozen=True)
class WriteRequest:
    """Serialise the result of the last query, in the format of this name."""

    form: str


@dataclass(frozen=True)
class CloseRequest:
    """Drop the result of the last query."""


@dataclass(frozen=True)
class RunRequest:
    """Call a function of `kg` with the store, for a reader of these languages."""

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    languages: tuple[str, ...] = DEFAULT


@dataclass(frozen=True)
class Done:
    """A request was carried out; `result` is what the function of a `RunRequest` returned."""

    result: Any = None


def pack(message: object) -> bytes:
    """Pickle a message; raises TypeError if it cannot be pickled."""
    try:
        # With `send_bytes` this takes a fifth of the time of `Connection.send`.
        return pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        raise
    except Exception as error:
        raise TypeError(f"this cannot be sent to another process, as it cannot be pickled: {error}") from None


def unpack(message: bytes) -> Any:
    """Build the object that a process of ours packed."""
    return pickle.loads(message)  # noqa: S301 - the other side is our own
