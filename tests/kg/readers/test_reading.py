"""Lines of files: encodings, line ends, and files that are no tables; literals in the engine's form."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

import pyoxigraph
import pytest
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat

from kg.errors import DataSyntaxError, UnsupportedFormatError
from kg.rdf import ntriples
from kg.rdf.ntriples import decimal, english, integer, plain
from kg.readers.detect import find_reader
from kg.readers.periods import calendar_day
from kg.readers.reading import Once
from kg.terms import ID, term


def written(tmp_path: Path, data: bytes, name: str = "a.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def test_crlf_and_a_byte_order_mark(tmp_path, row, read_table) -> None:
    data = b"\xef\xbb\xbf" + "\r\n".join([row(), row(id="900000002"), ""]).encode()
    read = read_table(written(tmp_path, data))
    assert not read.faults
    assert [r.line for r in read.rows] == [1, 2]
    assert read.value("record/gdelt-900000001", "dg:recordId") == "900000001"
    document = read.value("record/gdelt-900000002", "dg:codedFrom").removeprefix(ID)
    assert read.value(document, "dg:url") == "https://news.example/world/talks-in-tehran.html"


def test_latin_1_is_told_with_line_and_column(tmp_path, row, read_table) -> None:
    bad = row(id="900000002", a1name="PERÚ").encode("latin-1")
    read = read_table(written(tmp_path, row().encode() + b"\n" + bad + b"\n" + row(id="900000003").encode()))
    (fault,) = read.faults
    assert (fault.line, fault.column) == (2, "7")
    assert "0xDA" in fault.reason
    assert "UTF-8" in fault.reason
    assert [r.line for r in read.rows] == [1, 3]


def test_utf_8_is_kept(tmp_path, row, read_table) -> None:
    read = read_table(written(tmp_path, row(a1="GOV", a1name="PERÚ – ایران", a1country="").encode()))
    assert read.value("record/gdelt-900000001", "dg:actorName") == "PERÚ – ایران"


def test_many_blocks(tmp_path, row, read_table) -> None:
    """Rows lie across the ends of the blocks that are read at once."""
    lines = [row(id=str(n), a1="GOV", a1name="É" * (n % 50 + 1), a1country="") for n in range(1, 6001)]
    read = read_table(written(tmp_path, "\n".join(lines).encode()))
    assert not read.faults
    assert [r.line for r in read.rows] == list(range(1, 6001))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"\n\n  \n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "binary"),
        ("1\t2".encode("utf-16"), "UTF-16"),
    ],
)
def test_files_that_are_no_tables(tmp_path, data, says) -> None:
    with pytest.raises(DataSyntaxError, match=says) as caught:
        find_reader(written(tmp_path, data), None, "a.csv")
    assert caught.value.mend


def test_an_empty_file_of_a_named_format(tmp_path, read_table) -> None:
    with pytest.raises(DataSyntaxError, match="empty"):
        read_table(written(tmp_path, b""), "gdelt")


def test_a_table_that_nobody_knows(tmp_path) -> None:
    with pytest.raises(UnsupportedFormatError, match="3 columns") as caught:
        find_reader(written(tmp_path, b"a,b,c\n1,2,3\n"), None, "a.csv")
    assert "gdelt" in str(caught.value.mend)
    with pytest.raises(UnsupportedFormatError):
        find_reader(written(tmp_path, b"a,b,c\n1,2,3\n"), "parquet", "a.csv")


@pytest.mark.parametrize("name", ["a.ttl", "a.nt.gz", "A.TTL", "a.jsonld", "a.rdf", "a.trig"])
def test_rdf_is_left_to_its_reader(tmp_path, name) -> None:
    assert find_reader(written(tmp_path, b"<urn:a> <urn:b> <urn:c> .", name), None, name) is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("20180101", "2018-01-01"), ("2018-01-01", "2018-01-01"), ("20160229", "2016-02-29"),
        ("20180229", None), ("20180231", None), ("20181301", None), ("2018-1-1", None), ("", None),
        ("٢٠١٨٠١٠١", None), ("00000101", None),
    ],
)  # fmt: skip
def test_calendar_days(text: str, day: str | None) -> None:
    assert calendar_day(text) == day


def test_once_forgets_rather_than_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kg.readers.reading._REMEMBERED", 3)
    once = Once()
    assert [once.first(key) for key in "aabca"] == [True, False, True, True, False]
    assert [once.first(key) for key in "dad"] == [True, True, False]


def stored(text: str, datatype: str) -> str:
    store = pyoxigraph.Store()
    node = NamedNode("urn:n")
    store.add(Quad(node, node, Literal(text, datatype=term(datatype))))
    return str(next(iter(store)).object)


def numbers() -> list[str]:
    pick = random.Random(4)
    made = [f"{pick.uniform(-12, 12):.{pick.randrange(1, 16)}f}" for _ in range(1500)]
    for _ in range(500):
        sign, zeros = pick.choice(["", "-", "+"]), "0" * pick.randrange(3)
        made.append(f"{sign}{zeros}{pick.randrange(10 ** pick.randrange(1, 25))}")
    made += ["0", "-0", "0.0", "-0.0", "1.50", "-4.0", ".5", "5.", "-.25", "007.10", "100", "-100.00"]
    made += [
        "1" * 40,
        "0." + "1" * 30,
        "1" * 20 + "." + "5" * 10,
        "0.000000000000000001",
        "10.0000000000000000",
    ]
    return made


def lexical(literal: str) -> str:
    return literal[1 : literal.rindex('"')]


def test_decimals_are_as_the_engine_keeps_them() -> None:
    for text in numbers():
        assert decimal(text) == stored(lexical(decimal(text)), "xsd:decimal"), text
        assert Decimal(lexical(decimal(text))) == Decimal(text)


def test_integers_are_as_the_engine_keeps_them() -> None:
    for text in (number for number in numbers() if "." not in number):
        assert integer(text) == stored(lexical(integer(text)), "xsd:integer"), text
        assert int(lexical(integer(text))) == int(text)


@pytest.mark.parametrize("text", ["4.44089209850063e-16", "-1E3", "2.5e-3"])
def test_exponents_are_written_out(text: str) -> None:
    literal = decimal(text)
    value = lexical(literal)
    assert Decimal(value) == Decimal(text)
    assert "e" not in value.lower()
    assert literal == stored(value, "xsd:decimal")


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "1,5", "--1", "1e99999", "0x10", "١"])
def test_what_is_no_number(text: str) -> None:
    if text != "١":  # Python's Decimal reads digits of every script: the value is the same
        with pytest.raises(ValueError, match="not a number"):
            decimal(text)
    with pytest.raises(ValueError, match="not a whole number"):
        integer(text)


def test_texts_are_written_as_the_engine_writes_them() -> None:
    pick = random.Random(5)
    alphabet = [chr(code) for code in range(1, 0x80)] + ["é", "ی", "\u2028", "😀", "\x85", "\ufeff"]
    for _ in range(300):
        text = "".join(pick.choice(alphabet) for _ in range(pick.randrange(20)))
        for made, literal in ((plain(text), Literal(text)), (english(text), Literal(text, language="en"))):
            assert made == str(literal)
            triple = pyoxigraph.Triple(NamedNode("urn:a"), NamedNode("urn:b"), literal)
            line = f"<urn:a> <urn:b> {made} .\n".encode()
            assert pyoxigraph.serialize([triple], format=RdfFormat.N_TRIPLES) == line
            assert next(iter(pyoxigraph.parse(line, format=RdfFormat.N_TRIPLES))).triple == triple


def test_names_of_terms() -> None:
    assert ntriples.dg("Event") == str(term("dg:Event"))
    assert ntriples.thing("country", "irn") == str(term("id:country/irn"))
    assert str(term("rdf:type")) == ntriples.TYPE
