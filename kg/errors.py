"""All errors, as one tree.

    DiplographError
    ├── RequestError              the data or the request is wrong
    │   ├── QuerySyntaxError      SPARQL that the engine cannot parse
    │   ├── QueryRefusedError     SERVICE or LOAD of an address that is not allowed
    │   ├── QueryStoppedError     a query beyond its limit of time, memory or rows
    │   ├── ParameterError        an unknown, missing or malformed parameter
    │   ├── UnknownNameError      no such entity, question, graph or load
    │   ├── UnsupportedFormatError  a format that cannot be read
    │   ├── NotAcceptableError    a format that cannot be written
    │   ├── DataSyntaxError       RDF or a table that cannot be parsed
    │   ├── ValidationFailedError   RDF that violates the shapes
    │   ├── TooLargeError         a body, file or query beyond its limit
    │   ├── ConflictError         the graph changed after the preview
    │   ├── PreconditionFailedError  a write whose condition is not met
    │   ├── ProtectedGraphError   a write to a graph that diplograph maintains
    │   ├── OutsideGraphError     a patch that concerns other graphs
    │   ├── AddressTooLongError   a request with too long an address
    │   ├── CancelledError        work that was cancelled
    │   ├── SignInRequiredError   a write without a token
    │   ├── WrongTokenError       a write with a wrong token
    │   └── ReadOnlyError         a write to a read-only server
    └── PeerError                 the store, a tool or another server failed
        ├── NotAStoreError        a folder that is not a store
        ├── StoreBusyError        a store in use by another process
        ├── BusyError             all query processes are busy
        ├── StoreFailedError      the engine failed to read or write
        ├── PortInUseError        the port to serve on is in use
        ├── ToolMissingError      a program needed by a command is not installed
        └── ToolFailedError       a program needed by a command failed or took too long

Every error has a `detail` (what is wrong), a `mend` (how to correct it) and, if there is a place, a `where`.
"""

from __future__ import annotations

from typing import ClassVar


class DiplographError(Exception):
    """An error with what is wrong (`detail`), where, and how to correct it (`mend`).

    `exit_code` is that of the command line: 1 for the data or the request, 2 for usage, 3 for the store or a
    peer.
    """

    title: ClassVar[str] = "Something went wrong"
    exit_code: ClassVar[int] = 3

    def __init__(self, detail: str, *, where: str | None = None, mend: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.where = where
        self.mend = mend

    def __str__(self) -> str:
        """Return one line: the place, then what is wrong."""
        return f"{self.where}: {self.detail}" if self.where else self.detail


class RequestError(DiplographError):
    """The data or the request is wrong."""

    title = "The request cannot be processed"
    exit_code = 1


class PlacedError(RequestError):
    """An error at a line and column (both from 1) of a text."""

    def __init__(
        self,
        detail: str,
        *,
        where: str | None = None,
        mend: str | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        if where is None and line is not None:
            where = f"line {line}" if column is None else f"line {line}, column {column}"
        super().__init__(detail, where=where, mend=mend)
        self.line = line
        self.column = column


class QuerySyntaxError(PlacedError):
    """SPARQL that the engine cannot parse."""

    title = "The SPARQL text is malformed"


class QueryRefusedError(PlacedError):
    """SERVICE or LOAD of an address that is not allowed."""

    title = "The query needs an address that is not allowed"


class QueryStoppedError(RequestError):
    """A query beyond its limit of time, memory or rows; its result so far is incomplete."""

    title = "The query was stopped"


class ParameterError(RequestError):
    """A parameter that is unknown, missing or malformed."""

    title = "A parameter is wrong"


class UnknownNameError(RequestError):
    """An unknown entity, question, graph or load."""

    title = "Not found"


class UnsupportedFormatError(RequestError):
    """A format that cannot be read."""

    title = "The format cannot be read"


class NotAcceptableError(RequestError):
    """A format that cannot be written."""

    title = "None of the accepted formats can be produced"


class DataSyntaxError(PlacedError):
    """RDF or a table that cannot be parsed, with file, line and column."""

    title = "The file cannot be parsed"


class ValidationFailedError(RequestError):
    """RDF that violates the shapes; carries the findings, one line of text each."""

    title = "The data does not conform to the shapes"

    def __init__(
        self,
        detail: str,
        *,
        findings: tuple[str, ...] = (),
        where: str | None = None,
        mend: str | None = None,
    ) -> None:
        super().__init__(detail, where=where, mend=mend)
        self.findings = findings


class TooLargeError(RequestError):
    """A body, file or query beyond its limit."""

    title = "Too large"


class ConflictError(RequestError):
    """The graph changed after the preview."""

    title = "The graph has changed"


class PreconditionFailedError(RequestError):
    """A write whose condition (If-Match, If-None-Match) is not met."""

    title = "The condition is not met"


class ProtectedGraphError(RequestError):
    """A write to a graph that diplograph maintains."""

    title = "The graph is maintained by diplograph"


class OutsideGraphError(PlacedError):
    """A patch of one graph that concerns other graphs."""

    title = "The update concerns other graphs"


class AddressTooLongError(RequestError):
    """A request with too long an address."""

    title = "The address is too long"


class CancelledError(RequestError):
    """Work that was cancelled; nothing was stored."""

    title = "Cancelled"


class SignInRequiredError(RequestError):
    """A write without a token."""

    title = "The token is required"


class WrongTokenError(RequestError):
    """A write with a wrong token."""

    title = "The token is wrong"


class ReadOnlyError(RequestError):
    """A write to a read-only server."""

    title = "The server is read-only"


class PeerError(DiplographError):
    """The store, a tool or another server failed."""

    title = "A store, tool or server failed"
    exit_code = 3


class NotAStoreError(PeerError):
    """A folder that is not a store."""

    title = "The folder is not a diplograph store"


class StoreBusyError(PeerError):
    """A store in use by another process."""

    title = "The store is in use by another process"


class BusyError(PeerError):
    """All query processes are busy."""

    title = "Too busy"


class StoreFailedError(PeerError):
    """The engine failed to read or write."""

    title = "The store failed"


class PortInUseError(PeerError):
    """The port to serve on is in use."""

    title = "The port is in use"


class ToolMissingError(PeerError):
    """A program needed by a command is not installed."""

    title = "A program is missing"


class ToolFailedError(PeerError):
    """A program needed by a command failed or took too long."""

    title = "A program failed"
