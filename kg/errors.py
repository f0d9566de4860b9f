"""All errors, as one tree: the data or the request is wrong, or the store, a tool or another server failed.

Every error has a `detail` (what is wrong), a `mend` (how to correct it) and, if there is a place, a `where`.
"""

from __future__ import annotations

import re
from typing import ClassVar, Final


class DiplographError(Exception):
    """An error with what is wrong (`detail`), where, and how to correct it (`mend`).

    `title` is for people and `kind` for programs, such as `query-stopped`; `exit_code` is that of the command
    line: 1 for the data or the request, 2 for usage, 3 for the store or a peer. `line` and `column` are from
    1. `findings` has a line of text for each of several faults. `meant` has label and IRI of each thing that
    an unknown name may mean.
    """

    title: ClassVar[str] = "Something went wrong"
    kind: ClassVar[str] = "diplograph"
    exit_code: ClassVar[int] = 3

    def __init_subclass__(cls, title: str) -> None:
        cls.title = title
        cls.kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", cls.__name__.removesuffix("Error")).lower()
        ERRORS_BY_KIND[cls.kind] = cls

    def __init__(
        self,
        detail: str,
        *,
        where: str | None = None,
        mend: str | None = None,
        line: int | None = None,
        column: int | None = None,
        findings: tuple[str, ...] = (),
        meant: tuple[tuple[str, str], ...] = (),
    ) -> None:
        if where is None and line is not None:
            where = f"line {line}" if column is None else f"line {line}, column {column}"
        super().__init__(detail)
        self.detail, self.where, self.mend = detail, where, mend
        self.line, self.column, self.findings, self.meant = line, column, findings, meant

    def __str__(self) -> str:
        """Return one line: the place, then what is wrong."""
        return f"{self.where}: {self.detail}" if self.where else self.detail


ERRORS_BY_KIND: Final[dict[str, type[DiplographError]]] = {}


class RequestError(DiplographError, title="The request cannot be processed"):
    """The data or the request is wrong."""

    exit_code = 1


class QuerySyntaxError(RequestError, title="The SPARQL text is malformed"):
    """SPARQL that the engine cannot parse."""


class QueryRefusedError(RequestError, title="The query needs an address that is not allowed"):
    """SERVICE or LOAD of an address that is not allowed."""


class QueryStoppedError(RequestError, title="The query was stopped"):
    """A query beyond its limit of time, memory or rows; its result so far is incomplete."""


class ParameterError(RequestError, title="A parameter is wrong"):
    """A parameter that is unknown, missing or malformed."""


class UnknownNameError(RequestError, title="Not found"):
    """An unknown entity, question, graph or load."""


class UnsupportedFormatError(RequestError, title="The format cannot be read"):
    """A format that cannot be read."""


class NotAcceptableError(RequestError, title="None of the accepted formats can be produced"):
    """A format that cannot be written."""


class DataSyntaxError(RequestError, title="The file cannot be parsed"):
    """RDF or a table that cannot be parsed, with file, line and column."""


class ValidationFailedError(RequestError, title="The data does not conform to the shapes"):
    """RDF that violates the shapes; `findings` lists the violations."""


class UnreadableRowsError(RequestError, title="Rows of the table cannot be loaded"):
    """Rows of a table that cannot be read or break the shapes; `findings` lists their faults."""


class TooLargeError(RequestError, title="Too large"):
    """A body, file or query beyond its limit."""


class ConflictError(RequestError, title="The graph has changed"):
    """The graph changed after the preview."""


class PreconditionFailedError(RequestError, title="The condition is not met"):
    """A write whose condition (If-Match, If-None-Match) is not met."""


class ProtectedGraphError(RequestError, title="The graph is maintained by diplograph"):
    """A write to a graph that diplograph maintains."""


class OutsideGraphError(RequestError, title="The update concerns other graphs"):
    """A patch of one graph that concerns other graphs."""


class AddressTooLongError(RequestError, title="The address is too long"):
    """A request with too long an address."""


class CancelledError(RequestError, title="Cancelled"):
    """Work that was cancelled; nothing was stored."""


class SignInRequiredError(RequestError, title="The token is required"):
    """A write without a token."""


class WrongTokenError(RequestError, title="The token is wrong"):
    """A write with a wrong token."""


class ReadOnlyError(RequestError, title="The server is read-only"):
    """A write to a read-only server."""


class PeerError(DiplographError, title="A store, tool or server failed"):
    """The store, a tool or another server failed."""


class NotAStoreError(PeerError, title="The folder is not a diplograph store"):
    """A folder that is not a store."""


class StoreBusyError(PeerError, title="The store is in use by another process"):
    """A store in use by another process."""


class BusyError(PeerError, title="Too busy"):
    """All query processes are busy."""


class StoreFailedError(PeerError, title="The store failed"):
    """The engine failed to read or write."""


class DiskFullError(StoreFailedError, title="The disk is full"):
    """Too little space on the disk; nothing was changed unless the message says otherwise."""


class PortInUseError(PeerError, title="The port is in use"):
    """The port to serve on is in use."""


class ToolMissingError(PeerError, title="A program is missing"):
    """A program needed by a command is not installed."""


class ToolFailedError(PeerError, title="A program failed"):
    """A program needed by a command failed or took too long."""


def is_disk_full(error: Exception) -> bool:
    """Return whether the system, or the engine, reports that there is no space on a disk."""
    return isinstance(error, DiskFullError) or bool(
        re.search(r"No space left on device|Disk quota exceeded|disk is full", str(error))
    )
