"""GDELT rows become coding records: what the row says, and nothing else."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pyoxigraph
import pytest
from pyoxigraph import NamedNode

from kg.readers.detect import find_reader
from kg.resolver import Resolver
from kg.store import EmbeddedStore
from kg.terms import ID, PREFIXES, term

RECORD = "record/gdelt-900000001"


def table(tmp_path: Path, *rows: str, name: str = "day.export.CSV") -> Path:
    path = tmp_path / name
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_a_row_becomes_a_record(tmp_path, row, read_table) -> None:
    read = read_table(table(tmp_path, row()))
    assert not read.faults
    assert read.reader.name == "gdelt"
    assert read.value(RECORD, "rdf:type") == term("dg:CodingRecord").value
    assert read.value(RECORD, "dg:recordId") == "900000001"
    assert read.value(RECORD, "dg:dataset") == f"{ID}source/gdelt"
    assert read.value(RECORD, "dg:codedActor") == f"{ID}country/usa"
    assert read.value(RECORD, "dg:codedRecipient") == f"{ID}country/irn"
    assert read.value(RECORD, "dg:eventType") == f"{ID}event-type/cameo-043"
    assert read.value(RECORD, "dg:time") == f"{ID}time/2018-01-01"
    assert Decimal(read.value(RECORD, "dg:goldstein")) == Decimal("2.8")
    assert Decimal(read.value(RECORD, "dg:averageTone")) == Decimal("-2.5")
    assert read.value(RECORD, "dg:mentionCount") == "4"
    assert read.value(RECORD, "dg:sourceCount") == "1"
    assert read.value(RECORD, "dg:isRootEvent") == "true"
    assert read.value(RECORD, "dg:codedQuadClass") == f"{ID}quad-class/verbal-cooperation"
    assert read.value(RECORD, "dg:codedRecipientPlace") == f"{ID}country/irn"
    assert read.value(RECORD, "dg:addedOn") == "2018-01-01T00:00:00Z"
    document = read.value(RECORD, "dg:codedFrom").removeprefix(ID)
    assert read.value(document, "dg:url") == "https://news.example/world/talks-in-tehran.html"
    place = read.value(RECORD, "dg:codedPlace").removeprefix(ID)
    assert read.value(place, "rdfs:label") == "Tehran, Tehran, Iran"
    assert read.value(place, "dg:country") == f"{ID}country/irn"
    assert (read.value(place, "dg:latitude"), read.value(place, "dg:longitude")) == ("35.75", "51.5148")
    assert read.value("time/2018-01-01", "dg:begin") == "2018-01-01"
    (record,) = read.rows
    assert (record.line, record.day, record.type) == (1, "2018-01-01", f"{ID}event-type/cameo-043")
    assert record.actors == (f"{ID}country/usa", f"{ID}country/irn")


def test_a_record_is_never_an_event(tmp_path, row, read_table) -> None:
    kinds = {t.object for t in read_table(table(tmp_path, row())).triples if t.predicate == term("rdf:type")}
    assert term("dg:Event") not in kinds
    assert term("dg:Claim") not in kinds


def test_first_comes_the_dataset_and_what_a_row_needs_comes_before_it(tmp_path, row, read_table) -> None:
    kinds = [record.kind for record in read_table(table(tmp_path, row())).records]
    assert kinds[0] == "Dataset"
    assert kinds[-1] == "CodingRecord"
    assert set(kinds[1:-1]) == {PREFIXES["time"] + "ProperInterval", "Place", "Article"}


def test_the_same_file_gives_the_same_bytes(tmp_path, row, read_table) -> None:
    path = table(tmp_path, row(), row(id="900000002", code="174", base="174", family="17"))
    assert read_table(path).data == read_table(path).data


def test_what_rows_share_is_described_once(tmp_path, row, read_table) -> None:
    lines = read_table(table(tmp_path, row(), row(id="900000002"), row(id="900000003"))).data.splitlines()
    assert len(lines) == len(set(lines))


@pytest.mark.parametrize(
    ("cells", "column", "says"),
    [
        ({"day": "20180231"}, "SQLDATE", "20180231"),
        ({"day": ""}, "SQLDATE", "not a date"),
        ({"day": "2018013"}, "SQLDATE", "not a date"),
        ({"code": "999", "family": "99"}, "EventCode", "999"),
        ({"code": "", "family": ""}, "EventCode", "not a CAMEO code"),
        ({"code": "ABC"}, "EventCode", "not a CAMEO code"),
        ({"id": "12x"}, "GLOBALEVENTID", "digits"),
        ({"goldstein": "11"}, "GoldsteinScale", "between -10 and 10"),
        ({"goldstein": "high"}, "GoldsteinScale", "not a number"),
        ({"tone": "sad"}, "AvgTone", "not a number"),
        ({"mentions": "-1"}, "NumMentions", "not a count"),
        ({"articles": "1.5"}, "NumArticles", "not a count"),
        ({"quad": "5"}, "QuadClass", "1 to 4"),
        ({"root": "yes"}, "IsRootEvent", "not 0 or 1"),
        ({"place": "4\tTehran\tIR\tIR26\t\t95.75\t51.5\t1"}, "ActionGeo_Lat", "95.75"),
        ({"place": "4\tTehran\tIR\tIR26\t\t35.75\t181\t1"}, "ActionGeo_Long", "181"),
        ({"place": "4\tTehran\tIR\tIR26\t\tnorth\t51\t1"}, "ActionGeo_Lat", "north"),
        ({"a2place": "4\tTehran\tIR\tIR26\t\tnan\t51\t1"}, "Actor2Geo_Lat", "latitude is missing"),
    ],
)
def test_a_bad_cell_is_reported_with_its_place_and_the_rest_is_read(
    tmp_path, row, read_table, cells, column, says
) -> None:
    read = read_table(table(tmp_path, row(), row(**{"id": "900000002", **cells}), row(id="900000003")))
    (fault,) = read.faults
    assert (fault.file, fault.line, fault.column) == ("day.export.CSV", 2, column)
    assert says in fault.reason
    assert [record.iri for record in read.rows] == [
        f"{ID}record/gdelt-900000001",
        f"{ID}record/gdelt-900000003",
    ]


@pytest.mark.parametrize("first", [True, False])
def test_a_row_of_60_columns(tmp_path, row, read_table, first) -> None:
    short = row(id="900000002").rpartition("\t")[0]
    good = [row(), row(id="900000003")]
    read = read_table(table(tmp_path, *([short, *good] if first else [*good, short])))
    (fault,) = read.faults
    assert fault.line == (1 if first else 3)
    assert "60 columns" in fault.reason
    assert "61" in fault.reason
    assert len(read.rows) == 2


def test_lost_zeros_come_back_where_the_root_code_tells(tmp_path, row, read_table) -> None:
    read = read_table(
        table(
            tmp_path,
            row(code="43", base="43", family="4"),
            row(id="900000002", code="46", family="04"),
            row(id="900000003", code="20", family="02"),
        )
    )
    assert read.value("record/gdelt-900000003", "dg:eventType") == f"{ID}event-type/cameo-020"
    assert read.value(RECORD, "dg:eventType") == f"{ID}event-type/cameo-043"
    assert read.value("record/gdelt-900000002", "dg:eventType") == f"{ID}event-type/cameo-046"
    assert [(n.value, n.line) for n in read.notes.of("repaired code")] == [
        ("43", 1),
        ("46", 2),
        ("20", 3),
    ]
    assert "043" in read.notes.of("repaired code")[0].text


def test_a_code_that_is_one_stays_as_it_is(tmp_path, row, read_table) -> None:
    """19 is a root code of its own; without a sign that a zero was lost nothing is put before it."""
    read = read_table(table(tmp_path, row(code="19", base="19", family="19", quad="4", goldstein="-10")))
    assert read.value(RECORD, "dg:eventType") == f"{ID}event-type/cameo-19"
    assert not read.notes.of("repaired code")


def test_a_code_outside_the_scheme_is_minted_and_listed(tmp_path, row, read_table) -> None:
    read = read_table(
        table(
            tmp_path, row(code="1739", base="173", family="17"), row(id="900000002", code="1739", family="17")
        )
    )
    assert read.value(RECORD, "dg:eventType") == f"{ID}event-type/gdelt-1739"
    assert term("dg:EventType").value in read.values("event-type/gdelt-1739", "rdf:type")
    (note,) = read.notes.of("event type")
    assert (note.value, note.line, note.count) == ("1739", 1, 2)
    assert "173" in note.text


def test_namibia_is_no_null_and_na_is_one(tmp_path, row, read_table) -> None:
    """Namibia is NAM in CAMEO and WA in FIPS, so NA and None only ever stand for missing values here."""
    read = read_table(
        table(
            tmp_path,
            row(a1="NAM", a1name="NA", a1country="NAM", a2="GOV", a2name="None", a2country="", a2type="GOV"),
            row(id="900000002", a1="NA", a1name="NA", a1country="NA", place="NA" + "\tNA" * 7),
        )
    )
    assert not read.faults
    assert read.value(RECORD, "dg:codedActor") == f"{ID}country/nam"
    assert b'"NA"' not in read.data and b'"None"' not in read.data
    second = "record/gdelt-900000002"
    assert read.values(second, "dg:codedActor") == read.values(second, "dg:codedPlace") == []
    noted = {note.text: (note.count, note.line) for note in read.notes.of("missing value")}
    assert noted["NA was read as missing in Actor1Name"] == (2, 1)
    assert noted["NA was read as missing in ActionGeo_Lat"] == (1, 2)


def test_a_root_code_that_contradicts_the_event_code_is_noted(tmp_path, row, read_table) -> None:
    read = read_table(
        table(tmp_path, row(code="043", family="17"), row(id="900000002", code="043", family="17"))
    )
    assert read.value(RECORD, "dg:eventType") == f"{ID}event-type/cameo-043"
    (note,) = read.notes.of("event type")
    assert "043" in note.text
    assert "17" in note.text
    assert note.count == 2


def test_a_place_without_a_name_is_named_by_its_point(tmp_path, row, read_table) -> None:
    place = "4\t\tIR\tIR26\t\t35.75\t51.5148\t"
    read = read_table(table(tmp_path, row(place=place)))
    named = read.value(RECORD, "dg:codedPlace").removeprefix(ID)
    assert read.value(named, "rdfs:label") == "35.75°, 51.5148°"


@pytest.mark.parametrize(
    ("code", "iri"), [("ROM", f"{ID}country/rou"), ("TMP", None), ("MTN", None), ("IMY", None)]
)
def test_cameo_codes_are_no_iso_codes(tmp_path, row, read_table, code, iri) -> None:
    """CAMEO's ROM is Romania (ISO ROU); a code that the graph does not know is kept as the dataset's own."""
    read = read_table(table(tmp_path, row(a1=code, a1name="X", a1country=code)))
    if iri:
        assert read.value(RECORD, "dg:codedActor") == iri
    else:
        assert read.value(RECORD, "dg:codedActor") == f"{ID}actor/gdelt-{code.lower()}-x"
        assert read.values(f"actor/gdelt-{code.lower()}-x", "dg:country") == []
        assert [n.value for n in read.notes.of("country code")] == [code]


def test_a_country_is_read_from_the_actor_code_if_its_column_is_empty(tmp_path, row, read_table) -> None:
    """GDELT leaves the column empty for ROU, which CAMEO lists as ROM."""
    cells = {"a1": "ROU", "a1name": "ROMANIA", "a1country": ""}
    cells |= {"a2": "ROUGOV", "a2name": "A MINISTRY", "a2country": "", "a2type": "GOV"}
    read = read_table(table(tmp_path, row(**cells)))
    assert read.value(RECORD, "dg:codedActor") == f"{ID}country/rou"
    ministry = read.value(RECORD, "dg:codedRecipient").removeprefix(ID)
    assert read.value(ministry, "dg:country") == f"{ID}country/rou"


@pytest.mark.parametrize("column", ["AFR", ""])
def test_a_region_in_the_column_of_the_country(tmp_path, row, read_table, reference, column) -> None:
    cells = {"a1": "AFRGOV", "a1name": "A MINISTER", "a1country": column, "a1type": "GOV"}
    read = read_table(table(tmp_path, row(**cells)), who=reference)
    actor = read.value(RECORD, "dg:codedActor").removeprefix(ID)
    assert read.value(actor, "dg:codedRegion") == f"{ID}place/m49-002"
    assert read.values(actor, "dg:country") == []
    assert [note.text for note in read.notes.of("country code")] == [
        "AFR is a region, so the actor has no country"
    ]


def test_a_group_at_the_beginning_of_a_code_is_not_a_country(tmp_path, row, read_table) -> None:
    cells = row(a1="IRNXX", a1name="A GROUP", a1country="").split("\t")
    cells[8] = "IRN"
    read = read_table(table(tmp_path, "\t".join(cells)))
    actor = read.value(RECORD, "dg:codedActor").removeprefix(ID)
    assert read.values(actor, "dg:country") == []


def test_fips_is_for_places_and_cameo_for_actors(tmp_path, row, read_table) -> None:
    """IR is Iran by FIPS and RO Romania; neither is read by another system (ISO's AS is not FIPS's)."""
    place = "1\tRomania\tRO\tRO\t\t46\t25\tRO"
    read = read_table(table(tmp_path, row(place=place, a1="RO", a1name="SOMEBODY", a1country="RO")))
    assert read.value(RECORD, "dg:codedPlace") == f"{ID}country/rou"
    assert read.value(RECORD, "dg:codedActor") == f"{ID}actor/gdelt-ro-somebody"


def test_a_wire_service_is_not_its_home_country(tmp_path, row, read_table) -> None:
    read = read_table(table(tmp_path, row(a1="USAMED", a1name="REUTERS", a1type="MED")))
    actor = read.value(RECORD, "dg:codedActor").removeprefix(ID)
    assert actor == "actor/gdelt-usamed-reuters"
    assert read.value(actor, "rdf:type") == term("dg:NewsOrganization").value
    assert read.values(actor, "dg:country") == []
    assert read.value(actor, "dg:codedCountry") == f"{ID}country/usa"
    assert [n.value for n in read.notes.of("wire service")] == ["REUTERS (USAMED)"]


def test_a_government_acts_for_its_country_and_keeps_its_code(tmp_path, row, read_table) -> None:
    read = read_table(table(tmp_path, row(a1="USAGOV", a1name="WHITE HOUSE", a1type="GOV")))
    actor = read.value(RECORD, "dg:codedActor").removeprefix(ID)
    assert read.value(actor, "dg:country") == f"{ID}country/usa"
    assert read.value(actor, "dg:sourceCode") == "USAGOV"


def test_an_actor_never_has_two_countries(tmp_path, row, read_table, reference) -> None:
    """YUG was Yugoslavia until 1992 and Serbia and Montenegro after it: two actors of one code."""
    cells = {"a1": "YUGGOV", "a1name": "BELGRADE", "a1country": "YUG", "a1type": "GOV"}
    rows = [row(id=day[:4], day=day, **cells) for day in ("19850101", "19990101")]
    read = read_table(table(tmp_path, *rows), who=reference)
    actors = [read.value(f"record/gdelt-{year}", "dg:codedActor").removeprefix(ID) for year in (1985, 1999)]
    countries = [read.values(actor, "dg:country") for actor in actors]
    assert countries == [[f"{ID}country/cow-345"], [f"{ID}country/srb"]]


def test_a_person_of_the_graph_is_found_by_name(tmp_path, row, read_table) -> None:
    read = read_table(table(tmp_path, row(a2="IRNGOV", a2name="HASSAN ROUHANI", a2type="GOV")))
    assert read.value(RECORD, "dg:codedRecipient") == f"{ID}person/hassan-rouhani"


def test_a_known_group_is_the_organization(tmp_path, row, read_table) -> None:
    who = Resolver(codes=[("cameo", "UNO", f"{ID}organization/united-nations")])
    cells = row(a1="IGOUNO", a1name="UNITED NATIONS", a1country="", a1type="IGO").split("\t")
    cells[8] = "UNO"
    read = read_table(table(tmp_path, "\t".join(cells)), None, None, who)
    assert read.value(RECORD, "dg:codedActor") == f"{ID}organization/united-nations"


def test_a_body_of_a_known_group_is_not_the_group(tmp_path, row, read_table) -> None:
    """IGOUNOKID is UNICEF, not the United Nations."""
    who = Resolver(codes=[("cameo", "UNO", f"{ID}organization/united-nations")])
    cells = row(a1="IGOUNOKID", a1name="UNICEF", a1country="", a1type="IGO").split("\t")
    cells[8] = "UNO"
    read = read_table(table(tmp_path, "\t".join(cells)), None, None, who)
    assert read.value(RECORD, "dg:codedActor") == f"{ID}actor/gdelt-igounokid-unicef"


def test_a_name_never_makes_a_part_of_a_country_the_country(tmp_path, row, read_table) -> None:
    read = read_table(table(tmp_path, row(a1="USACOP", a1name="UNITED STATES", a1type="COP")))
    assert read.value(RECORD, "dg:codedActor") == f"{ID}actor/gdelt-usacop-united-states"


def test_quotation_marks_and_backslashes_are_characters(tmp_path, row, read_table) -> None:
    name = 'AN "ODD" \\ NAME, "OPEN'
    read = read_table(
        table(tmp_path, row(a1="GOV", a1name=name, a1country="", a1type="GOV"), row(id="900000002"))
    )
    assert not read.faults
    assert read.value(RECORD, "dg:actorName") == name
    assert len(read.rows) == 2


def test_an_identifier_that_comes_twice(tmp_path, row, read_table) -> None:
    """The same row again adds nothing; another row under the same identifier is kept beside the first."""
    other = row(goldstein="-2.0", code="046", base="046")
    read = read_table(table(tmp_path, row(), row(), other))
    assert len(read.rows) == 2
    assert Decimal(read.value(RECORD, "dg:goldstein")) == Decimal("2.8")
    assert [n.value for n in read.notes.of("repeated row")] == ["900000001"]
    assert [n.value for n in read.notes.of("repeated id")] == ["900000001"]
    second = read.rows[1].iri.removeprefix(ID)
    assert Decimal(read.value(second, "dg:goldstein")) == Decimal("-2.0")


def test_an_address_that_is_none_names_a_source(tmp_path, row, read_table) -> None:
    read = read_table(table(tmp_path, row(url="BBC Monitoring")))
    document = read.value(RECORD, "dg:codedFrom").removeprefix(ID)
    assert read.value(document, "rdfs:label") == "BBC Monitoring"
    assert read.values(document, "dg:url") == []


def test_a_header_and_further_columns(tmp_path, row, read_table, shared) -> None:
    header = shared("gdelt/gdelt_iran_usa.tsv").read_text(encoding="utf-8").split("\n")[0]
    read = read_table(table(tmp_path, header, row() + "\tday.CSV\t2.8", name="own.tsv"))
    assert not read.faults
    assert len(read.rows) == 1


def test_own_rows_conform(tmp_path, row, conform) -> None:
    rows = [
        row(),
        row(id="2", a1="USAMED", a1name="REUTERS", a1type="MED"),
        row(id="3", code="1739", family="17"),
        row(id="4", a1="", a1name="", a1country=""),
        row(id="5", url="BBC Monitoring"),
        row(id="6", url=""),
        row(id="7", place="2\tOhio, United States\tUS\tUSOH\t\t40\t-82\tOH"),
        row(id="8", goldstein="", tone=""),
    ]
    conform(table(tmp_path, *rows), "gdelt")


@pytest.mark.parametrize(
    ("name", "kind", "count"),
    [
        ("gdelt/20180101000000.export.CSV", "gdelt", 2414),
        ("gdelt/gdelt_iran_usa.tsv", "gdelt", 205),
        ("gdelt/gdelt1_58col_sample.csv", "gdelt1", 100),
    ],
)
def test_real_files(shared, read_table, conform, name, kind, count) -> None:
    path = shared(name)
    read = read_table(path)
    assert (read.reader.name, len(read.rows), read.faults) == (kind, count, [])
    conform(path, kind)


@pytest.mark.parametrize(
    "name", ["gdelt/20180101000000.export.CSV", "gdelt/gdelt_iran_usa.tsv", "gdelt/gdelt1_58col_sample.csv"]
)
def test_goldstein_of_each_record_equals_its_rows(shared, read_table, name) -> None:
    path = shared(name)
    with path.open(encoding="utf-8", newline="") as file:
        rows = [r for r in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if r[0].isdigit()]
    told = {r[0]: Decimal(r[30]) for r in rows}
    found: dict[str, Decimal] = {}
    identifier: dict[NamedNode, str] = {}
    triples = read_table(path).triples
    for triple in triples:
        if triple.predicate == term("dg:recordId"):
            identifier[triple.subject] = triple.object.value
    for triple in triples:
        if triple.predicate == term("dg:goldstein"):
            found[identifier[triple.subject]] = Decimal(triple.object.value)
    assert found == told


def test_the_store_gives_back_what_was_written(shared, read_table, tmp_path) -> None:
    """Literals are canonical: a plan's comparison and an undo need no second form of a number."""
    read = read_table(shared("gdelt/20180101000000.export.CSV"))
    store = EmbeddedStore(tmp_path / "store")
    try:
        graph = NamedNode("urn:g")
        store.change((), (pyoxigraph.Quad(t.subject, t.predicate, t.object, graph) for t in read.triples))
        kept = set(store.query("CONSTRUCT { ?s ?p ?o } WHERE { GRAPH <urn:g> { ?s ?p ?o } }").triples())
    finally:
        store.close()
    assert kept == read.triples


def test_v1_without_an_address(tmp_path, row, read_table) -> None:
    """GDELT 1.0 had 57 columns before April 2013, and its places have no second level."""
    cells = row().split("\t")
    old = [*cells[:35]]
    for at in (35, 43, 51):
        old += [*cells[at : at + 4], *cells[at + 5 : at + 8]]
    read = read_table(table(tmp_path, "\t".join([*old, "20120101"]), name="2012.csv"))
    assert not read.faults
    assert read.reader.name == "gdelt1"
    record = "record/gdelt1-900000001"
    assert read.value(record, "dg:addedOn") == "2012-01-01"
    assert read.values(record, "dg:codedFrom") == []


def test_formats_by_name(tmp_path) -> None:
    path = tmp_path / "x.bin"
    assert find_reader(path, "gdelt1", "x.bin").name == "gdelt1"
    assert find_reader(path, "ttl", "x.bin") is None
