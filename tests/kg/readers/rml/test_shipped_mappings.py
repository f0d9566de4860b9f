"""The shipped mappings on rows of our own: recognised, conforming, and as the codebooks mean them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from kg.terms import ID, term

TABLES = Path(__file__).parents[3] / "fixtures" / "tables"


@pytest.mark.parametrize("path", sorted(TABLES.iterdir()), ids=lambda path: path.stem)
def test_a_sample_of_each_format_conforms(path: Path, conform) -> None:
    read = conform(path, path.stem)
    assert not read.notes.of("lookup")


@pytest.fixture
def read(read_table, reference):
    return lambda name: read_table(TABLES / name, who=reference)


def test_acled(read) -> None:
    found = read("acled.csv")
    record = "record/acled-BGD9002"
    assert found.value(record, "dg:eventType") == f"{ID}event-type/cameo-190"
    assert found.value(record, "dg:time") == f"{ID}time/2022-07-02"
    place = found.value(record, "dg:codedPlace").removeprefix(ID)
    assert found.value(place, "dg:country") == f"{ID}country/bgd"
    assert found.value("quantity/acled-BGD9002-fatalities", "dg:value") == "2"
    # Two names that differ by a hyphen only.
    one = found.value(record, "dg:codedRecipient")
    other = found.value("record/acled-BGD9003", "dg:codedActor")
    assert one != other
    # Known to the month.
    assert found.value("record/acled-BGD9003", "dg:time") == f"{ID}time/2022-07"
    assert found.value("record/acled-BGD9003", "dg:eventType").endswith("/acled-strategic-development")
    assert found.values("record/acled-SRB9001", "dg:codedRecipient") == []


def test_the_numbers_of_rows_are_not_read_as_an_end(tmp_path, read_table, reference) -> None:
    """As pandas writes them, in a column without a name; no other column of ACLED is the end of an event."""
    head, *rows = (TABLES / "acled.csv").read_text(encoding="utf-8").splitlines()
    path = tmp_path / "index.csv"
    lines = [f",{head}", *(f"{2050 + number},{row}" for number, row in enumerate(rows))]
    path.write_text("\n".join(lines), encoding="utf-8")
    found = read_table(path, who=reference)
    assert not found.faults
    assert found.value("record/acled-BGD9002", "dg:time") == f"{ID}time/2022-07-02"


def test_ucdp_events(read) -> None:
    found = read("ucdp-ged.csv")
    assert found.value("record/ucdp-ged-900001", "dg:codedActor") == f"{ID}actor/ucdp-130-afg"
    assert found.value("actor/ucdp-130-afg", "dg:country") == f"{ID}country/afg"
    assert found.value("record/ucdp-ged-900001", "dg:codedRecipient") == f"{ID}actor/ucdp-9201"
    assert found.values("actor/ucdp-9201", "dg:country") == []
    assert found.value("record/ucdp-ged-900002", "dg:time") == f"{ID}time/2017-08-01--2017-08-05"
    assert found.value("record/ucdp-ged-900002", "dg:eventType") == f"{ID}event-type/cameo-18"


def test_ucdp_dyads(read) -> None:
    found = read("ucdp-dyadic.csv")
    assert found.value("actor/ucdp-141-ind", "dg:country") == f"{ID}country/ind"
    assert found.value("actor/ucdp-140-pak", "dg:country") == f"{ID}country/pak"
    # Gleditsch and Ward's 678 in 1970.
    assert found.value("actor/ucdp-1-cow-678", "dg:country") == f"{ID}country/cow-678"
    assert found.value("record/ucdp-dyadic-9301-1965", "dg:time") == f"{ID}time/1965"


def table(path: Path, name: str, *changes: dict[str, str]) -> Path:
    """Write the first row of a sample several times, each time with other values."""
    with (TABLES / name).open(encoding="utf-8", newline="") as file:
        first = next(csv.DictReader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(first))
        writer.writeheader()
        writer.writerows({**first, **change} for change in changes)
    return path


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        (
            "ucdp-ged.csv",
            [
                {"id": "1", "date_start": "1991-09-01", "date_end": "1991-09-01"},
                {"id": "2", "date_start": "1999-03-01", "date_end": "1999-03-01"},
            ],
        ),
        ("ucdp-dyadic.csv", [{"year": "1991"}, {"year": "1999"}]),
    ],
)
def test_a_number_that_meant_two_states_makes_two_actors(
    tmp_path: Path, conform, name: str, rows: list[dict[str, str]]
) -> None:
    """345 was Yugoslavia in 1991 and Serbia in 1999; so were the places there."""
    numbers = {"gwnoa": "345", "country_id": "345"} if "id" in rows[0] else {"gwno_a": "345"}
    path = table(tmp_path / name, name, *({**row, **numbers} for row in rows))
    found = conform(path, name.removesuffix(".csv"))
    for record, country in zip(found.rows, ("cow-345", "srb"), strict=True):
        actor = found.value(record.iri.removeprefix(ID), "dg:codedActor").removeprefix(ID)
        assert found.values(actor, "dg:country") == [f"{ID}country/{country}"]
        for place in found.values(record.iri.removeprefix(ID), "dg:codedPlace"):
            assert found.values(place.removeprefix(ID), "dg:country") == [f"{ID}country/{country}"]


def test_a_side_whose_number_is_unknown_stays_an_actor(tmp_path: Path, read_table, reference) -> None:
    found = read_table(table(tmp_path / "ucdp-ged.csv", "ucdp-ged.csv", {"gwnoa": "2, 200"}), who=reference)
    assert found.value("record/ucdp-ged-900001", "dg:codedActor") == f"{ID}actor/ucdp-130"
    assert found.values("actor/ucdp-130", "dg:country") == []
    assert [note.text.partition(";")[0] for note in found.notes.of("lookup")] == [
        "“2, 200” is not a Gleditsch–Ward code"
    ]


def test_participants_of_disputes(read) -> None:
    """A date without a day is a month; COW 345 was Serbia in 1913 and Yugoslavia in 1950."""
    found = read("cow-mid.csv")
    early = "record/cow-mid-9001-345-1913-05--1913-10-25"
    assert found.value(early, "dg:codedActor") == f"{ID}country/srb"
    span = found.value(early, "dg:time").removeprefix(ID)
    assert (found.value(span, "dg:begin"), found.value(span, "dg:end")) == ("1913-05-01", "1913-10-25")
    late = "record/cow-mid-9002-345-1950-03-03"
    assert found.value(late, "dg:codedActor") == f"{ID}country/cow-345"
    assert found.value(late, "dg:eventType") == f"{ID}event-type/cameo-138"


def test_pairs_in_disputes(read) -> None:
    found = read("cow-mid-dyadic.csv")
    record = "record/cow-mid-dyadic-9003-2-630-1988"
    sides = found.value(record, "dg:codedActor"), found.value(record, "dg:codedRecipient")
    assert sides == (f"{ID}country/usa", f"{ID}country/irn")


def test_votes(read) -> None:
    found = read("unga-votes.csv")
    votes = {t.subject.value: t.object.value for t in found.triples if t.predicate == term("dg:vote")}
    assert votes == {
        f"{ID}ballot/unga-9001-2": f"{ID}vote-choice/against",
        f"{ID}ballot/unga-9001-345": f"{ID}vote-choice/abstained",
        f"{ID}ballot/unga-9001-771": f"{ID}vote-choice/in-favour",
        f"{ID}ballot/unga-9002-345": f"{ID}vote-choice/absent",
    }
    assert found.value("ballot/unga-9001-345", "dg:castBy") == f"{ID}country/srb"
    # Whether it was adopted is not in the table.
    assert found.values("resolution/unga-9001", "dg:adoptedBy") == []
    assert found.value("resolution/unga-9001", "dg:putTo") == f"{ID}organization/un-general-assembly"
    assert found.value("resolution/unga-9001", "dg:votedOn") == f"{ID}time/2018-10-05"
    assert found.value("ballot/unga-9002-345", "dg:castBy") == f"{ID}country/cow-345"


def test_phoenix(read) -> None:
    found = read("phoenix.txt")
    assert found.value("record/phoenix-9001", "dg:codedRecipient") == f"{ID}country/irn"
    actor = found.value("record/phoenix-9001", "dg:codedActor").removeprefix(ID)
    assert found.value(actor, "dg:country") == f"{ID}country/usa"
    assert found.value("record/phoenix-9001", "dg:eventType") == f"{ID}event-type/cameo-043"
    region = found.value("record/phoenix-9002", "dg:codedActor").removeprefix(ID)
    assert found.value(region, "dg:codedRegion") == f"{ID}place/m49-002"
    assert found.values("record/phoenix-9002", "dg:codedPlace") == []
