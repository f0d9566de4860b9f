"""International organizations: their codes, seats and members, as the organizations themselves count them."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode

from kg.reference import reference_triples
from kg.terms import ID, term

SHARED = Path(os.environ.get("DIPLOGRAPH_SHARED") or Path(__file__).parents[4] / "shared")


def objects(slug: str, name: str) -> set[str]:
    subject = NamedNode(f"{ID}organization/{slug}")
    return {
        t.object.value for t in reference_triples()
        if t.subject == subject and t.predicate == term(name) and isinstance(t.object, NamedNode | Literal)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("slug", "count"),
    [("united-nations", 193), ("european-union", 27), ("nato", 32), ("oecd", 38), ("group-of-seven", 7),
     ("african-union", 55), ("asean", 11), ("arab-league", 22),
     ("opec", 12), ("apec", 21), ("council-of-europe", 46),
     ("gulf-cooperation-council", 6), ("shanghai-cooperation-organisation", 10)],
)  # fmt: skip
def test_count_of_members(slug: str, count: int) -> None:
    assert len(objects(slug, "org:hasMember")) == count


@pytest.mark.parametrize(
    ("slug", "inside", "outside"),
    [("nato", "tur swe fin", "aut che"), ("european-union", "cyp", "gbr nor"),
     ("united-nations", "irn", "twn pse xkx"),
     ("group-of-seven", "jpn", "rus"), ("opec", "irn", "qat ago"), ("arab-league", "pse", "irn"),
     ("asean", "tls", "png")],
)  # fmt: skip
def test_who_is_a_member(slug: str, inside: str, outside: str) -> None:
    members = {iri.rpartition("/")[2] for iri in objects(slug, "org:hasMember")}
    assert set(inside.split()) <= members
    assert not set(outside.split()) & members


def test_labels_and_seats() -> None:
    assert "欧盟" in objects("european-union", "rdfs:label")
    assert "Организация Объединенных Наций" in objects("united-nations", "rdfs:label")
    assert objects("iaea", "dg:seat") == {ID + "place/vienna-aut"}
    assert {"North Atlantic Treaty Organization"} <= objects("nato", "skos:altLabel")


def test_cameo_codes_are_in_the_published_list() -> None:
    path = SHARED / "data" / "cameo" / "CAMEO.knowngroup.txt"
    if not path.is_file():
        pytest.skip("CAMEO.knowngroup.txt is not here; set DIPLOGRAPH_SHARED to the folder that has data/")
    with path.open(encoding="latin-1", newline="") as file:
        known = {row["CODE"] for row in csv.DictReader(file, delimiter="\t")}
    codes = [
        t.object.value for t in reference_triples()
        if t.predicate == term("dg:cameo") and "/organization/" in str(t.subject)
        and isinstance(t.object, Literal)
    ]  # fmt: skip
    assert len(codes) == len(set(codes)) > 40
    assert set(codes) <= known
