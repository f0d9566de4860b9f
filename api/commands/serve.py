"""`diplograph serve`."""

from __future__ import annotations

from dataclasses import replace

import click

from api.commands.options import data_option
from kg.processes import preload
from kg.settings import Settings
from kg.table.record_table import FOLDER


@click.command()
@data_option
@click.option("--store", default=None, help="Query URL of a SPARQL store (DIPLOGRAPH_STORE).")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0: a free one.")
@click.option("--root-path", default=None, help="Path to answer under, such as /kg (DIPLOGRAPH_ROOT_PATH).")
@click.option("--read-only", is_flag=True, default=None, help="Refuse every write (DIPLOGRAPH_READ_ONLY).")
@click.pass_obj
def serve(
    settings: Settings, store: str | None, host: str, port: int, root_path: str | None, read_only: bool | None
) -> None:
    """Serve the graph; an empty data folder gets the ontology, the countries and the article first."""
    # Fronts are forked with this in memory, which is imported while this process imports its own. Without
    # the second, the first query over tables of records would wait for its imports in each worker.
    tables = ("kg.table.sparql_to_sql.translation", "duckdb") if (settings.data / FOLDER).is_dir() else ()
    preload("api.processes.front_processes", *tables)
    from api.processes import serving_process as serving

    if store is not None:
        settings = replace(settings, store=store)
    if root_path is not None:
        settings = replace(settings, root_path=root_path)
    if read_only:
        settings = replace(settings, read_only=True)
    serving.serve(settings, host, port, say=lambda line: click.echo(line, err=True))
