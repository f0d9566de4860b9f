"""The command line: `diplograph COMMAND`."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import click

from api.commands import backup, check, entail, inspect, load, query, serve
from kg import __version__
from kg.errors import DiplographError
from kg.settings import read_settings


class Commands(click.Group):
    """Prints errors and sets the exit code: 1 data or request, 2 usage, 3 a peer or the store."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; one of our errors ends it with its exit code."""
        try:
            return super().invoke(ctx)
        except DiplographError as error:
            tell(error)
            ctx.exit(error.exit_code)


def tell(error: DiplographError) -> None:
    """Write an error to standard error: one line, then findings, place and remedy."""
    click.echo(f"error: {' '.join(str(error).split())}", err=True)
    for finding in error.findings:
        click.echo(f"  - {finding}", err=True)
    if error.where:
        click.echo(f"  where: {error.where}", err=True)
    if error.mend:
        click.echo(f"  what to do: {error.mend}", err=True)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="diplograph")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder that holds the store (DIPLOGRAPH_DATA).",
)
@click.pass_context
def main(ctx: click.Context, data: Path | None) -> None:
    """Query and load a knowledge graph of diplomatic interactions."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    ctx.obj = read_settings(os.environ, data=data)


for command in (
    serve.serve,
    load.load,
    load.loads,
    load.undo,
    query.query,
    query.dump,
    inspect.describe,
    inspect.search,
    inspect.index,
    entail.entail,
    inspect.validate,
    check.check,
    backup.backup,
    backup.restore,
):
    main.add_command(command)


if __name__ == "__main__":
    main()
