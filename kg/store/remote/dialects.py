"""How SPARQL engines differ, in one table. What is not listed here they do alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from kg.errors import (
    ConflictError,
    DiplographError,
    QueryStoppedError,
    QuerySyntaxError,
    StoreFailedError,
    UnknownNameError,
)
from kg.store.engine_errors import explain_failure

MIB: Final = 1024**2


@dataclass(frozen=True)
class Dialect:
    """What to know of an engine before talking to it.

    `server` is the beginning of its Server header. `update` and `graphs` are the last parts of its update and
    graph store addresses, beside the query address, for when no setting names them; an empty one means that
    updates go to the query address, or that there is no graph store. `direct` tells whether a request may be
    the body itself (SPARQL 1.1 Protocol 2.1.3), else it is a field of a form (2.1.2). `results` is the media
    type of solutions to ask for. `login` is how a name and password are sent. `operation_triples` and
    `request_bytes` bound one INSERT DATA and one update request. `union` is the parameter that makes the
    default graph the union of all, where it is not without. `empty_graph` fills the half of a dataset that a
    request leaves out, for engines that would fill it with everything and join the request's dataset with the
    query's. `row_limit_header` tells of a limit at which results are cut, `partial_header` that one was.
    `counts_truth`: it computes truth values as the integers 1 and 0, and answers in XML. `drops_zero`: it
    stores a text without its U+0000. `same_engine` tells that its messages are those of the embedded engine;
    else `faults` says which of its messages mean what.
    """

    name: str
    server: str = ""
    update: str = ""
    graphs: str = ""
    direct: bool = False
    results: str = "application/sparql-results+json"
    login: Literal["basic", "digest"] = "basic"
    operation_triples: int = 10_000
    request_bytes: int = 4 * MIB
    union: str = ""
    empty_graph: str = ""
    row_limit_header: str = ""
    partial_header: str = ""
    counts_truth: bool = False
    drops_zero: bool = False
    same_engine: bool = False
    faults: tuple[tuple[str, type[DiplographError]], ...] = ()

    def explain(self, message: str, otherwise: DiplographError) -> DiplographError:
        """Make an error of our tree of what the engine says, else give the other one."""
        if self.same_engine:
            explained = explain_failure(message.strip())
            return otherwise if isinstance(explained, StoreFailedError) else explained
        for pattern, kind in self.faults:
            if found := re.search(pattern, message):
                # What Virtuoso had written of a result before it failed stands before its message.
                said = message[max(0, message.rfind("Virtuoso ", 0, found.start())) :].partition("\n\n")[0]
                return kind(" ".join(said.split()), where=otherwise.where)
        return otherwise


OURS: Final = Dialect("diplograph", update="update", graphs="graphs", direct=True, request_bytes=256 * MIB)

DIALECTS: Final = (
    OURS,
    Dialect(
        "oxigraph",
        server="Oxigraph/",
        update="update",
        graphs="store",
        direct=True,
        union="union-default-graph",
        same_engine=True,
        # Its limit on a body is 128 MiB.
        request_bytes=64 * MIB,
    ),
    Dialect(
        "virtuoso",
        server="Virtuoso/",
        update="sparql-auth",
        graphs="sparql-graph-crud-auth",
        # Its JSON writes xsd:boolean as 1 and takes twice as long.
        results="application/sparql-results+xml",
        login="digest",
        # Its parser's memory is exhausted by some 4,990 triples; it takes many operations in one request.
        operation_triples=1_000,
        request_bytes=8 * MIB,
        empty_graph="urn:x-diplograph:empty",
        row_limit_header="X-SPARQL-MaxRows",
        partial_header="X-SQL-State",
        counts_truth=True,
        drops_zero=True,
        faults=(
            ("Undefined procedure", QuerySyntaxError),
            ("timed out|estimated execution time|incomplete results", QueryStoppedError),
            ("has not been explicitly created", UnknownNameError),
            ("contains triples already|has been explicitly created", ConflictError),
        ),
    ),
)

PLAIN: Final = Dialect("SPARQL 1.1")


def recognise(server: str) -> Dialect:
    """Tell an engine by its Server header (RFC 9110 section 10.2.4)."""
    return next((d for d in DIALECTS if d.server and server.startswith(d.server)), PLAIN)
