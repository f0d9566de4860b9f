"""Chooses the reader of a table by the name and the content of the file.

Records are in the order of the file: first the dataset (kind Dataset, line 0), then for each row the things
it names first (ProperInterval, Agent, Place, EventType, Article), then the row itself (CodingRecord …).
Omitting the record of a row removes nothing that other rows need. The same file yields the same records.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Final

from kg.bundled import ONTOLOGY_FOLDER
from kg.errors import DataSyntaxError, UnsupportedFormatError
from kg.rdf.formats import rdf_format
from kg.readers.archives import Part, parts
from kg.readers.cells.columns import Form
from kg.readers.cells.file_kinds import Sample, read_sample
from kg.readers.cells.separators import find_dialect, sample_rows
from kg.readers.event_table import is_event_table, read_events, resembles_event_table
from kg.readers.gdelt.code_columns import V1, V2, Layout
from kg.readers.gdelt.event_rows import read_gdelt
from kg.readers.gdelt.mentions import FORM as MENTIONS
from kg.readers.gdelt.mentions import read_mentions
from kg.readers.icews import FORM as ICEWS
from kg.readers.icews import read_icews
from kg.readers.polecat import FORM as POLECAT
from kg.readers.polecat import read_polecat
from kg.readers.reading import ReadingJob
from kg.readers.record import Record
from kg.readers.rml.mapped_rows import read_mapped
from kg.readers.rml.mapping import Mapping
from kg.readers.rml.mapping_reading import read_mapping
from kg.readers.sheets import first_rows

_PACKED: Final = (".gz", ".zst", ".zip", ".bz2", ".xz", ".tar")
_TABLES: Final = ("csv", "tsv", "tab", "txt", "psv", "xlsx", "parquet", "jsonl", "ndjson")
# Media types of tables and compressed files, and those without meaning.
_MEDIA_TYPES: Final = (
    *("text/csv", "text/tab-separated-values", "text/plain", "application/csv", "application/vnd.ms-excel"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    *("application/gzip", "application/x-gzip", "application/zip", "application/x-zip-compressed"),
    *("application/zstd", "application/octet-stream", "application/x-bzip2", "application/x-xz"),
    *("application/x-tar", "application/x-compressed-tar", "application/x-compressed"),
    "application/vnd.apache.parquet",
    *("application/jsonl", "application/x-ndjson"),
)


@dataclass(frozen=True)
class TableReader:
    """A table format: its name, its title for people, and the function that reads it.

    `codes_records` is set if rows are coding records, which can be grouped; `form` has the columns of a
    published format; `mapping` makes the records, if one does; `layout` is set if rows can be read in blocks.
    """

    name: str
    title: str
    rows: Callable[[ReadingJob], Iterator[Record]]
    codes_records: bool = True
    mapping: Mapping | None = None
    form: Form | None = None
    layout: Layout | None = None

    def recognises(self, header: list[str]) -> bool:
        """Return whether the first row of a file has the columns of this format."""
        if self.form is not None:
            return self.form.recognises(header)
        return self.mapping.needed <= set(header) if self.mapping is not None else is_event_table(header)


def _gdelt(name: str, title: str, layout: Layout) -> TableReader:
    return TableReader(name, title, partial(read_gdelt, layout=layout), form=layout.form, layout=layout)


FORMATS: Final[tuple[TableReader, ...]] = (
    _gdelt("gdelt", "GDELT 2.0 events, 61 columns", V2),
    _gdelt("gdelt1", "GDELT 1.0 events, 57 or 58 columns", V1),
    TableReader(
        "gdelt-mentions", "GDELT 2.0 mentions, 16 columns", read_mentions, codes_records=False, form=MENTIONS
    ),
    TableReader("icews", "ICEWS coded events, 20 columns", read_icews, form=ICEWS),
    TableReader("polecat", "POLECAT events, columns by name", read_polecat, form=POLECAT),
    TableReader("events", "plain table of events, columns of the template", read_events, codes_records=False),
)


_BY_WIDTH: Final = {61: "gdelt", 58: "gdelt1", 57: "gdelt1", 40: "polecat", 20: "icews", 16: "gdelt-mentions"}
_EMPTY: Final = "the file is empty"
# A file with another ending may be a read-me.
_SURE: Final = ("csv", "tsv", "tab", "psv", "xlsx", "parquet", "jsonl", "ndjson")


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
    files = list(parts(path, name))
    if any(_is_rdf(part.name) for part in files[:1]):
        return None
    found: dict[str, str] = {}
    unknown: list[str] = []
    for part in files:
        seen = _look(part, alone=len(files) == 1)
        if isinstance(seen, TableReader):
            found.setdefault(seen.name, part.name)
        elif seen is None and len(files) == 1:
            return None
        elif seen:
            unknown.append(f"{part.name}: {seen}" if len(files) > 1 else seen)
    if len(found) > 1:
        first, second, *_ = found.items()
        raise UnsupportedFormatError(
            f"it holds tables of {len(found)} formats: {first[1]} ({first[0]}) and {second[1]} ({second[0]})",
            where=name,
            mend=f"Name the one to load with --format {first[0]} (or “Format” in the form); the others are "
            "left out.",
        )
    if found:
        return _tables()[next(iter(found))]
    raise UnsupportedFormatError(
        unknown[0] if unknown else "it holds no table",
        where=files[0].name if len(files) == 1 else name,
        mend=f"Name its format ({', '.join(_tables())}), use the columns of the template, "
        "or write an RML mapping.",
    )


def choose_parts(reader: TableReader, files: Sequence[Part]) -> tuple[list[Part], list[tuple[str, str]]]:
    """Return the files of a folder or archive that a reader reads, and the others with the reason.

    Left out are empty files, tables of other formats, and files that are neither tables nor named like one.
    Raises DataSyntaxError if no file is left.
    """
    if len(files) == 1:
        return list(files), []
    chosen, left = [], []
    for part in files:
        seen = _look(part, alone=False)
        if isinstance(seen, TableReader) and seen.name != reader.name and not _fits(reader, part):
            left.append((part.name, f"it is a table of {seen.name}"))
        elif seen == _EMPTY:
            left.append((part.name, "it is empty"))
        elif isinstance(seen, TableReader) or _fits(reader, part) or _ending(part.name) in _SURE:
            chosen.append(part)
        else:
            left.append((part.name, f"it is not a table of {reader.name}"))
    if not chosen:
        raise DataSyntaxError(
            f"none of its {len(files)} files is a table of {reader.name}",
            where=files[0].name.rpartition("/")[0],
            mend="Choose the file with the data.",
        )
    return chosen, left


def _fits(reader: TableReader, part: Part) -> bool:
    rows = _head(part)
    return bool(rows) and reader.recognises([cell.strip() for cell in rows[0]])


def has_rdf_media_type(name: str, media_type: str | None) -> bool:
    """Return whether a file is RDF, or an unknown format, by its media type (RFC 9110 section 8.3).

    The ending of a table has priority, because browsers guess; generic types leave it to the content.
    """
    if not media_type or _ending(name) in _TABLES:
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
        # JSON lines end in .json as often as JSON-LD does.
        return bool(ending and ending not in (*_TABLES, "json") and rdf_format(ending))
    return False


def _look(part: Part, *, alone: bool) -> TableReader | str | None:
    """Return the format of a table, or why it is none; None for what may be RDF.

    Raises the error of a file that cannot be read at all if it is `alone`.
    """
    try:
        sample = read_sample(part)
        rows = first_rows(part, sample, quoted_tabs=True)
    except (DataSyntaxError, UnsupportedFormatError) as error:
        if alone:
            raise
        return _EMPTY if "empty" in error.detail else error.detail
    if found := _by_content(rows, sample):
        return found
    start = sample.text.lstrip()[:1]
    if _ending(part.name) not in _TABLES and start and start in "<@{[PB":
        return None
    if alone and rows and resembles_event_table(rows[0]):
        return _tables()["events"]  # which names the columns that are missing
    return f"the columns of the table are unknown ({_columns(rows)} in its first line{_nearest(rows)})"


def _nearest(rows: list[list[str]]) -> str:
    """Return what the format lacks whose columns most of a header's are; empty if there is none."""
    head = {cell.strip() for cell in rows[0]} if rows else set()
    for reader in bundled_readers():
        needed = reader.mapping.needed if reader.mapping is not None else frozenset()
        if 2 * len(needed & head) > max(len(needed), len(head)):
            return f"; for {reader.name} they lack {', '.join(sorted(needed - head))}"
    return ""


def _head(part: Part) -> list[list[str]]:
    try:
        return first_rows(part, read_sample(part), quoted_tabs=True)
    except (DataSyntaxError, UnsupportedFormatError):
        return []


def _by_content(rows: list[list[str]], sample: Sample) -> TableReader | None:
    rows = [row for row in rows if any(row)]
    if not rows:
        return None
    head = [cell.strip().lstrip("#!") for cell in rows[0]]
    tables = _tables()
    # A table of one's own and those of mappings need exact names, so they come first.
    for reader in (tables["events"], *bundled_readers()):
        if reader.recognises(head):
            return reader
    for reader in (tables[name] for name in ("gdelt", "gdelt-mentions", "icews", "polecat")):
        if reader.recognises(head):
            return tables["gdelt1"] if reader.name == "gdelt" and _is_version_1(head) else reader
    if sample.kind == "text":
        # In GDELT's own files a quotation mark is a character.
        rows = sample_rows(sample.text, find_dialect(sample.text))
    # The majority of rows decides, because the first one may be damaged.
    widths = Counter(len(row) for row in rows if any(row))
    mapped = ((reader.mapping, reader) for reader in bundled_readers())
    by_width = {len(one.header): reader for one, reader in mapped if one is not None and one.header}
    by_width |= {width: tables[name] for width, name in _BY_WIDTH.items()}
    for extra in (0, 1):  # one more for a separator at the end, or for a number at the beginning
        for width, _ in widths.most_common():
            if width - extra in by_width:
                return by_width[width - extra]
    return None


def _is_version_1(head: list[str]) -> bool:
    """Return whether a header has all columns of GDELT 1.0, and none that only version 2.0 has."""
    named = {V2.form.column(cell) for cell in head}
    return not any("ADM2" in str(name) for name in named) and named.issuperset(V1.form.names[:57])


def _columns(rows: list[list[str]]) -> str:
    count = len(rows[0]) if rows else 0
    return "1 column" if count == 1 else f"{count} columns"
