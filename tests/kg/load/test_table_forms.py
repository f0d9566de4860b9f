"""A table in five separators and four containers is the same load, byte for byte."""

from __future__ import annotations

import csv
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from pyoxigraph import NamedNode

from bench.rows import rows as bench_rows
from kg.errors import ValidationFailedError
from kg.load import store_load
from kg.readers.gdelt.code_columns import NAMES
from kg.readers.icews import COLUMNS as ICEWS
from kg.store import EmbeddedStore
from kg.terms import GRAPH
from tests.kg.load.desks import Desk

ROWS = [line.rstrip("\n").split("\t") for line in bench_rows(800)]


def written(separator: str, quoting: int, header: list[str] | None) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator="\n")
    writer.writerows([header] if header else [])
    places = [NAMES.index(name) for name in header or NAMES]
    writer.writerows([row[at] for at in places] for row in ROWS)
    return out.getvalue().encode()


SEPARATED = {
    "tab": ("rows.tsv", written("\t", csv.QUOTE_NONE, None)),
    "comma": ("rows.csv", written(",", csv.QUOTE_MINIMAL, list(NAMES))),
    "semicolon, in another order": ("rows.csv", written(";", csv.QUOTE_MINIMAL, list(reversed(NAMES)))),
    "pipe": ("rows", written("|", csv.QUOTE_MINIMAL, None)),
    "quoted": ("rows.txt", written("\t", csv.QUOTE_ALL, list(NAMES))),
}


def tarred(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def zipped(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", "What this is.")
        archive.writestr(name, data)
    return out.getvalue()


CONTAINERS: dict[str, Callable[[str, bytes], bytes]] = {
    ".gz": lambda _, data: gzip.compress(data[:1000]) + gzip.compress(data[1000:]),
    ".xz": lambda _, data: lzma.compress(data),
    ".tar.gz": tarred,
    ".zip": zipped,
}


@pytest.fixture(scope="module")
def plain(article_store: EmbeddedStore, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    store = EmbeddedStore()
    store.engine.bulk_extend(article_store.engine)
    lines = dumped(store, tmp_path_factory.mktemp("plain"), *SEPARATED["tab"])
    store.close()
    return lines


def dumped(store: EmbeddedStore, folder: Path, name: str, data: bytes) -> list[bytes]:
    desk = Desk(store, folder)
    load, preview = desk.preview(data, name, source="rows")
    assert (preview.rows_read, preview.rows_stored + preview.rows_left_out) == (len(ROWS), len(ROWS))
    assert store_load(store, desk.loads, load) is not None
    store.export(NamedNode(f"{GRAPH}rows"), folder / "dump.nt")
    return sorted((folder / "dump.nt").read_bytes().splitlines())


# A container is opened before a separator is looked for, so each is tried once with the others.
@pytest.mark.parametrize(
    ("form", "container"),
    [*((form, ".gz") for form in SEPARATED), *(("comma", one) for one in CONTAINERS if one != ".gz")],
)
def test_dumps_are_equal(
    store: EmbeddedStore, tmp_path: Path, plain: list[bytes], form: str, container: str
) -> None:
    name, data = SEPARATED[form]
    assert dumped(store, tmp_path, name + container, CONTAINERS[container](name, data)) == plain


@pytest.mark.parametrize(
    ("form", "head"),
    [("gdelt", ",".join(NAMES)), ("events", "label,actors,type"), ("icews", ",".join(ICEWS))],
)
def test_a_header_alone_is_told_and_stores_nothing(
    store: EmbeddedStore, tmp_path: Path, form: str, head: str
) -> None:
    with pytest.raises(ValidationFailedError, match="it has no rows") as caught:
        Desk(store, tmp_path).preview(f"{head}\n", "a.csv", format=form)
    assert caught.value.where == "a.csv"
    with pytest.raises(ValidationFailedError, match="none of its 2 rows gives anything") as caught:
        Desk(store, tmp_path).preview(f"{head}\nx\ny\n", "a.csv", format=form, max_errors=2)
    assert [line for line in caught.value.findings if line.startswith("a.csv, line 2")]


def test_a_note_names_the_file_of_an_archive(store: EmbeddedStore, tmp_path: Path) -> None:
    """Lines are counted in each file; the root code of one row contradicts its event code."""
    other = [*ROWS[1][:28], "20", *ROWS[1][29:]]
    members = {name: "\t".join(row) + "\n" for name, row in (("a", ROWS[0]), ("b", other))}
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, text in members.items():
            archive.writestr(f"{name}.export.CSV", text)
    _, preview = Desk(store, tmp_path).preview(held.getvalue(), "two.zip")
    assert [note for note in preview.notes if "root code 20" in note and "(line 1 of b.export.CSV)" in note]


def test_the_preview_tells_what_was_left_out(store: EmbeddedStore, tmp_path: Path) -> None:
    rows = [ROWS[0], ROWS[1], ROWS[0], [*ROWS[2][:26], "x", *ROWS[2][27:]]]
    text = "\n".join("\t".join(row) for row in rows)
    _, preview = Desk(store, tmp_path).preview(text, "a.export.CSV", max_errors=1)
    assert preview.row_sum == "4 rows read = 2 stored + 2 left out"
    summary = preview.summary()
    assert (summary["rows_read"], summary["rows_stored"], summary["rows_left_out"]) == (4, 2, 2)
    assert any("is repeated" in note for note in preview.notes)
    assert len(preview.faults) == 1
