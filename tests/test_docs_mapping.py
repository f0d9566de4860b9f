"""The examples of docs/mapping.md: the mappings are accepted, and their tables load as the text says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kg.bundled import ONTOLOGY_FOLDER
from kg.load import Preview, install
from kg.readers.detect import bundled_readers
from kg.readers.rml.mapping import LOOKUPS
from kg.store import EmbeddedStore
from kg.terms import ID, PREFIXES
from tests.kg.load.desks import Desk

TEXT = (Path(__file__).parent.parent / "docs" / "mapping.md").read_text(encoding="utf-8")


def snippets(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.M | re.S)


TABLES, MAPPINGS = snippets("csv"), snippets("turtle")
HEAD = MAPPINGS[0][: MAPPINGS[0].index("<>")]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = EmbeddedStore()
    install(store)
    yield Desk(store, tmp_path)
    store.close()


def load(desk: Desk, tmp_path: Path, number: int, name: str) -> Preview:
    mapping = tmp_path / f"{name}.rml.ttl"
    mapping.write_text(MAPPINGS[number] if number == 0 else HEAD + MAPPINGS[number], encoding="utf-8")
    _, preview = desk.preview(TABLES[number], f"{name}.csv", mapping=mapping)
    assert preview.findings == preview.faults == preview.unknown == ()
    desk.load(TABLES[number], f"{name}.csv", mapping=mapping)
    return preview


def values(desk: Desk, thing: str, predicate: str) -> list[str]:
    prefix, _, local = predicate.partition(":")
    query = f"SELECT ?v {{ <{ID}{thing}> <{PREFIXES[prefix]}{local}> ?v }} ORDER BY ?v"
    return [row["v"].value.removeprefix(ID) for row in desk.store.query(query).rows()]


def test_events_of_your_own(desk: Desk, tmp_path: Path) -> None:
    preview = load(desk, tmp_path, 0, "meetings")
    assert preview.notes == ()
    assert values(desk, "event/meetings-1", "dg:host") == ["country/qat"]
    assert values(desk, "event/meetings-2", "dg:eventType") == ["event-type/plover-agree"]
    assert values(desk, "event/meetings-2", "dg:time") == ["time/2018-02-02"]
    assert values(desk, "claim/meetings-1", "dg:states") == ["fact/meetings-1-host"]


def test_records_of_a_dataset(desk: Desk, tmp_path: Path) -> None:
    preview = load(desk, tmp_path, 1, "coded")
    assert preview.row_sum in TEXT
    notes = (
        "043, with its leading zero",
        "repeats an earlier one",
        "“999” is not a COW code; the row was left out",
    )
    assert all(any(word in note for word in notes) for note in preview.notes)
    assert values(desk, "record/coded-9001", "dg:codedRecipient") == ["country/irn"]
    assert values(desk, "record/coded-9001", "dg:eventType") == ["event-type/cameo-043"]
    assert values(desk, "record/coded-9002", "dg:codedRecipient") == ["country/cow-345"]
    assert values(desk, "record/coded-9002", "dg:time") == ["time/1990"]
    assert values(desk, "quantity/coded-9002-killed", "dg:value") == ["3"]
    assert values(desk, "quantity/coded-9001-killed", "dg:unit") == []


def test_the_text_names_what_there_is() -> None:
    assert len(TABLES) == len(MAPPINGS) == 2
    named = set(re.findall(r'`"([a-z0-9-]+)"`', TEXT))
    assert set(LOOKUPS) <= named
    words = set(re.findall(r"map:(\w+)", TEXT))
    shipped = "".join(
        path.read_text(encoding="utf-8") for path in (ONTOLOGY_FOLDER / "mappings").glob("*.ttl")
    )
    assert set(re.findall(r"map:(\w+)", shipped)) - {"label"} <= words
    assert TEXT.count("| `diplograph load") == len(bundled_readers())
