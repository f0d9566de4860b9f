"""The differences between SPARQL engines, in one table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from kg.errors import (
    ConflictError,
    DiplographError,
    QueryStoppedError,
    RequestError,
    StoreFailedError,
    UnknownNameError,
)
from kg.store.engine_errors import explain_failure

MIB: Final = 1024**2


@dataclass(frozen=True)
class Dialect:
    """Properties of one engine.

    - `server`: beginning of its Server header.
    - `update`, `graphs`: last parts of the addresses for updates and of the graph store, beside the query
      address; empty if updates go to the query address, or if there is no graph store.
    - `direct`: the request is the body (SPARQL 1.1 Protocol 2.1.3), not a field of a form (2.1.2).
    - `results`: media type to request for solutions.
    - `login`: scheme by which a name and password are sent.
    - `operation_triples`, `request_bytes`: limits of one INSERT DATA and of one update request.
    - `union`: parameter that makes the default graph the union of all graphs, if that needs one.
    - `empty_graph`: IRI for a half of the dataset that a request leaves out, if the engine would otherwise
      use all graphs for it and join the request's dataset with the query's.
    - `row_limit_header`: header with the number of rows at which results are cut; `partial_header`: header of
      a result that was cut.
    - `integer_booleans`: it computes booleans as the integers 1 and 0, and answers in XML.
    - `drops_zero`: it drops U+0000 from texts.
    - `same_engine`: its messages are those of the embedded engine; otherwise `faults` maps patterns of its
      messages to errors.
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
    integer_booleans: bool = False
    drops_zero: bool = False
    same_engine: bool = False
    faults: tuple[tuple[str, type[DiplographError]], ...] = ()

    def explain(self, message: str, otherwise: DiplographError) -> DiplographError:
        """Build an error of our tree from the engine's message; return `otherwise` if it is unknown."""
        if self.same_engine:
            explained = explain_failure(message.strip())
            return otherwise if isinstance(explained, StoreFailedError) else explained
        for pattern, kind in self.faults:
            if found := re.search(pattern, message):
                # The beginning of a result may precede the message of Virtuoso.
                said = message[max(0, message.rfind("Virtuoso ", 0, found.start())) :].partition("\n\n")[0]
                return kind(" ".join(said.split()), where=otherwise.where)
        return otherwise


OURS: Final = Dialect(
    "diplograph",
    server="diplograph",
    update="update",
    graphs="graphs",
    direct=True,
    request_bytes=256 * MIB,
)

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
        integer_booleans=True,
        drops_zero=True,
        faults=(
            ("Undefined procedure", RequestError),
            (
                "timed out|anytime timeout|estimated execution time|incomplete results|killed by SQLCancel",
                QueryStoppedError,
            ),
            ("has not been explicitly created", UnknownNameError),
            ("contains triples already|has been explicitly created", ConflictError),
        ),
    ),
)

PLAIN: Final = Dialect("SPARQL 1.1")


def recognise(server: str) -> Dialect:
    """Return the dialect of an engine by its Server header (RFC 9110 section 10.2.4)."""
    return next((d for d in DIALECTS if d.server and server.startswith(d.server)), PLAIN)
