"""Tables of real event datasets: what becomes a column, and that table and quads say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from kg.load import LoadRequest, Loads, prepare, store_load
from kg.readers.icews import COLUMNS as ICEWS
from kg.readers.polecat import COLUMNS as POLECAT
from kg.store import EmbeddedStore
from kg.table.current import current_tables, known_tables
from kg.table.record_quads import find_fault
from kg.table.record_table import RecordTable
from kg.terms import ONTOLOGY
from tests.kg.readers.conftest import gdelt_row

ICEWS_ROW = {
    **dict.fromkeys(ICEWS, ""),
    "Event ID": "26001",
    "Event Date": "2014-03-05",
    "Source Name": "Iran",
    "Source Country": "Iran",
    "Event Text": 'Meet at a "place" of one\'s own\\',
    "CAMEO Code": "043",
    "Intensity": "2.8",
    "Target Name": "Hassan Rouhani",
    "Target Sectors": "Executive,Government",
    "Target Country": "Iran",
    "Story ID": "777001",
    "Sentence Number": "3",
}
POLECAT_ROW = {
    **dict.fromkeys(POLECAT, ""),
    "Event ID": "20230105-1",
    "Event Date": "2023-01-05",
    "Event Type": "CONSULT",
    "Intensity": "1.5",
    "Quad Code": "VERBAL COOPERATION",
    "Contexts": "diplomatic;military",
    "Actor Name": "United States; Iran",
    "Actor Country": "USA; IRN",
    "Actor COW": "2; 630",
    "Recipient Name": "Hassan Rouhani",
    "Recipient Country": "IRN",
    "Recipient COW": "630",
}


def tab(columns: tuple[str, ...], *rows: dict[str, str]) -> str:
    lines = ["\t".join(row[name] for name in columns) for row in rows]
    return "\n".join(["\t".join(columns), *lines]) + "\n"


FILES = {
    "20180101000000.export.CSV": "\n".join(
        [
            gdelt_row(),
            gdelt_row(id="900000002", a2="", a2name="", a2country="", tone="-2.56410256410256"),
            gdelt_row(id="900000003", root="0", code="190", base="190"),
            "",
        ]
    ),
    "events.2014.tab": tab(
        ICEWS, ICEWS_ROW, {**ICEWS_ROW, "Event ID": "26002", "Target Sectors": "", "Story ID": ""}
    ),
    "ngecEvents.DV.2023.txt": tab(
        POLECAT, POLECAT_ROW, {**POLECAT_ROW, "Event ID": "20230105-2", "Contexts": ""}
    ),
}
# Rows, properties with several values of one record, and columns of which cells are empty.
EXPECTED = {
    "20180101000000.export.CSV": (3, set(), {"codedRecipient", "recipientName"}),
    "events.2014.tab": (2, {"recipientSector"}, {"codedFrom", "storyId"}),
    "ngecEvents.DV.2023.txt": (2, {"codedActor", "codedContext"}, set()),
}


@pytest.mark.parametrize("name", FILES)
def test_a_dataset(store: EmbeddedStore, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(FILES[name], encoding="utf-8")
    loads = Loads(tmp_path / "loads")
    folder, _ = loads.new(name)
    prepare(store, folder, LoadRequest(path, name, source="set"))
    assert store_load(store, loads, folder) is not None
    table: RecordTable
    (table,) = current_tables(store, loads.tables)
    rows, several, empty = EXPECTED[name]
    assert table.rows == rows
    assert {one.removeprefix(ONTOLOGY) for one in table.others} >= several
    columns = {column.name: column for column in table.columns}
    kinds = {name: columns[name].kind for name in ("label", "recordId", "dataset", "eventType", "time")}
    assert kinds == {
        "label": "text",
        "recordId": "string",
        "dataset": "iri",
        "eventType": "iri",
        "time": "iri",
    }
    assert all(columns[one].complete for one in kinds)
    assert not any(columns[one].complete for one in empty)
    # Together they are all properties that the store has of the records.
    found = store.query(
        f"SELECT DISTINCT ?p {{ GRAPH <{table.graph}> {{ ?s a <{ONTOLOGY}CodingRecord> ; ?p ?o "
        f"FILTER(?p != <http://www.w3.org/1999/02/22-rdf-syntax-ns#type>) }} }}"
    ).rows()
    predicates = {row["p"].value for row in found}  # type: ignore[union-attr]
    assert predicates == {column.predicate for column in table.columns} | set(table.others)
    assert find_fault(store, loads.tables, known_tables(store)[0]) is None
