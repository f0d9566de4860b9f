"""Chooses the reader of a table by the name and the content of the file.

Records are in the order of the file: first the dataset (kind Dataset, line 0), then for each row the things
it names first (ProperInterval, Agent, Place, EventType, Article), then the row itself (CodingRecord …).
Omitting the record of a row removes nothing that other rows need. The same file yields the same records.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Final

from kg.bundled import ONTOLOGY_FOLDER
from kg.errors import DataSyntaxError, UnsupportedFormatError
from kg.rdf.formats import rdf_format
from kg.readers.archives import Part, parts
from kg.readers.event_table import is_event_table, read_events
from kg.readers.gdelt.code_columns import V1, V2, Layout
from kg.readers.gdelt.event_rows import read_gdelt
from kg.readers.gdelt.mentions import read_mentions
from kg.readers.icews import read_icews
from kg.readers.polecat import read_polecat
from kg.readers.reading import ReadingJob, check_bytes
from kg.readers.record import Record
from kg.readers.rml.mapped_rows import read_mapped
from kg.readers.rml.mapping import Mapping, read_mapping

_SAMPLE: Final = 1 << 16
_PACKED: Final = (".gz", ".zst", ".zip")
_TABLES: Final = ("csv", "tsv", "tab", "txt", "xlsx")
# Media types of tables and compressed files, and those without meaning.
_MEDIA_TYPES: Final = (
    *("text/csv", "text/tab-separated-values", "text/plain", "application/csv", "application/vnd.ms-excel"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    *("application/gzip", "application/x-gzip", "application/zip", "application/x-zip-compressed"),
    *("application/zstd", "application/octet-stream"),
)


@dataclass(frozen=True)
class TableReader:
    """A table format: its name, its title for people, and the function that reads it.

    `codes_records` is set if rows are coding records, which can be grouped; `mapping` is the mapping that
    makes the records, if one does; `layout` is set if rows can be read in blocks.
    """

    name: str
    title: str
    rows: Callable[[ReadingJob], Iterator[Record]]
    codes_records: bool = True
    mapping: Mapping | None = None
    layout: Layout | None = None


FORMATS: Final[tuple[TableReader, ...]] = (
    TableReader("gdelt", "GDELT 2.0 events, 61 columns", partial(read_gdelt, layout=V2), layout=V2),
    TableReader("gdelt1", "GDELT 1.0 events, 57 or 58 columns", partial(read_gdelt, layout=V1), layout=V1),
    TableReader("gdelt-mentions", "GDELT 2.0 mentions, 16 columns", read_mentions, codes_records=False),
    TableReader("icews", "ICEWS coded events, 20 columns", read_icews),
    TableReader("polecat", "POLECAT events, columns by name", read_polecat),
    TableReader("events", "plain table of events, columns of the template", read_events, codes_records=False),
)

# Cells of headers.
_BY_HEADER: Final = (
    (("globaleventid", "sqldate"), "gdelt"),
    (("globaleventid", "mentionidentifier"), "gdelt-mentions"),
    (("event id", "cameo code", "source name"), "icews"),
    (("event id", "event mode", "actor name"), "polecat"),
)
_BY_WIDTH: Final = {61: "gdelt", 58: "gdelt1", 57: "gdelt1", 40: "polecat", 20: "icews", 16: "gdelt-mentions"}


@cache
def bundled_readers() -> tuple[TableReader, ...]:
    """Return the readers of the mappings in the package, `ontology/mappings/*.rml.ttl`."""
    paths = sorted((ONTOLOGY_FOLDER / "mappings").glob("*.rml.ttl"))
    return tuple(_by_mapping(read_mapping(path)) for path in paths)


def _by_mapping(mapping: Mapping) -> TableReader:
    return TableReader(
        mapping.name,
        mapping.label or f"table of the mapping {mapping.name}",
        partial(read_mapped, mapping=mapping),
        codes_records=False,
        mapping=mapping,
    )


def find_reader(
    path: Path,
    format: str | None,  # noqa: A002
    name: str,
    *,
    mapping: Path | None = None,
) -> TableReader | None:
    """Return the reader of a table by `format`, else by the file's ending, columns or header; None for RDF.

    `mapping` is the file of an RML mapping, which is then used. Raises UnsupportedFormatError for an unknown
    format or table, DataSyntaxError for a binary, empty or damaged file or a malformed mapping.
    """
    if mapping is not None:
        return _by_mapping(read_mapping(mapping))
    if format:
        return _named(format)
    if _is_rdf(name):
        return None
    first = next(parts(path, name))
    if _is_rdf(first.name):
        return None
    if first.name.lower().endswith(".xlsx"):
        return _tables()["events"]
    text = _sample(first)
    if found := _by_content(text):
        return _tables()[found]
    if _ending(first.name) not in _TABLES and text.lstrip()[:1] in ("<", "@", "{", "[", "P", "B"):
        return None
    raise UnsupportedFormatError(
        f"the columns of the table are unknown ({_columns(text)} in its first line)",
        where=first.name,
        mend=f"Give its format ({', '.join(_tables())}), use the columns of the template, "
        "or write an RML mapping.",
    )


def has_rdf_media_type(name: str, media_type: str | None) -> bool:
    """Return whether a file is RDF, or an unknown format, by its media type (RFC 9110 section 8.3).

    The ending of a table has priority, because browsers guess; generic types leave it to the content.
    """
    if media_type is None or _ending(name) in _TABLES:
        return False
    return media_type not in _MEDIA_TYPES


def _named(name: str) -> TableReader | None:
    if found := _tables().get(name.lower()):
        return found
    try:
        rdf_format(name.lower())
    except UnsupportedFormatError as error:
        mend = f"{error.mend} Tables: {', '.join(_tables())}."
        raise UnsupportedFormatError(error.detail, mend=mend) from None
    return None


def _tables() -> dict[str, TableReader]:
    return {reader.name: reader for reader in (*FORMATS, *bundled_readers())}


def _ending(name: str) -> str:
    base = name.rpartition("/")[2].lower()
    for packed in _PACKED:
        base = base.removesuffix(packed)
    return base.rpartition(".")[2] if "." in base else ""


def _is_rdf(name: str) -> bool:
    ending = _ending(name)
    with suppress(UnsupportedFormatError):
        return bool(ending and ending not in _TABLES and rdf_format(ending))
    return False


def _sample(part: Part) -> str:
    with part.open() as stream:
        data = stream.read(_SAMPLE)
    check_bytes(data, part.name)
    text = data.decode("utf-8-sig", "replace")
    if not text.strip():
        raise DataSyntaxError("the file is empty", where=part.name, mend="Choose the file with the data.")
    return text


def _by_content(text: str) -> str | None:
    lines = [line for line in text.splitlines() if line.strip()][:20]
    head = [cell.strip().strip('"#!').lower() for cell in lines[0].replace(",", "\t").split("\t")]
    for wanted, name in _BY_HEADER:
        if all(cell in head for cell in wanted):
            if name == "gdelt" and "actor1geo_adm2code" not in head:
                return "gdelt1"
            return name
    cells = [cell.strip().strip('"') for cell in re.split(r"[,;\t]", lines[0])]
    if is_event_table(cells):
        return "events"
    for reader in bundled_readers():
        if reader.mapping is not None and reader.mapping.needed <= set(cells):
            return reader.name
    # The majority of lines decides, because the first line may be damaged.
    widths = Counter(line.count("\t") + 1 for line in (lines[:-1] or lines))
    named = {len(reader.mapping.header): reader.name for reader in bundled_readers() if reader.mapping}
    by_width = {**named, **_BY_WIDTH}
    return next((by_width[width] for width, _ in widths.most_common() if width in by_width), None)


def _columns(text: str) -> str:
    line = text.lstrip().split("\n", 1)[0]
    count = max(line.count("\t"), line.count(",")) + 1
    return "1 column" if count == 1 else f"{count} columns"
