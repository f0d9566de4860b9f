"""Lexical forms by XSD 1.1 part 2: each pair is one that the standard allows, and one that it does not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode

from kg.rdf.literals import literal_fault
from kg.terms import PREFIXES

SHARED = Path(os.environ.get("DIPLOGRAPH_SHARED") or Path(__file__).parents[4] / "shared")
TABLE = SHARED / "cases" / "rdf" / "lexical-forms.tsv"


@pytest.mark.parametrize(
    ("datatype", "good", "bad"),
    [
        ("date", "2024-02-29", "2023-02-29"),
        ("date", "2018-01-01Z", "1 January 2018"),
        ("date", "2000-02-29", "1900-02-29"),
        ("dateTime", "2018-01-01T24:00:00Z", "2018-01-01T25:00:00Z"),
        ("dateTime", "2018-12-31T23:59:59.5+14:00", "2018-12-31"),
        ("gYear", "0800", "18"),
        ("gYearMonth", "2018-12", "2018-13"),
        ("gMonth", "--09", "09"),
        ("integer", "-007", "7.0"),
        ("decimal", ".5", "5e1"),
        ("double", "5e1", "five"),
        ("double", "-INF", "-Infinity"),
        ("boolean", "1", "True"),
        ("integer", "7", "७"),
        ("integer", " 5 ", "1_000"),
        ("date", "-0044-03-15", "-44-03-15"),
        ("date", "0000-01-01", "00000-01-01"),
        ("date", "12018-03-14", "02018-03-14"),
        ("date", "\n2018-03-14 ", "2018- 03-14"),
        ("dateTimeStamp", "2018-03-14T12:00:00Z", "2018-03-14T12:00:00"),
        ("dateTimeStamp", "2018-03-14T24:00:00-05:00", "2018-03-14T12:00:00+15:00"),
        ("gMonthDay", "--02-29", "--02-30"),
        ("gDay", "---31", "---32"),
        ("duration", "-P1Y2M3DT4H5M6.7S", "P1S"),
        ("duration", "PT36H", "P"),
        ("yearMonthDuration", "P14M", "P1D"),
        ("dayTimeDuration", "PT0.5S", "P1M"),
        ("nonNegativeInteger", "-0", "-1"),
        ("positiveInteger", "1", "0"),
        ("byte", "-128", "-129"),
        ("unsignedByte", "255", "256"),
        ("long", "9223372036854775807", "9223372036854775808"),
        ("double", "INF", "inf"),
        ("float", "NaN", "nan"),
        ("hexBinary", "0fB7", "0fb"),
        ("base64Binary", "SGVs bG8=", "SGVsbG8"),
        ("base64Binary", "QQ==", "QR=="),
        ("base64Binary", "", "===="),
        ("language", "zh-Hant-TW", "e_n"),
        ("token", "a b", "a  b"),
        ("token", "", " a"),
        ("normalizedString", " a  b ", "a\tb"),
        ("NCName", "été", "a:b"),
        ("Name", "a:b", "1a"),
        ("NMTOKEN", "1a", "a b"),
    ],
)
def test_lexical_forms_of_xml_schema(datatype: str, good: str, bad: str) -> None:
    node = NamedNode(PREFIXES["xsd"] + datatype)
    assert literal_fault(Literal(good, datatype=node)) is None
    assert f"xsd:{datatype}" in str(literal_fault(Literal(bad, datatype=node)))


def test_other_datatypes_are_left_alone() -> None:
    assert literal_fault(Literal("x", datatype=NamedNode("http://example.org/type"))) is None
    assert literal_fault(Literal("x", language="en")) is None


@pytest.mark.skipif(not TABLE.exists(), reason="the shared table of lexical forms is not here")
def test_the_shared_table_of_forms() -> None:
    rows = [line.split("\t") for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]]
    assert rows
    wrong = []
    for form, datatype, valid in rows:
        fault = literal_fault(Literal(form, datatype=NamedNode(PREFIXES["xsd"] + datatype)))
        if (fault is None) != (valid == "yes"):
            wrong.append((form, datatype, fault))
    assert not wrong


def test_a_long_literal_is_judged_in_linear_time() -> None:
    for datatype, text in (("base64Binary", "QUJD" * 250_000 + "="), ("token", "a " * 500_000)):
        assert literal_fault(Literal(text, datatype=NamedNode(PREFIXES["xsd"] + datatype)))
