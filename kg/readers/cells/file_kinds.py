"""What kind of file a table is, by its first bytes; kinds that are not read are named with a way out."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Final, Literal

from kg.errors import DataSyntaxError, UnsupportedFormatError
from kg.readers.archives import Part

Kind = Literal["text", "workbook", "parquet", "json lines"]

_SAMPLE: Final = 1 << 16
_HEAD: Final = 200
_CSV: Final = "Save the table as CSV (UTF-8)."
# First bytes, what the file is, and how to save it instead.
_REFUSED: Final = (
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)", "Save it as .xlsx or as CSV (UTF-8)."),
    (b"RDX", "an R data file", 'Write the table with write.csv(x, "x.csv", row.names = FALSE).'),
    (b"X\n\0\0\0", "an R data file (.rds)", 'Write the table with write.csv(x, "x.csv", row.names = FALSE).'),
    (b"<stata_dta>", "a Stata file", "In Stata: export delimited using x.csv"),
    (b"$FL2", "an SPSS file", _CSV),
    (b"SQLite format 3", "an SQLite database", _CSV),
    (b"ORC", "an ORC file", "Save the table as Parquet or CSV."),
    (b"Obj\x01", "an Avro file", "Export the table as CSV or as JSON lines."),
    (b"\x89HDF", "an HDF5 file", _CSV),
    (b"ARROW1", "an Arrow or Feather file", "Save the table as Parquet or CSV."),
    (b"\x80\x04", "a pickle of Python", "Save the table with to_csv or to_parquet."),
    (b"%PDF", "a PDF document", _CSV),
    (b"<!DOCTYPE html", "a web page", "Download the file itself, not the page about it."),
    (b"<html", "a web page", "Download the file itself, not the page about it."),
    (b"7z\xbc\xaf", "a 7z archive", "Unpack it, or pack the table as .zip or .gz."),
    (b"Rar!", "a RAR archive", "Unpack it, or pack the table as .zip or .gz."),
    (b"PK", "a zip inside an archive", "Unpack the outer archive first."),
)


@dataclass(frozen=True)
class Sample:
    """The first 64 KiB of a file, and their kind; `text` is empty unless it is text or JSON lines."""

    kind: Kind
    text: str = ""


def read_sample(part: Part) -> Sample:
    """Read the beginning of a table and find its kind.

    Raises DataSyntaxError for an empty, binary or UTF-16 file, UnsupportedFormatError for a known kind that
    is not read.
    """
    with part.open() as stream:
        data = stream.read(_SAMPLE)
    name = part.name.lower()
    if name.endswith(".xlsx") or (data.startswith(b"PK") and b"[Content_Types].xml" in data):
        return Sample("workbook")
    if data.startswith(b"PAR1"):
        return Sample("parquet")
    check_bytes(data, part.name)
    text = data.decode("utf-8-sig", "replace")
    if not text.strip():
        raise DataSyntaxError("the file is empty", where=part.name, mend="Choose the file with the data.")
    if "\r" in text and "\n" not in text:
        raise DataSyntaxError(
            "its lines end with carriage returns alone, as on old Macintosh computers",
            where=part.name,
            mend="Save it with line feeds, in Excel as “CSV UTF-8”.",
        )
    is_json = text.lstrip().startswith('{"') and not name.endswith((".csv", ".tsv", ".tab", ".jsonld"))
    # A first line may be longer than the sample.
    first, end, _ = text.lstrip().partition("\n")
    whole = first.rstrip().endswith("}") or (not end and len(data) == _SAMPLE)
    return Sample("json lines" if is_json and whole else "text", text)


def check_bytes(start: bytes, name: str) -> None:
    """Raise DataSyntaxError if the first bytes are not those of UTF-8 text."""
    # Every second byte of most texts is 0 in UTF-16, which need not have a byte-order mark.
    half = len(start[:_HEAD]) // 2
    wide = half and max(start[at:_HEAD:2].count(0) for at in (0, 1)) > half * 0.8
    if wide or start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        bits = 32 if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)) else 16
        raise DataSyntaxError(f"the file is UTF-{bits}", where=name, mend="Save it as UTF-8.")
    for magic, what, mend in _REFUSED:
        if start[: len(magic)].lower() == magic.lower() if magic[:1] == b"<" else start.startswith(magic):
            raise UnsupportedFormatError(f"the file is {what}, which is not read", where=name, mend=mend)
    if b"\0" in start:
        before = start[: start.index(b"\0")].split(b"\n")
        line, byte = len(before), len(before[-1]) + 1
        raise DataSyntaxError(
            "the file is binary, not a text table: it has a NUL byte",
            where=f"{name}, line {line}, byte {byte}",
            mend="Remove it, or choose a text file (CSV, TSV, JSON lines), a workbook or a Parquet file.",
            line=line,
        )
