"""The columns of a table of coding records, and what each says in RDF.

A table is a Parquet file with one row per coding record. Its first column, `record`, identifies the record;
every other column is one property, so that a row and the quads of its record say the same. The schema lies in
the file's own metadata, as JSON.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

ColumnKind = Literal["iri", "string", "text", "integer", "decimal", "boolean", "date", "dateTime"]
"""What the cells of a column are: IRIs, xsd:string, text in a language, or another XSD type.

An `integer` fits 64 bits, a `date` has no time zone, a `dateTime` is in UTC. A `decimal` has at most 18
digits, `scale` of them after the point.
"""

FOLDER: Final = "tables"
"""Name of the folder of the tables, in the data folder."""
RECORD: Final = "record"
"""Name of the column that identifies the record."""
METADATA: Final = "diplograph"
"""Key of the schema in the metadata of a Parquet file."""


@dataclass(frozen=True)
class TableColumn:
    """One property of the records of a table.

    `prefix` precedes each IRI of the column, which the file leaves out; `language` is that of a text. A
    column that is not `complete` is empty (NULL) for some records.
    """

    name: str
    predicate: str
    kind: ColumnKind
    complete: bool
    prefix: str = ""
    language: str = ""
    scale: int = 0


@dataclass(frozen=True)
class RecordTable:
    """The table of the records that one load added to a graph.

    `prefix` precedes each identifier of a record. `others` are the properties of some of its records that
    are no columns, since their values are of several kinds or several for one record; only the quads have
    them. `shared` are the properties of the things of the graph that are not records. Every record
    is a dg:CodingRecord, which has no column.
    """

    graph: str
    path: Path
    rows: int
    prefix: str
    columns: tuple[TableColumn, ...]
    others: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()

    def metadata(self) -> str:
        """Return what the file says of itself, as JSON."""
        return json.dumps(
            {
                "graph": self.graph,
                "rows": self.rows,
                "prefix": self.prefix,
                "columns": [asdict(column) for column in self.columns],
                "others": list(self.others),
                "shared": list(self.shared),
            },
            ensure_ascii=False,
        )

    @classmethod
    def described(cls, path: Path, metadata: str) -> RecordTable:
        """Rebuild a table from the metadata of its file; raises ValueError, KeyError, TypeError."""
        said = json.loads(metadata)
        columns = tuple(TableColumn(**column) for column in said["columns"])
        others, shared = tuple(said["others"]), tuple(said["shared"])
        return cls(said["graph"], path, said["rows"], said["prefix"], columns, others, shared)
