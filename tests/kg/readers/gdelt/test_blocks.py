"""Rows are read in blocks that know nothing of one another; what comes of them is the same for any size."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kg.readers.gdelt.blocks import Identifiers
from kg.readers.grouping import Grouping
from kg.terms import ID


def rows(row: Any, number: int = 400) -> list[str]:
    """Rows with everything that reaches over the end of a block: repeats, faults, notes, shared things."""
    pick = random.Random(7)
    made: list[str] = []
    for n in range(number):
        cells: dict[str, str] = {"id": str(900_000_000 + n), "url": f"https://news.example/{n // 5}"}
        kind = pick.randrange(12)
        if kind == 0:
            made.append(pick.choice(made) if made else row(**cells))
            continue
        if kind == 1 and n:
            cells["id"] = str(900_000_000 + pick.randrange(n))
        if kind == 2:
            cells["code"] = "999"
        if kind == 3:
            cells |= {"a1": "XXZ", "a1name": "ÄRGER", "a1country": "XXZ"}
        if kind == 4:
            cells["day"] = f"201801{pick.randrange(1, 40):02}"
        if kind == 5:
            cells["id"] = f"0{cells['id']}"
        made.append(row(**cells))
    return made


def told(path: Path, read_table: Any, folder: Path) -> tuple[Any, ...]:
    with closing(Grouping(folder)) as grouping:
        read = read_table(path, None, grouping)
        groups = [record.ntriples for record in grouping.groups()]
    notes = sorted((n.kind, n.value, n.text, n.line, n.count) for n in read.notes.found.values())
    records = [(r.iri, r.ntriples, r.line, r.day, r.actors) for r in read.rows]
    return sorted(read.data.splitlines()), records, read.faults, notes, groups


@pytest.mark.parametrize("size", [400, 3_000, 20_000])
@pytest.mark.parametrize("rising", [True, False])
def test_the_size_of_the_blocks_makes_no_difference(
    tmp_path, row, read_table, monkeypatch, size, rising
) -> None:
    made = rows(row)
    if not rising:
        random.Random(3).shuffle(made)
    path = tmp_path / "a.csv"
    path.write_text("\r\n".join(made), encoding="utf-8")
    whole = told(path, read_table, tmp_path)
    assert whole[2], "there are faults to compare"
    assert {note[0] for note in whole[3]} >= {"repeated id", "repeated row", "country code"}
    monkeypatch.setattr("kg.readers.reading._BLOCK", size)
    assert told(path, read_table, tmp_path) == whole


def test_a_header_counts_for_the_blocks_that_follow(tmp_path, row, read_table, monkeypatch) -> None:
    monkeypatch.setattr("kg.readers.reading._BLOCK", 500)
    header = "\t".join(["GLOBALEVENTID", "SQLDATE", *(f"c{n}" for n in range(61))])
    lines = [row(id=str(n)) for n in range(1, 9)]
    later = [row(id=str(n)) + "\tmine\t1" for n in range(9, 20)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join([*lines, header, *later, row(id="20")]), encoding="utf-8")
    read = read_table(path, "gdelt")
    assert [record.iri for record in read.rows] == [f"{ID}record/gdelt-{n}" for n in range(1, 20)]
    assert [(fault.line, fault.reason[:24]) for fault in read.faults] == [(21, "the row has 61 columns i")]


def test_identifiers_in_order_and_in_none() -> None:
    seen = Identifiers()
    seen.add([1, 2, 3], [10, 20, 30])
    seen.add([7, 9], [70, 90])
    assert seen.known([10, 11]) == {}
    assert seen.known([3, 8, 12]) == {3: [30]}
    seen.add([3, 8], [31, 80])
    assert seen.known([3, 9]) == {3: [30, 31], 9: [90]}
    assert seen.known([]) == {}


def test_identifiers_are_forgotten_rather_than_grow(monkeypatch) -> None:
    monkeypatch.setattr("kg.readers.gdelt.blocks._ASCENDING", 4)
    seen = Identifiers()
    seen.add([1, 2, 3], [10, 20, 30])
    assert not seen.forgot
    seen.add([4, 5], [40, 50])
    assert seen.forgot
    assert seen.known([1, 4]) == {4: [40]}
