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
from kg.load import store_load
from kg.readers.gdelt.code_columns import NAMES
from kg.store import EmbeddedStore
from kg.terms import GRAPH
from tests.kg.load.desks import Desk

ROWS = [line.rstrip("\n").split("\t") for line in bench_rows(2_000)]


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


@pytest.mark.parametrize("form", SEPARATED)
@pytest.mark.parametrize("container", CONTAINERS)
def test_dumps_are_equal(
    store: EmbeddedStore, tmp_path: Path, plain: list[bytes], form: str, container: str
) -> None:
    name, data = SEPARATED[form]
    assert dumped(store, tmp_path, name + container, CONTAINERS[container](name, data)) == plain
