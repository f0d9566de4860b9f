"""Rows of our own in the shape of GDELT, and what the tests of readers share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyoxigraph
import pytest
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Triple

from kg.ontology import reference_graphs
from kg.readers.archives import parts
from kg.readers.detect import choose_parts, find_reader
from kg.readers.grouping import Grouping
from kg.readers.reading import NO_OPTIONS, CellOptions, ReadingJob
from kg.readers.record import Notes, Record, RowFault
from kg.resolver import Resolver
from kg.terms import ID, term
from kg.validation import validate

SHARED = Path(os.environ.get("DIPLOGRAPH_SHARED", Path(__file__).parents[4] / "shared"))
COUNTRY = f"{ID}country/"


def resolver(
    *, types: Iterable[str] = ("01", "020", "04", "043", "046", "17", "173", "174", "19", "190", "20")
) -> Resolver:
    """A few countries by all their codes, a few names, a few event types."""
    codes = [
        ("cameo", "USA", "usa"), ("fips", "US", "usa"), ("cow", "2", "usa"), ("cow", "USA", "usa"),
        ("cameo", "IRN", "irn"), ("fips", "IR", "irn"), ("cow", "630", "irn"), ("cow", "IRN", "irn"),
        ("iso3", "USA", "usa"), ("iso3", "IRN", "irn"),
        ("cameo", "ROM", "rou"), ("fips", "RO", "rou"), ("iso3", "ROU", "rou"), ("cow", "360", "rou"),
        ("fips", "MX", "mex"), ("cameo", "NAM", "nam"), ("fips", "WA", "nam"), ("iso2", "NA", "nam"),
        ("iso2", "US", "usa"), ("iso2", "IR", "irn"),
    ]  # fmt: skip
    names = [
        ("United States", "country/usa"), ("Iran", "country/irn"), ("Romania", "country/rou"),
        ("Namibia", "country/nam"), ("Hassan Rouhani", "person/hassan-rouhani"),
    ]  # fmt: skip
    return Resolver(
        codes=[(system, code, COUNTRY + iri) for system, code, iri in codes],  # type: ignore[misc]
        names=[(name, ID + iri) for name, iri in names],
        types=[
            *(f"{ID}event-type/cameo-{code}" for code in types),
            *(f"{ID}event-type/plover-{name}" for name in ("coerce", "coerce-deport", "consult", "agree")),
        ],
    )


def gdelt_row(**cells: str) -> str:
    """One row of GDELT 2.0; cells by short names, all else as in an ordinary row."""
    own = {
        "id": "900000001", "day": "20180101", "root": "1", "code": "043", "base": "043",
        "a1": "USA", "a1name": "UNITED STATES", "a1country": "USA", "a1type": "",
        "a2": "IRN", "a2name": "IRAN", "a2country": "IRN", "a2type": "",
        "family": "04", "quad": "1", "goldstein": "2.8", "mentions": "4", "sources": "1", "articles": "4",
        "tone": "-2.5", "place": "4\tTehran, Tehran, Iran\tIR\tIR26\t41130\t35.75\t51.5148\t10074674",
        "a1place": "0" + "\t" * 7, "a2place": "1\tIran\tIR\tIR\t\t32\t53\tIR", "added": "20180101000000",
        "url": "https://news.example/world/talks-in-tehran.html", **cells,
    }  # fmt: skip
    return "\t".join(
        [own["id"], own["day"], own["day"][:6], own["day"][:4], "2018.0027"]
        + [own["a1"], own["a1name"], own["a1country"], "", "", "", "", own["a1type"], "", ""]
        + [own["a2"], own["a2name"], own["a2country"], "", "", "", "", own["a2type"], "", ""]
        + [own[name] for name in ("root", "code", "base", "family", "quad", "goldstein")]
        + [own[name] for name in ("mentions", "sources", "articles", "tone")]
        + [own["a1place"], own["a2place"], own["place"], own["added"], own["url"]]
    )


class Outcome:
    """Everything one reading gave."""

    def __init__(
        self,
        path: Path,
        form: str | None = None,
        grouping: Grouping | None = None,
        who: Resolver | None = None,
        cells: CellOptions = NO_OPTIONS,
    ) -> None:
        self.faults: list[RowFault] = []
        self.notes = Notes()
        reader = find_reader(path, form, path.name)
        assert reader is not None
        self.reader = reader
        files, _ = choose_parts(reader, list(parts(path, path.name)))
        take = self.faults.append
        self.job = ReadingJob(files, path.name, who or resolver(), take, self.notes, grouping, cells)
        self.records: list[Record] = list(reader.rows(self.job))

    @property
    def rows(self) -> list[Record]:
        return [record for record in self.records if record.kind == "CodingRecord"]

    @property
    def data(self) -> bytes:
        return b"".join(record.ntriples for record in self.records)

    @property
    def triples(self) -> set[Triple]:
        return set(_read(self.data))

    def values(self, record: str, predicate: str) -> list[str]:
        """The values of a property of `id:<record>`, as plain texts or IRIs, sorted."""
        subject = NamedNode(ID + record)
        found = [t.object for t in self.triples if t.subject == subject and t.predicate == term(predicate)]
        return sorted(o.value for o in found if isinstance(o, NamedNode | Literal))

    def value(self, record: str, predicate: str) -> str:
        (value,) = self.values(record, predicate)
        return value


def _read(data: bytes) -> list[Triple]:
    return [quad.triple for quad in pyoxigraph.parse(data, format=RdfFormat.N_TRIPLES)]


@pytest.fixture
def read_table() -> type[Outcome]:
    """Read a file with whichever reader finds it its own: `read_table(path)` gives an `Outcome`."""
    return Outcome


@pytest.fixture
def row() -> Callable[..., str]:
    return gdelt_row


@pytest.fixture(scope="session")
def reference() -> Resolver:
    """What the graphs that come with the package know."""
    store = pyoxigraph.Store()
    for graph, triples in reference_graphs().items():
        store.bulk_extend(Quad(t.subject, t.predicate, t.object, graph) for t in triples)
    return Resolver.of(_Asked(store))  # type: ignore[arg-type]


class _Asked:
    """A store that can only be asked."""

    def __init__(self, store: pyoxigraph.Store) -> None:
        self._store = store

    def query(self, text: str) -> Any:
        found = self._store.query(text, use_default_graph_as_union=True)
        names = [variable.value for variable in found.variables]
        rows = [dict(zip(names, row, strict=True)) for row in found]
        return SimpleNamespace(rows=lambda: iter(rows))


@pytest.fixture
def conform(reference: Resolver) -> Callable[[Path, str], Outcome]:
    """Check a sample of what a reader gives by the shapes: 60 rows of each kind and all that they name."""

    def check(path: Path, kind: str) -> Outcome:
        read = Outcome(path, who=reference)
        assert (read.faults, read.reader.name) == ([], kind)
        taken: dict[str, list[bytes]] = {}
        for record in read.records:
            pieces = taken.setdefault(record.kind, [])
            if record.kind in ("Place", "Agent", "Dataset", "ProperInterval", "Article") or len(pieces) < 60:
                pieces.append(record.ntriples)
        triples = _read(b"".join(piece for pieces in taken.values() for piece in pieces))
        findings = validate(triples, [t for graph in reference_graphs().values() for t in graph])
        assert not findings, "\n".join(finding.text for finding in findings[:10])
        return read

    return check


@pytest.fixture
def known() -> Resolver:
    return resolver()


@pytest.fixture
def shared() -> Callable[[str], Path]:
    """A file of the data folder beside the checkout; the test is skipped where it is not there."""

    def find(name: str) -> Path:
        path = SHARED / "data" / name
        if not path.exists():
            pytest.skip(f"{name} is not beside this checkout (set DIPLOGRAPH_SHARED to its folder)")
        return path

    return find
