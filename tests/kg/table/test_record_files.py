"""Tables of records written from quads: each column says what the quads say, or it is none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pyoxigraph import NamedNode, RdfFormat, Store, parse

from kg.errors import StoreFailedError
from kg.rdf.compression import frame, packed_name
from kg.table import record_files
from kg.table.record_files import read_table, shared_records, write_table
from kg.table.record_quads import first_difference, lines_query
from kg.table.record_table import RecordTable, TableColumn
from kg.terms import ID, ONTOLOGY, PREFIXES

GRAPH = "http://example.org/g"
TYPE = PREFIXES["rdf"] + "type"
LABEL = PREFIXES["rdfs"] + "label"
XSD = PREFIXES["xsd"]
RECORD = ID + "record/test-"


def dg(name: str) -> str:
    return ONTOLOGY + name


def literal(text: str, datatype: str) -> str:
    return f'"{text}"^^<{XSD}{datatype}>'


def record(number: str, *pairs: tuple[str, str]) -> list[str]:
    return [
        f"<{RECORD}{number}> <{predicate}> {value}"
        for predicate, value in ((TYPE, f"<{dg('CodingRecord')}>"), *pairs)
    ]


@dataclass
class Written:
    """A table, the cells in its file, and the graph as a store gives it back."""

    table: RecordTable
    export: Path

    @property
    def columns(self) -> dict[str, TableColumn]:
        return {column.name: column for column in self.table.columns}

    def cells(self, *names: str) -> list[tuple[Any, ...]]:
        wanted = ", ".join(names)
        return duckdb.sql(f"SELECT {wanted} FROM read_parquet('{self.table.path}')").fetchall()


def written(folder: Path, statements: Iterable[str]) -> Written:
    """Write the table of some statements of one graph; the graph and the table say the same."""
    text = "".join(f"{one} <{GRAPH}> .\n" for one in statements).encode()
    source = folder / "added.nq"
    source.write_bytes(text)
    store = Store()
    store.bulk_load(text, format=RdfFormat.N_QUADS, lenient=True)
    export = folder / "export.nt"
    store.dump(str(export), format=RdfFormat.N_TRIPLES, from_graph=NamedNode(GRAPH))
    table = write_table(source, GRAPH, folder / "tables" / "one.parquet")
    assert table is not None
    assert read_table(table.path) == table
    assert first_difference(table, export) is None
    assert sorted(path.name for path in table.path.parent.iterdir()) == ["one.parquet"]
    return Written(table, export)


def test_each_kind_of_value_is_a_column(tmp_path: Path) -> None:
    found = written(
        tmp_path,
        [
            *record(
                "9",
                (dg("averageTone"), literal("-2.5", "decimal")),
                (dg("isRootEvent"), literal("true", "boolean")),
            ),
            *record(
                "10",
                (LABEL, '"Row 10"@en'),
                (dg("recordId"), '"10"'),
                (dg("codedActor"), f"<{ID}country/usa>"),
                (dg("mentionCount"), literal("7", "integer")),
                (dg("averageTone"), literal("10.125", "decimal")),
                (dg("isRootEvent"), literal("false", "boolean")),
                (dg("published"), literal("2018-01-31", "date")),
                (dg("addedOn"), literal("2018-01-01T00:15:00Z", "dateTime")),
            ),
            f'<{ID}country/usa> <{LABEL}> "not of a record"@en',
        ],
    )
    table = found.table
    assert (table.graph, table.rows, table.prefix, table.others) == (GRAPH, 2, RECORD, ())
    assert {name: column.kind for name, column in found.columns.items()} == {
        "label": "text",
        "recordId": "string",
        "codedActor": "iri",
        "mentionCount": "integer",
        "averageTone": "decimal",
        "isRootEvent": "boolean",
        "published": "date",
        "addedOn": "dateTime",
    }
    assert [name for name, column in found.columns.items() if column.complete] == [
        "averageTone",
        "isRootEvent",
    ]
    assert found.columns["label"].language == "en"
    assert found.columns["averageTone"].scale == 3
    assert found.columns["codedActor"].prefix == ID
    # In the order of the names of records.
    assert found.cells("record", "label", "codedActor", "CAST(averageTone AS VARCHAR)", "isRootEvent") == [
        ("10", "Row 10", "country/usa", "10.125", False),
        ("9", None, None, "-2.500", True),
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(literal("1.50", "decimal"), literal("1.5", "decimal"), id="trailing zero"),
        pytest.param(literal("+1", "integer"), literal("1", "integer"), id="sign"),
        pytest.param(literal("01", "integer"), literal("1", "integer"), id="leading zero"),
        pytest.param(literal("1", "int"), literal("1", "int"), id="derived type"),
        pytest.param(literal("1", "boolean"), literal("true", "boolean"), id="boolean as a digit"),
        pytest.param(literal("-0", "decimal"), literal("1", "decimal"), id="negative zero"),
        pytest.param(literal("9223372036854775808", "integer"), literal("1", "integer"), id="beyond 64 bits"),
        pytest.param(literal("1", "integer"), literal("1", "decimal"), id="two kinds"),
        pytest.param(literal("1234567890.123456789", "decimal"), literal("1", "decimal"), id="19 digits"),
        pytest.param(literal("2018-01-01Z", "date"), literal("2018-01-01", "date"), id="date with a zone"),
        pytest.param(literal("12018-01-01", "date"), literal("2018-01-01", "date"), id="year of five digits"),
        pytest.param(literal("-0001-01-01", "date"), literal("2018-01-01", "date"), id="before our era"),
        pytest.param(literal("2018-02-30", "date"), literal("2018-01-01", "date"), id="no day"),
        pytest.param(
            literal("2018-01-01T00:00:00", "dateTime"),
            literal("2018-01-01T00:00:00Z", "dateTime"),
            id="no zone",
        ),
        pytest.param(
            literal("2018-01-01T00:00:00+01:00", "dateTime"),
            literal("2018-01-01T00:00:00Z", "dateTime"),
            id="zone",
        ),
        pytest.param(
            literal("2018-01-01T00:00:00.1234567Z", "dateTime"),
            literal("2018-01-01T00:00:00Z", "dateTime"),
            id="ticks",
        ),
        pytest.param(
            literal("2018-01-01T24:00:00Z", "dateTime"),
            literal("2018-01-02T00:00:00Z", "dateTime"),
            id="24 h",
        ),
        pytest.param(literal("1", "double"), literal("2", "double"), id="double"),
        pytest.param('"a"@en', '"b"@fr', id="two languages"),
        pytest.param('"a"@en', '"b"', id="language and none"),
        pytest.param('"a"@en--ltr', '"b"@en--ltr', id="direction"),
        pytest.param('"a"', f"<{ID}x>", id="string and IRI"),
        pytest.param("_:b", "_:c", id="blank nodes"),
        pytest.param("<<( <a:s> <a:p> <a:o> )>>", "<<( <a:s> <a:p> <a:x> )>>", id="triple terms"),
        pytest.param('"\\u0000"', '"a"', id="NUL"),
    ],
)
def test_other_values_stay_in_the_quads_alone(tmp_path: Path, one: str, other: str) -> None:
    plain = (dg("recordId"), '"x"')
    found = written(
        tmp_path, [*record("1", (dg("value"), one), plain), *record("2", (dg("value"), other), plain)]
    )
    assert found.table.others == (dg("value"),)
    assert list(found.columns) == ["recordId"]


def test_several_values_and_classes_stay_in_the_quads_alone(tmp_path: Path) -> None:
    several = [(dg("actorSector"), '"GOV"'), (dg("actorSector"), '"MIL"')]
    other = (TYPE, f"<{dg('Mention')}>")
    found = written(tmp_path, [*record("1", *several, (dg("recordId"), '"1"')), *record("2", other)])
    assert found.table.others == (TYPE, dg("actorSector"))
    assert list(found.columns) == ["recordId"]


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        (r"\t\b\n\r\f\"\\", '\t\b\n\r\f"\\'),
        (r"\\n \\\" \\u0041", '\\n \\" \\u0041'),
        (r"é\u00E9 \u4f60", "éé 你"),
        (r"\u0001\u001F\u007F", "\x01\x1f\x7f"),
        ("a\u0085b\u2028c 😀", "a\u0085b\u2028c 😀"),
        (r"end\\", "end\\"),
        ("", ""),
        ("it's 'so'", "it's 'so'"),
        (" <http://example.org/g> .", " <http://example.org/g> ."),
    ],
)
def test_escapes_are_decoded(tmp_path: Path, escaped: str, text: str) -> None:
    found = written(tmp_path, record("1", (dg("recordId"), f'"{escaped}"'), (LABEL, f'"{escaped}"@en-us')))
    assert found.cells("recordId", "label") == [(text, text)]
    assert found.columns["label"].language == "en-us"


def test_lines_of_a_table_are_the_quads(tmp_path: Path) -> None:
    statements = record("1", (dg("recordId"), r'"a\n\"\\b"'), (dg("tone"), literal("-1.25", "decimal")))
    table = written(tmp_path, statements).table
    lines = [line for (line,) in duckdb.sql(lines_query(table, f" <{GRAPH}>")).fetchall()]
    assert sorted(lines) == sorted(f"{one} <{GRAPH}> ." for one in statements)
    assert list(parse("\n".join(lines).encode(), format=RdfFormat.N_QUADS))


def test_a_difference_is_found(tmp_path: Path) -> None:
    found = written(tmp_path, record("1", (dg("mentionCount"), literal("7", "integer"))))
    text = found.export.read_text(encoding="utf-8")
    found.export.write_text(text.replace('"7"', '"8"'), encoding="utf-8")
    difference = first_difference(found.table, found.export)
    assert difference is not None
    assert difference.startswith("only in the table: ")
    assert '"7"' in difference
    found.export.write_text(text + text.replace("test-1", "test-2"), encoding="utf-8")
    assert "only in the graph" in (first_difference(found.table, found.export) or "")


def test_names_of_columns_are_distinct(tmp_path: Path) -> None:
    names = [
        ONTOLOGY + "time",
        "http://a.example/time",
        "http://b.example/TIME",
        "http://c.example/record",
        "urn:x:1",
    ]
    found = written(tmp_path, record("1", *((name, '"x"') for name in names)))
    lower = [name.lower() for name in found.columns]
    assert len({*lower, "record"}) == len(names) + 1
    assert {column.predicate for column in found.table.columns} == set(names)


def test_iris_of_several_places_have_a_prefix_of_their_own(tmp_path: Path) -> None:
    found = written(
        tmp_path,
        [
            *record("1", (dg("a"), "<http://x.example/p/one>"), (dg("b"), f"<{ID}x>")),
            *record("2", (dg("a"), "<http://x.example/p/other>"), (dg("b"), "<urn:x:1>")),
        ],
    )
    assert found.columns["a"].prefix == "http://x.example/p/"
    assert found.columns["b"].prefix == ""
    assert found.cells("a", "b") == [("one", ID + "x"), ("other", "urn:x:1")]


def test_repeated_and_scattered_lines_are_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_files, "_BATCH", 2)
    rows = [record(str(number), (dg("recordId"), f'"{number}"')) for number in range(7)]
    scattered = [row[0] for row in rows] + [row[1] for row in reversed(rows)]
    found = written(tmp_path, [*scattered, rows[3][0]])
    assert found.cells("record", "recordId") == [(str(n), str(n)) for n in range(7)]


def test_compressed_quads_and_triples_of_one_graph(tmp_path: Path) -> None:
    statements = record("1", (dg("recordId"), '"1"'))
    quads = packed_name(tmp_path / "added.nq")
    # As a load writes them: in several frames, with quads of another graph.
    quads.write_bytes(
        b"".join(frame((f"{one} <{GRAPH}> .\n{one}x <http://other/> .\n".encode(),)) for one in statements)
    )
    triples = tmp_path / "new.nt"
    triples.write_text("".join(f"{one} .\n" for one in statements), encoding="utf-8")
    first = write_table(quads, GRAPH, tmp_path / "1.parquet")
    second = write_table(triples, GRAPH, tmp_path / "2.parquet", triples=True)
    assert first is not None
    assert second is not None
    assert first.columns == second.columns
    assert (first.rows, first.others) == (1, ())


@pytest.mark.parametrize(
    "subject", ["<http://example.org/no-record>", "_:b", "<http://example.org/\\u00E9>"], ids=str
)
def test_without_named_records_there_is_no_table(tmp_path: Path, subject: str) -> None:
    kind = "Mention" if "no-record" in subject else "CodingRecord"
    source = tmp_path / "added.nq"
    source.write_text(f"{subject} <{TYPE}> <{dg(kind)}> <{GRAPH}> .\n", encoding="utf-8")
    assert write_table(source, GRAPH, tmp_path / "t.parquet") is None
    assert list(tmp_path.iterdir()) == [source]


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, record("1", (dg("recordId"), '"1"'))).table.path
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(StoreFailedError, match="cannot be used"):
        read_table(path)


def test_tables_with_the_same_records_are_found(tmp_path: Path) -> None:
    def table(name: str, *numbers: str, start: str = RECORD) -> RecordTable:
        folder = tmp_path / name
        folder.mkdir()
        statements = [
            one.replace(RECORD, start) for n in numbers for one in record(n, (dg("recordId"), f'"{n}"'))
        ]
        return written(folder, statements).table

    mine = table("mine", "1", "2", "3")
    same, apart = table("same", "3", "4"), table("apart", "5")
    longer = table("longer", "a-2", "a-7", start=RECORD.removesuffix("test-"))
    split = table("split", "test-2", "other-2", start=RECORD.removesuffix("test-"))
    assert split.prefix != mine.prefix
    assert shared_records(mine, [same, apart, longer, split]) == [same, split]
