"""Cells of a table as terms of N-Triples, and back, in SQL of DuckDB.

A property becomes a column only if each of its terms is written again as it was read: both directions are
used when a table is made. The forms are those of the engine, so that "1.50"^^xsd:decimal has no cell.
"""

from __future__ import annotations

from typing import Final

from kg.table.record_table import ColumnKind, TableColumn
from kg.terms import PREFIXES

DATATYPES: Final[dict[ColumnKind, str]] = {
    kind: f'"^^<{PREFIXES["xsd"]}{kind}>' for kind in ("integer", "decimal", "boolean", "date", "dateTime")
}
"""End of the N-Triples of each kind of typed literal."""

# N-Triples section 2.4, as the engine writes it; the backslash first, so that it is not doubled again.
_NAMED: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_CONTROLS: Final = {chr(code): f"\\u{code:04X}" for code in (*range(1, 0x20), 0x7F)}
_ESCAPES: Final = _NAMED | {char: text for char, text in _CONTROLS.items() if char not in _NAMED}


def quoted(text: str) -> str:
    """Return a text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return a name as a delimited identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def term_text(column: TableColumn) -> str:
    """Return the SQL of a column's terms in N-Triples, NULL for empty cells."""
    cell = identifier(column.name)
    match column.kind:
        case "iri":
            return f"{quoted('<' + column.prefix)} || {cell} || '>'"
        case "string" | "text":
            end = f'"@{column.language}' if column.language else '"'
            return f"'\"' || {_escaped(cell)} || {quoted(end)}"
        case "decimal" if column.scale:
            text = f"rtrim(rtrim(CAST({cell} AS VARCHAR), '0'), '.')"
        case "dateTime":
            text = f"replace(CAST({cell} AS VARCHAR), ' ', 'T') || 'Z'"
        case _:
            text = f"CAST({cell} AS VARCHAR)"
    return f"'\"' || {text} || {quoted(DATATYPES[column.kind])}"


def cell_value(column: TableColumn, term: str) -> str:
    """Return the SQL of a column's cells from an expression of terms; NULL for a term of another form."""
    if column.kind == "iri":
        start = len(column.prefix) + 2
        return (
            f"CASE WHEN NOT contains({term}, ' ') AND NOT contains({term}, '\\') "
            f"THEN substr({term}, {start}, length({term}) - {start}) END"
        )
    if column.kind in ("string", "text"):
        end = f'"@{column.language}' if column.language else '"'
        literal = f"left({term}, length({term}) - {len(end) - 1})"
        return (
            f"CASE WHEN NOT (starts_with({term}, '\"') AND ends_with({term}, {quoted(end)})) THEN NULL "
            f"WHEN NOT contains({term}, '\\') THEN substr({literal}, 2, length({literal}) - 2) "
            # The escapes of N-Triples are those of JSON, but for \U, which is not read.
            f"WHEN NOT contains({term}, '\\u0000') THEN TRY(json_extract_string({literal}, '$')) END"
        )
    text = f"substr({term}, 2, length({term}) - {len(DATATYPES[column.kind]) + 1})"
    match column.kind:
        case "integer":
            return f"TRY_CAST({text} AS BIGINT)"
        case "decimal":
            return f"TRY_CAST({text} AS DECIMAL(18, {column.scale}))"
        case "boolean":
            return f"TRY_CAST({text} AS BOOLEAN)"
        case "date":
            return f"CASE WHEN length({text}) = 10 THEN TRY_CAST({text} AS DATE) END"
        case _:
            return f"CASE WHEN {text}[5] = '-' THEN TRY_CAST(rtrim({text}, 'Z') AS TIMESTAMP) END"


def _escaped(cell: str) -> str:
    text = cell
    for char, escape in _ESCAPES.items():
        text = f"replace({text}, {_char(char)}, {quoted(escape)})"
    return f"CASE WHEN regexp_matches({cell}, '[\\x00-\\x1f\"\\\\\\x7f]') THEN {text} ELSE {cell} END"


def _char(char: str) -> str:
    return f"chr({ord(char)})" if char < " " or char == "\x7f" else quoted(char)
