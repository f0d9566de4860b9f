"""Tables through the pipeline: previews, differences, conflicts, likely repeats, rows that cannot be read."""

from __future__ import annotations

import pytest

from kg.errors import UnreadableRowsError
from kg.load import store_load, undo_load
from kg.load.staged.staging_tables import Faults
from kg.provenance import read_load
from kg.readers.record import RowFault
from kg.terms import ID, ONTOLOGY
from tests.kg.load.desks import (
    EVENT,
    ROWS,
    TEXT,
    Desk,
    data,
)


def test_a_table_is_previewed_stored_and_undone(desk: Desk) -> None:
    before = data(desk.store)
    folder, preview = desk.preview(ROWS, "x.small")
    assert data(desk.store) == before
    assert preview.added == 3 * 5 + 2 * 2
    assert preview.records == 3
    counts = {count.type: count.new for count in preview.counts}
    assert counts == {f"{ONTOLOGY}CodingRecord": 3, f"{ONTOLOGY}Agent": 2}
    assert [thing.label for thing in preview.things] == ["Row 1", "Row 2", "Row 3"]
    assert "2 records with the same day, type and actors, in 1 group" in preview.duplicates[0]
    load = store_load(desk.store, desk.loads, folder)
    assert load is not None
    assert len(data(desk.store)) == len(before) + load.added == len(before) + preview.added
    done = undo_load(desk.store, desk.loads, folder)
    assert done.kept == ()
    assert (done.undoing.taken_back, done.undoing.restored) == (preview.added, 0)
    assert data(desk.store) == before
    assert read_load(desk.store, folder.id).undone is not None


def test_the_same_table_again_changes_nothing(desk: Desk) -> None:
    desk.load(ROWS, "x.small")
    _, again = desk.preview(ROWS, "x.small")
    assert again.unchanged
    assert {count.type: count.unchanged for count in again.counts}[f"{ONTOLOGY}CodingRecord"] == 3


def test_a_newer_table_replaces_its_graph_and_shows_the_difference(desk: Desk) -> None:
    before = data(desk.store)
    desk.load(ROWS, "x.small")
    middle = data(desk.store)
    newer = ROWS.replace("2,2018-01-01,046", "2,2018-01-05,046").replace("3,2018-01-02,174,norway\n", "")
    folder, preview = desk.preview(newer, "x.small")
    counts = {count.type: count for count in preview.counts}
    record = counts[f"{ONTOLOGY}CodingRecord"]
    assert (record.new, record.changed, record.unchanged, record.gone) == (0, 1, 1, 1)
    [conflict] = preview.conflicts
    assert (conflict.what, conflict.where) == ("date", "before")
    assert conflict.here == ("id:time/2018-01-05",)
    store_load(desk.store, desk.loads, folder)
    undo_load(desk.store, desk.loads, folder)
    assert data(desk.store) == middle
    first = desk.loads.all()[0][0]
    undo_load(desk.store, desk.loads, first)
    assert data(desk.store) == before


def test_a_record_that_another_source_codes_otherwise_is_a_conflict(desk: Desk) -> None:
    desk.load(ROWS, "x.small")
    _, preview = desk.preview("1,2018-01-01,174,kenya\n9,2018-01-01,046,kenya\n", "y.small")
    [conflict] = preview.conflicts
    assert (conflict.what, conflict.where) == ("type", "graph:x")
    assert conflict.there == ("id:event-type/cameo-046",)


def test_an_event_that_another_source_dates_otherwise_is_a_conflict(desk: Desk) -> None:
    desk.load(TEXT, "new-event.ttl")
    text = TEXT.replace("2018-03-14", "2018-03-19").replace("14 March", "19 March")
    _, preview = desk.preview(text, "other.ttl")
    [conflict] = preview.conflicts
    assert conflict.iri == EVENT
    assert conflict.what == "date"


def test_a_month_does_not_conflict_with_one_of_its_days(desk: Desk) -> None:
    desk.load("1,2018-01-05,046,norway\n2,2018-01-05,046,kenya\n", "x.small")
    _, preview = desk.preview("1,2018-01,046,norway\n2,2018-02,046,kenya\n", "y.small")
    [conflict] = preview.conflicts
    assert (conflict.iri, conflict.here) == (f"{ID}record/small-2", ("id:time/2018-02",))


def test_an_event_under_another_iri_is_a_likely_repeat(desk: Desk) -> None:
    desk.load(TEXT, "new-event.ttl")
    _, preview = desk.preview(TEXT.replace("norway-kenya-port-accord", "lamu-accord"), "other.ttl")
    assert any("same date, type and actor" in line for line in preview.duplicates)


def test_actors_that_nobody_knows_are_listed_with_known_ones_of_like_names(desk: Desk) -> None:
    _, preview = desk.preview("1,2018-01-01,046,Norwai\n2,2018-01-01,046,Zzyzx\n", "x.small")
    found = {one.label: [label for _, label in one.suggestions] for one in preview.newcomers}
    assert found == {"Norwai": ["Norway"], "Zzyzx": []}


def test_rows_that_cannot_be_read_stop_the_load_unless_allowed(desk: Desk) -> None:
    text = ROWS + "4,2018-01-01\n"
    with pytest.raises(UnreadableRowsError) as caught:
        desk.preview(text, "x.small")
    assert caught.value.findings == ("x.small, line 4: it has 2 columns in place of 4",)
    assert caught.value.detail == "1 row cannot be read; nothing was stored"
    _, preview = desk.preview(text, "x.small", max_errors=1)
    assert preview.fault_count == 1
    assert preview.faults == caught.value.findings
    assert preview.findings == ()
    assert preview.records == 3


def test_several_faults_of_a_row_are_one_row() -> None:
    faults = Faults("a.csv", limit=0)
    for line, column in ((2, "date"), (2, "type"), (2, "url"), (5, "date")):
        faults.take(RowFault("a.csv", line, column, "it is wrong"))
    with pytest.raises(UnreadableRowsError) as caught:
        faults.check()
    assert caught.value.detail == "2 rows cannot be read, with 4 faults; nothing was stored"
    assert len(caught.value.findings) == 4


def test_reading_ends_when_too_many_rows_are_wrong(desk: Desk) -> None:
    with pytest.raises(UnreadableRowsError, match="more than 100"):
        desk.preview("wrong\n" * 5000, "x.small")


def test_rows_with_the_id_of_another_are_counted_once(desk: Desk) -> None:
    folder, preview = desk.preview(ROWS + ROWS, "x.small")
    assert "3 rows with the id" in preview.duplicates[0]
    before = len(data(desk.store))
    store_load(desk.store, desk.loads, folder)
    assert len(data(desk.store)) == before + preview.added


def test_a_file_that_replaces_another_one_of_a_like_name_is_noted(desk: Desk) -> None:
    """Both names make graph/a-1, so that the second file would take the place of the first."""
    desk.load(ROWS, "A-1.small")
    _, preview = desk.preview(ROWS, "A 1.small")
    assert any("A-1.small" in note and "source" in note for note in preview.notes)
    for name, options in (("A-1.small", {}), ("folder/A-1.small", {}), ("A 1.small", {"source": "other"})):
        _, preview = desk.preview(ROWS, name, **options)
        assert not preview.notes
