"""Records that seem to tell of one occurrence: together by a stated rule, each still there."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pyoxigraph
import pytest
from pyoxigraph import RdfFormat

from kg.readers.grouping import METHOD, Grouping
from kg.readers.record import Record
from kg.terms import ID, term

DAY = ("2018-01-01", f"{ID}country/usa", f"{ID}country/irn", f"{ID}event-type/cameo-120")


def record(number: int) -> str:
    return f"{ID}record/gdelt-{number}"


def members(group: Record) -> list[str]:
    found = pyoxigraph.parse(group.ntriples, format=RdfFormat.N_TRIPLES)
    return sorted(quad.object.value for quad in found if quad.predicate == term("dg:groupMember"))


def value(group: Record, name: str) -> str:
    found = pyoxigraph.parse(group.ntriples, format=RdfFormat.N_TRIPLES)
    (one,) = [quad.object.value for quad in found if quad.predicate == term(name)]
    return one


def groups(tmp_path: Path, rows: list[tuple[str, ...]]) -> list[Record]:
    with closing(Grouping(tmp_path)) as grouping:
        for row in rows:
            grouping.add(*row)
        return list(grouping.groups())


@pytest.mark.parametrize(
    ("second", "together"),
    [
        ((*DAY, "tehran", "a"), True),
        ((*DAY, "", "a"), True),
        ((*DAY, "tehran", "b"), True),
        ((*DAY, "qom", "b"), False),
        ((*DAY, "", ""), False),
        (("2018-01-02", *DAY[1:], "tehran", "a"), False),
        ((DAY[0], DAY[2], DAY[1], DAY[3], "tehran", "a"), False),
        ((*DAY[:3], f"{ID}event-type/cameo-130", "tehran", "a"), False),
    ],
    ids=["all alike", "document", "place", "neither", "unknown", "day", "direction", "type"],
)
def test_what_goes_together(tmp_path, second, together) -> None:
    found = groups(tmp_path, [(record(1), *DAY, "tehran", "a"), (record(2), *second)])
    assert [members(group) for group in found] == ([[record(1), record(2)]] if together else [])


def test_a_place_links_only_where_both_sides_are_known(tmp_path) -> None:
    one_sided = (DAY[0], DAY[1], "", DAY[3], "tehran")
    assert groups(tmp_path, [(record(1), *one_sided, "a"), (record(2), *one_sided, "b")]) == []
    assert len(groups(tmp_path, [(record(1), *one_sided, "a"), (record(2), *one_sided, "a")])) == 1


def test_links_are_followed_on(tmp_path) -> None:
    rows = [
        (record(n), *DAY, place, doc)
        for n, place, doc in ((1, "x", "a"), (2, "y", "a"), (3, "y", "b"), (4, "z", "c"))
    ]
    (group,) = groups(tmp_path, rows)
    assert members(group) == [record(1), record(2), record(3)]


def test_method_and_score_are_stated(tmp_path) -> None:
    """Four records, three of one document (0.75), two of one place (0.5): their mean."""
    rows = [
        (record(n), *DAY, place, doc)
        for n, place, doc in ((1, "x", "a"), (2, "x", "b"), (3, "y", "a"), (4, "z", "a"))
    ]
    (group,) = groups(tmp_path, rows)
    assert value(group, "dg:groupingMethod") == f"{ID}grouping-method/{METHOD}"
    assert Decimal(value(group, "dg:groupingScore")) == Decimal("0.62")
    assert (group.kind, group.day, group.type) == ("RecordGroup", DAY[0], DAY[3])
    assert group.iri == f"{ID}record-group/gdelt-1"


def test_records_without_score_of_places(tmp_path) -> None:
    (group,) = groups(tmp_path, [(record(1), *DAY, "", "a"), (record(2), *DAY, "", "a")])
    assert Decimal(value(group, "dg:groupingScore")) == Decimal("0.5")


def test_the_order_of_rows_does_not_matter(tmp_path) -> None:
    pick = random.Random(7)
    rows = [
        (
            record(n),
            f"2018-01-0{pick.randrange(1, 4)}",
            DAY[1],
            DAY[2],
            DAY[3],
            f"p{pick.randrange(9)}",
            f"d{pick.randrange(40)}",
        )
        for n in range(120)
    ]
    first = groups(tmp_path, rows)
    pick.shuffle(rows)
    assert groups(tmp_path, rows) == first
    assert first


def test_more_rows_than_memory_holds_and_nothing_left_behind(tmp_path, monkeypatch) -> None:
    rows = [(record(n), f"2018-01-{n % 28 + 1:02}", *DAY[1:], "x", "a") for n in range(200)]
    whole = groups(tmp_path, rows)
    monkeypatch.setattr("kg.readers.grouping.RUN_BYTES", 2000)
    parts = groups(tmp_path, rows)
    assert len(parts) == 28
    assert parts == whole
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told(tmp_path, monkeypatch) -> None:
    """A disk without room, as the kernel's own: every write to it fails."""
    monkeypatch.setattr("kg.readers.grouping.RUN_BYTES", 2000)
    with closing(Grouping(tmp_path)) as grouping:
        (tmp_path / "grouping").mkdir()
        (tmp_path / "grouping" / "lines").symlink_to("/dev/full")
        with pytest.raises(OSError, match="No space"):
            for n in range(1000):
                grouping.add(record(n), *DAY, "x", "a")


def test_real_duplicates_land_in_one_group(shared, read_table, tmp_path) -> None:
    """Rows that repeat day, actors, code and address: none of them is outside a group."""
    path = shared("gdelt/20180101000000.export.CSV")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    alike = defaultdict(list)
    for row in rows:
        alike[(row[1], *row[5:15], *row[15:25], row[26], row[60])].append(record(int(row[0])))
    repeated = [same for same in alike.values() if len(same) > 1]
    assert sum(len(same) - 1 for same in repeated) > len(rows) / 6, "this file is known for its repetitions"
    with closing(Grouping(tmp_path)) as grouping:
        read_table(path, None, grouping)
        found = list(grouping.groups())
    home = {member: group.iri for group in found for member in members(group)}
    for same in repeated:
        assert len({home[member] for member in same}) == 1
    assert len(home) == sum(len(members(group)) for group in found), "a record is in one group at most"
