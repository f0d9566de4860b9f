"""The one tree of errors.

    DiplographError
    ├── RequestError              the data or the request is at fault
    │   ├── QuerySyntaxError      SPARQL that the engine cannot parse
    │   ├── QueryRefusedError     SERVICE or LOAD of an address that is not allow-listed
    │   ├── QueryStoppedError     a query over its limit of time, memory or rows
    │   ├── ParameterError        a parameter unknown, missing or malformed
    │   ├── UnknownNameError      no such entity, question, graph or load
    │   ├── UnsupportedFormatError  a format that cannot be read
    │   ├── NotAcceptableError    a format that cannot be written
    │   ├── DataSyntaxError       RDF or a table that cannot be parsed
    │   ├── ValidationFailedError   RDF that the shapes refuse
    │   ├── TooLargeError         a body, file or query over its limit
    │   ├── ConflictError         the graph changed since the plan was made
    │   ├── PreconditionFailedError  a write under a condition that does not hold
    │   ├── ProtectedGraphError   a write to a graph that the tool itself keeps
    │   ├── OutsideGraphError     a patch that reaches beyond its graph
    │   ├── AddressTooLongError   a request whose address is over its limit
    │   ├── CancelledError        work that somebody asked to end
    │   ├── SignInRequiredError   a write without a token
    │   ├── WrongTokenError       a write with a token that is not ours
    │   └── ReadOnlyError         a write to a server that only reads
    └── PeerError                 the store, a tool or a server is at fault
        ├── NotAStoreError        a folder that holds something else
        ├── StoreBusyError        a store that another process holds
        ├── BusyError             every query process is taken
        ├── StoreFailedError      the engine failed while reading or writing
        ├── PortInUseError        the address to serve on is taken
        ├── ToolMissingError      a program that a command needs is not installed
        └── ToolFailedError       a program or library that a command needs failed, or took too long

Every error says what (`detail`), where (`where`, when there is a place) and how to mend it (`mend`).
"""

from __future__ import annotations

from typing import ClassVar


class DiplographError(Exception):
    """Say what went wrong, where, and how to mend it.

    `exit_code` is the command line's: 1 the data or the request is at fault, 2 usage, 3 a peer or the store.
    """

    title: ClassVar[str] = "Something went wrong"
    exit_code: ClassVar[int] = 3

    def __init__(self, detail: str, *, where: str | None = None, mend: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.where = where
        self.mend = mend

    def __str__(self) -> str:
        """Give one line: the place, then what is wrong."""
        return f"{self.where}: {self.detail}" if self.where else self.detail


class RequestError(DiplographError):
    """The data or the request is at fault."""

    title = "The request cannot be carried out"
    exit_code = 1


class PlacedError(RequestError):
    """A fault at a line and column (both from 1) of some text."""

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
    """SERVICE or LOAD of an address that is not allow-listed."""

    title = "The query asks for something this server does not do"


class QueryStoppedError(RequestError):
    """A query over its limit of time, memory or rows; nothing it gave so far is a whole answer."""

    title = "The query was stopped"


class ParameterError(RequestError):
    """A parameter that is unknown, missing or malformed."""

    title = "A parameter is wrong"


class UnknownNameError(RequestError):
    """A name that stands for nothing here: entity, question, graph or load."""

    title = "Nothing goes by that name"


class UnsupportedFormatError(RequestError):
    """A format that cannot be read."""

    title = "The format cannot be read"


class NotAcceptableError(RequestError):
    """A format that cannot be written."""

    title = "None of the accepted formats can be produced"


class DataSyntaxError(PlacedError):
    """RDF or a table that cannot be parsed; names file, line and column."""

    title = "The file cannot be parsed"


class ValidationFailedError(RequestError):
    """RDF that the shapes refuse; carries the findings, one line of text each."""

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
    """A body, file or query over its limit."""

    title = "Too large"


class ConflictError(RequestError):
    """The graph changed since the plan was made."""

    title = "The graph has changed in between"


class PreconditionFailedError(RequestError):
    """A write under a condition (If-Match, If-None-Match) that does not hold."""

    title = "The condition does not hold"


class ProtectedGraphError(RequestError):
    """A write to a graph that the tool itself keeps."""

    title = "The tool keeps this graph itself"


class OutsideGraphError(PlacedError):
    """A patch of one graph that reaches beyond it."""

    title = "The update reaches beyond its graph"


class AddressTooLongError(RequestError):
    """A request whose address is over its limit."""

    title = "The address is too long"


class CancelledError(RequestError):
    """Work that somebody asked to end; nothing of it is stored."""

    title = "It was cancelled"


class SignInRequiredError(RequestError):
    """A write without a token."""

    title = "This needs the token"


class WrongTokenError(RequestError):
    """A write with a token that is not ours."""

    title = "The token is not the right one"


class ReadOnlyError(RequestError):
    """A write to a server that only reads."""

    title = "This server only reads"


class PeerError(DiplographError):
    """The store, a tool or a server is at fault."""

    title = "Something this command relies on failed"
    exit_code = 3


class NotAStoreError(PeerError):
    """A folder that holds something else than a store."""

    title = "The folder is no diplograph store"


class StoreBusyError(PeerError):
    """A store that another process holds."""

    title = "The store is in use by another process"


class BusyError(PeerError):
    """Every query process is taken."""

    title = "Too busy"


class StoreFailedError(PeerError):
    """The engine failed while reading or writing."""

    title = "The store failed"


class PortInUseError(PeerError):
    """The address to serve on is taken."""

    title = "The port is in use"


class ToolMissingError(PeerError):
    """A program that a command needs is not installed."""

    title = "A program is missing"


class ToolFailedError(PeerError):
    """A program or library that a command needs failed, or took too long."""

    title = "A program failed"
