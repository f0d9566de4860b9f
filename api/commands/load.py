"""`diplograph load` and `diplograph loads`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from api.commands.options import data_option, opened, read_file, with_data
from api.data_folder import known_token, running_server
from api.loaders import Loader, LocalLoader, RemoteLoader
from api.tables import text_table
from kg.errors import ParameterError
from kg.load import list_loads
from kg.settings import Settings
from kg.terms import compact

_SHOWN = 20


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--format", "form", help="Syntax: ttl, trig, nt, nq, rdf, jsonld. [default: by the ending]")
@click.option("--source", help="IRI or name of the source. [default: the file's own graph, or its name]")
@click.option("--base", help="IRI that relative IRIs are resolved against.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and stop.")
@click.option("--yes", is_flag=True, help="Store without asking.")
@data_option
@click.pass_obj
def load(
    settings: Settings,
    files: tuple[str, ...],
    form: str | None,
    source: str | None,
    base: str | None,
    dry_run: bool,
    yes: bool,
    data: Path | None,
) -> None:
    """Load RDF files: shows what would change, asks, stores. Prints the id of each load."""
    if source is None and "-" in files:
        raise ParameterError("standard input has no name", mend="Say which source it is with --source.")
    with _loader(with_data(settings, data)) as loader:
        planned = []
        for path in files:
            name = "standard input" if path == "-" else path
            planned.append(loader.plan(read_file(path), name, form, source, base))
        _check_targets([summary for _, summary in planned])
        for _, summary in planned:
            _show(summary)
        if dry_run:
            return
        changes = [(plan, summary) for plan, summary in planned if not summary["unchanged"]]
        if changes and not yes:
            click.confirm("Store this?", abort=True, err=True)
        for plan, _ in changes:
            done = loader.commit(plan)
            if done is not None:
                click.echo(done["id"])


@click.command()
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
@data_option
@click.pass_obj
def loads(settings: Settings, form: str, data: Path | None) -> None:
    """List the loads, newest first."""
    with opened(with_data(settings, data)) as store:
        found = list_loads(store)
    if form == "json":
        click.echo(json.dumps([load.summary() for load in found], indent=2, ensure_ascii=False))
        return
    rows = [
        (
            load.id,
            f"{load.ended:%Y-%m-%d %H:%M}",
            load.file_name,
            compact(load.graph),
            str(load.added),
            str(load.removed),
        )
        for load in found
    ]
    for line in text_table(("load", "when (UTC)", "file", "graph", "new", "taken away"), rows, None):
        click.echo(line)


@contextmanager
def _loader(settings: Settings) -> Iterator[Loader]:
    server = None if settings.store else running_server(settings.data)
    if server is not None:
        yield RemoteLoader(server, known_token(settings))
    else:
        with opened(settings) as store:
            yield LocalLoader(store)


def _check_targets(summaries: list[dict[str, Any]]) -> None:
    seen: dict[str, str] = {}
    for summary in summaries:
        other = seen.get(summary["graph"])
        seen[summary["graph"]] = summary["file"]
        if other is not None:
            raise ParameterError(
                f"{other} and {summary['file']} both go into {compact(summary['graph'])}",
                mend="Join them into one file, or load them as different sources.",
            )


def _show(summary: dict[str, Any]) -> None:
    graph = compact(summary["graph"])
    if summary["unchanged"]:
        click.echo(f"{summary['file']}: {graph} holds exactly this already; nothing to store", err=True)
        return
    click.echo(
        f"{summary['file']} → {graph}: {summary['added']} statements new, {summary['removed']} taken away",
        err=True,
    )
    fates = ("new", "changed", "unchanged", "gone")
    rows = [(count["label"], *(str(count[fate]) for fate in fates)) for count in summary["counts"]]
    for line in text_table(("type", *fates), rows, None):
        click.echo(f"  {line}", err=True)
    for title, lines in (
        ("named, and described nowhere", [compact(name) for name in summary["unknown"]]),
        ("worth a look", summary["findings"]),
    ):
        if lines:
            more = f" (the first {_SHOWN} of {len(lines)})" if len(lines) > _SHOWN else ""
            click.echo(f"  {title}{more}:", err=True)
            for line in lines[:_SHOWN]:
                click.echo(f"    - {line}", err=True)
