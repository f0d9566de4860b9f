"""`diplograph tables`: the tables of coding records beside the quads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from api.commands.options import data_option
from api.commands.progress import ProgressLine
from api.commands.terminal_tables import text_table
from api.folder.data_folder import LOADS, open_behind, open_folder, require_folder, running_server
from kg.errors import DiplographError, ParameterError
from kg.load import Loads
from kg.load.record_tables import rebuild_table, record_graphs
from kg.settings import Settings
from kg.store import Store
from kg.table.current import KnownTable, known_tables, open_table, usable_tables
from kg.terms import compact, source_graph


@click.command()
@click.option("--rebuild", is_flag=True, help="Write tables anew: of each GRAPH, or where none is in use.")
@click.argument("graphs", nargs=-1, metavar="[GRAPH…]")
@data_option
@click.pass_obj
def tables(settings: Settings, graphs: tuple[str, ...], rebuild: bool) -> None:
    """List the tables of coding records, which answer queries over many of them, and why some are not in use.

    A GRAPH is the IRI or the name of a source. Graphs loaded without a table get one with --rebuild.
    """
    wanted = [source_graph(name.removeprefix("graph:")).value for name in graphs]
    with opened_folder(settings) as store:
        loads = Loads(settings.data / LOADS)
        if rebuild:
            for graph in wanted or [graph for graph, reason in _reasons(store, loads.tables) if reason]:
                line = ProgressLine(compact(graph))
                try:
                    table = rebuild_table(store, loads, graph, line)
                finally:
                    line.close()
                said = f"{table.rows:,} records" if table else "it holds no coding records"
                click.echo(f"{compact(graph)}: {said}", err=True)
        rows = [row for row in _rows(store, loads.tables) if not wanted or row[0] in wanted]
    shown = [(compact(graph), *rest) for graph, *rest in rows]
    for line_of in text_table(("graph", "load", "rows", "bytes", "in use"), shown, None):
        click.echo(line_of)


@contextmanager
def opened_folder(settings: Settings) -> Iterator[Store]:
    """Open the data folder, through the writer of a server that runs on it; raises ParameterError."""
    if settings.store:
        raise ParameterError(
            "a store elsewhere has no tables of ours", mend="Leave out DIPLOGRAPH_STORE, or --store."
        )
    require_folder(settings)
    server = running_server(settings.data)
    store = open_behind(settings, server.writer) if server and server.writer else open_folder(settings)
    try:
        yield store
    finally:
        store.close()


def _rows(store: Store, folder: Path) -> list[tuple[str, ...]]:
    """Return graph, load, rows, bytes and state of the last table of each graph with records."""
    last = {table.graph: table for table in known_tables(store) if table.file_name}
    rows: list[tuple[str, ...]] = []
    for graph, reason in _reasons(store, folder):
        table = last.get(graph)
        facts = (table.id, f"{table.rows:,}", f"{table.byte_length:,}") if table else ("", "", "")
        rows.append((graph, *facts, reason or "yes"))
    return rows


def _reasons(store: Store, folder: Path) -> list[tuple[str, str]]:
    """Return the graphs with coding records, and why they have no table in use, empty for those that do."""
    known = known_tables(store)
    last = {table.graph: table for table in known if table.file_name}
    usable = {table.iri for table in usable_tables(known)}
    return [(graph, _reason(last.get(graph), usable, folder)) for graph in record_graphs(store)]


def _reason(table: KnownTable | None, usable: set[str], folder: Path) -> str:
    if table is None:
        return "no: it was loaded without a table"
    if table.invalidated is not None:
        return f"no: the graph was changed at {table.invalidated:%Y-%m-%d %H:%M} UTC"
    if table.iri not in usable:
        return "no: another graph has some of its records"
    try:
        open_table(table, folder)
    except DiplographError as error:
        return f"no: {error.detail}"
    return ""
