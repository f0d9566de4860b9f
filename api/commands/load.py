"""`diplograph load`, `diplograph loads` and `diplograph undo`."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from api.commands.loaders import Loader, open_loader, stored_already
from api.commands.options import data_option, name_file, opened
from api.commands.progress import ProgressLine
from api.commands.terminal_tables import text_table
from kg.errors import CancelledError, DiplographError, ParameterError, UnreadableRowsError
from kg.load import LoadRequest, read_loads
from kg.load.model import Records, counted, row_sum
from kg.readers.event_table import write_template
from kg.readers.periods import DateOrder
from kg.settings import Settings
from kg.terms import LOAD, PREFIXES, compact

_SHOWN = 20


@click.command()
@click.argument("files", nargs=-1, metavar="SOURCE…")
@click.option("--format", "form", help="ttl, trig, nt, nq, rdf, jsonld, or a table's. [default: by the file]")
@click.option("--source", help="IRI or name of the source. [default: the file's own graph, or its name]")
@click.option("--base", help="IRI that relative IRIs are resolved against.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and stop.")
@click.option("--yes", is_flag=True, help="Store without asking.")
@click.option(
    "--max-errors",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Rows of a table that may be left out because of their faults.",
)
@click.option("--skip", multiple=True, metavar="IRI", help="Leave this event out; may be repeated.")
@click.option(
    "--mapping",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="RML mapping that says how rows become triples.",
)
@click.option(
    "--missing",
    multiple=True,
    metavar="WORD",
    help="Word that stands for a missing value in a table, such as NA; may be repeated.",
)
@click.option(
    "--date-order",
    type=click.Choice(("dmy", "mdy")),
    help="Order of day and month in dates such as 1/2/2018.",
)
@click.option(
    "--records",
    type=click.Choice(("both", "quads")),
    default="both",
    show_default=True,
    help="Store coding records as quads, or also as a table for fast queries.",
)
@click.option(
    "--template",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write an empty event table.",
)
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
    max_errors: int,
    skip: tuple[str, ...],
    mapping: Path | None,
    missing: tuple[str, ...],
    date_order: DateOrder | None,
    records: Records,
    template: Path | None,
) -> None:
    """Load RDF files or tables: shows what would change, asks, stores. Prints the id of each load."""
    if template is not None:
        _write_template(template)
        return
    if not files:
        raise click.UsageError("name at least one SOURCE, or --template FILE")
    if source is None and "-" in files:
        raise ParameterError("standard input has no name", mend="Name its source with --source.")
    with ExitStack() as stack:
        stored: list[str] = []
        stack.enter_context(_interrupts(stored))
        loader = stack.enter_context(open_loader(settings))
        planned: list[tuple[Any, dict[str, Any]]] = []
        # A preview that is not stored is dropped however the command ends.
        stack.callback(lambda: _drop(loader, planned))
        for path in files:
            name = "standard input" if path == "-" else path
            with _progress(path) as progress:
                local = stack.enter_context(_as_file(path))
                reading = LoadRequest(
                    *(local, name, form, source, base, max_errors, mapping),
                    missing=missing,
                    date_order=date_order,
                    records=records,
                )
                with _named_option():
                    planned.append(loader.plan(reading, progress))
        _check_targets([summary for _, summary in planned])
        for _, summary in planned:
            _show(summary)
        if dry_run:
            return
        changes = [(plan, summary) for plan, summary in planned if not summary["unchanged"]]
        if changes and not yes:
            click.confirm("Store this?", abort=True, err=True)
        for plan, summary in changes:
            try:
                with _progress(summary["file"]) as progress:
                    done = loader.commit(plan, _own_skips(skip, changes, summary), progress)
            except KeyboardInterrupt:
                # It may have come between the storing and the return from there.
                loader.end(plan)
                raise
            planned = [(other, said) for other, said in planned if other is not plan]
            if done is not None:
                stored.append(done["id"])
                click.echo(done["id"])
                for note in done["notes"]:
                    click.echo(f"  {note}", err=True)


@click.command()
@click.argument("load_id", metavar="ID")
@data_option
@click.pass_obj
def undo(settings: Settings, load_id: str) -> None:
    """Undo a load: statements that it added are removed, and those that it removed return."""
    with open_loader(settings) as loader, _progress(load_id) as progress:
        done = loader.undo(load_id.removeprefix(LOAD).removeprefix("load:"), progress)
    click.echo(f"{done['load']} is undone in {compact(done['graph'])}")
    for line in done["kept"]:
        click.echo(f"  {line}", err=True)


@click.command()
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
@data_option
@click.pass_obj
def loads(settings: Settings, form: str) -> None:
    """List the loads, newest first."""
    with opened(settings) as store:
        found = read_loads(store)
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
            "undone" if load.undone else "",
        )
        for load in found
    ]
    for line in text_table(("load", "when (UTC)", "file", "graph", "new", "removed", ""), rows, None):
        click.echo(line)


@contextmanager
def _named_option() -> Iterator[None]:
    """Add to an error about rows with faults the option that leaves them out."""
    try:
        yield
    except UnreadableRowsError as error:
        error.mend = f"{error.mend} The option is --max-errors."
        raise


@contextmanager
def _interrupts(stored: list[str]) -> Iterator[None]:
    """Turn Ctrl+C into one of our errors, which names the loads that are `stored`."""
    try:
        yield
    except KeyboardInterrupt:
        if stored:
            raise stored_already(*stored) from None
        raise CancelledError(
            "interrupted; what was not stored yet is dropped", mend="Load it again when you like."
        ) from None


@contextmanager
def _progress(title: str) -> Iterator[ProgressLine]:
    line = ProgressLine(title)
    try:
        yield line
    finally:
        line.close()


@contextmanager
def _as_file(path: str) -> Iterator[Path]:
    if path != "-":
        if not Path(path).is_dir():
            name_file(path)
        yield Path(path)
        return
    with tempfile.NamedTemporaryFile(prefix="diplograph-") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        copy.flush()
        yield Path(copy.name)


def _drop(loader: Loader, planned: list[tuple[Any, dict[str, Any]]]) -> None:
    for plan, _ in planned:
        with suppress(DiplographError):
            loader.drop(plan)


def _own_skips(
    skip: tuple[str, ...], changes: list[tuple[Any, dict[str, Any]]], summary: dict[str, Any]
) -> list[str]:
    """Return the IRIs to leave out of one of several files: those that it lists, or all for the only file."""
    if len(changes) == 1:
        return [_full(name) for name in skip]
    listed = {thing["iri"] for thing in summary["things"]}
    return [name for name in map(_full, skip) if name in listed]


def _full(name: str) -> str:
    prefix, _, local = name.partition(":")
    return PREFIXES[prefix] + local if prefix in PREFIXES else name


def _write_template(path: Path) -> None:
    try:
        write_template(path)
    except OSError as error:
        raise ParameterError(
            f"the template cannot be written: {error.strerror}",
            where=str(path),
            mend="Name a new file in a folder that you may write to.",
        ) from None
    click.echo(f"wrote {path}", err=True)


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
        click.echo(f"{summary['file']}: {graph} already holds exactly this; nothing to store", err=True)
        return
    click.echo(
        f"{summary['file']} → {graph}: {summary['added']} statements new, {summary['removed']} removed",
        err=True,
    )
    if summary["rows_read"]:
        click.echo(
            f"  {row_sum(summary['rows_read'], summary['rows_stored'], summary['rows_left_out'])}", err=True
        )
    fates = ("new", "changed", "unchanged", "gone")
    rows = [(count["label"], *(str(count[fate]) for fate in fates)) for count in summary["counts"]]
    for line in text_table(("type", *fates), rows, None):
        click.echo(f"  {line}", err=True)
    kinds = ("Event", "Claim", "CodingRecord")
    told = [count for count in summary["counts"] if count["type"].rpartition("#")[2] in kinds]
    fates_of = ", ".join(f"{sum(count[fate] for count in told)} {fate}" for fate in fates)
    click.echo(f"  events, claims and records: {fates_of}, {summary['conflict_count']} conflicting", err=True)
    newcomers = [
        f"{one['label']} ({compact(one['iri'])})"
        + "".join(f"; like {label} ({compact(iri)})" for iri, label in one["suggestions"])
        for one in summary["newcomers"]
    ]
    for title, lines, count in (
        ("to know", summary["notes"], None),
        ("conflicting accounts", [one["text"] for one in summary["conflicts"]], summary["conflict_count"]),
        ("likely repeats", summary["duplicates"], None),
        ("actors that no other source knows", newcomers, summary["newcomer_count"]),
        ("named, and described nowhere", [compact(name) for name in summary["unknown"]], None),
        (f"left out: {counted(summary['unreadable'], 'row')} with faults", summary["faults"], None),
        ("worth a look", summary["findings"], None),
    ):
        if lines:
            whole = count or len(lines)
            shown = lines[:_SHOWN]
            more = f" (the first {len(shown)} of {whole})" if whole > len(shown) else ""
            click.echo(f"  {title}{more}:", err=True)
            for line in shown:
                click.echo(f"    - {line}", err=True)
