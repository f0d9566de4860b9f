"""The command line: `diplograph COMMAND`."""

from __future__ import annotations

import logging
import os
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click

from kg import __version__
from kg.errors import DiplographError
from kg.settings import read_settings

# Commands by the module of api/commands that holds them; only the module of the given command is imported.
_COMMANDS: Final = {
    "serve": ("serve",),
    "load": ("load", "loads", "undo"),
    "query": ("query", "dump"),
    "inspect": ("describe", "search", "index", "validate"),
    "entail": ("entail",),
    "check": ("check",),
    "tables": ("tables",),
    "backup": ("backup", "restore"),
}
_MODULES: Final = {name: module for module, names in _COMMANDS.items() for name in names}


class Commands(click.Group):
    """Prints errors and sets the exit code: 1 data or request, 2 usage, 3 a peer or the store."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(_MODULES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import and return a command; return None for an unknown name."""
        if name not in _MODULES:
            return None
        command: click.Command = vars(import_module(f"api.commands.{_MODULES[name]}"))[name]
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; one of our errors ends it with its exit code."""
        try:
            return super().invoke(ctx)
        except DiplographError as error:
            tell(error)
            ctx.exit(error.exit_code)


def tell(error: DiplographError) -> None:
    """Write an error to standard error: one line with its place, then findings and the remedy."""
    click.echo(f"error: {' '.join(str(error).split())}", err=True)
    for finding in error.findings:
        click.echo(f"  - {finding}", err=True)
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


if __name__ == "__main__":
    main()
