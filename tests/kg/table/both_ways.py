"""One state of a store twice: asked by the engine of quads alone, and with tables of records."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pyoxigraph import NamedNode, Quad, RdfFormat
from pyoxigraph import Store as Engine

from kg.store import EmbeddedStore
from kg.table.record_files import write_table
from kg.table.record_table import RecordTable
from kg.table.routed_store import RoutedStore
from tests.kg.table.random_queries import PREFIXES

Rows = list[tuple[str | None, ...]]


def open_both(folder: Path, engine: Engine, *graphs: str) -> BothWays:
    """Write the tables of some graphs of an engine, and open it with them and without."""
    dump, snapshot = folder / "all.nq", folder / "snapshot"
    engine.dump(str(dump), format=RdfFormat.N_QUADS)
    store = EmbeddedStore(folder / "store")
    store.engine.bulk_load(path=str(dump), format=RdfFormat.N_QUADS)
    store.backup(snapshot)
    store.close()
    tables: list[RecordTable] = []
    for number, graph in enumerate(graphs):
        table = write_table(dump, graph, folder / "tables" / f"{number}.parquet")
        assert table is not None
        tables.append(table)
    return BothWays(RoutedStore.open(snapshot, lambda _: tables), EmbeddedStore.open_snapshot(snapshot))


@dataclass(frozen=True)
class BothWays:
    """The two stores."""

    routed: RoutedStore
    plain: EmbeddedStore

    def close(self) -> None:
        self.routed.close()
        self.plain.close()

    def is_routed(self, text: str) -> bool:
        return self.routed.plan(PREFIXES + text).engine == "sql"

    def answers(self, text: str) -> tuple[Rows, Rows]:
        """Return the rows from tables and those of the engine; the columns are the same."""
        with_tables, without = self.routed.query(PREFIXES + text), self.plain.query(PREFIXES + text)
        assert with_tables.variables == without.variables
        names = without.variables
        theirs: Rows = [tuple(_text(row, name) for name in names) for row in without.rows()]
        ours: Rows = [tuple(_text(row, name) for name in names) for row in with_tables.rows()]
        return ours, theirs

    def same(self, text: str) -> Rows:
        """Require that both give the same rows, in the same order where there is one; return them."""
        ours, theirs = self.answers(text)
        if "LIMIT" in text:
            assert len(ours) == len(theirs), text
        else:
            assert Counter(ours) == Counter(theirs), text
        keys = re.search(r"ORDER BY (.*?)(?: LIMIT \d+)?$", text)
        if keys:
            shown = re.findall(r"\?\w+", text[text.index("SELECT") : text.index("{")].split("WHERE")[0])
            wanted = [f"?{name}" for name in re.findall(r"\?(\w+)", keys[1])]
            # A sort leaves the order of equal rows open.
            if set(wanted) <= set(shown) and " AS " not in text[: text.index("{")]:
                places = [shown.index(name) for name in wanted]
                assert [[row[at] for at in places] for row in ours] == [
                    [row[at] for at in places] for row in theirs
                ], text
        return ours


def _text(row: object, name: str) -> str | None:
    assert isinstance(row, dict)
    return str(row[name]) if name in row else None


def copied(quad: Quad, graph: str) -> Quad:
    """Return a quad in another graph."""
    return Quad(quad.subject, quad.predicate, quad.object, NamedNode(graph))
