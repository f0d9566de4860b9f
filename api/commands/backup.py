"""`diplograph backup` and `diplograph restore`."""

from __future__ import annotations

from pathlib import Path

import click

from api.commands.options import data_option
from api.folder import backups
from kg.settings import Settings

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("folder", type=_FOLDER, metavar="DIR")
@data_option
@click.pass_obj
def backup(settings: Settings, folder: Path) -> None:
    """Copy the store to a new folder, at one commit, also while it is served."""
    backups.back_up(settings, folder)
    click.echo(f"Backed up to {folder}", err=True)


@click.command()
@click.argument("folder", type=_FOLDER, metavar="DIR")
@data_option
@click.pass_obj
def restore(settings: Settings, folder: Path) -> None:
    """Put a backup into a data folder that has no store yet."""
    backups.restore(settings, folder)
    click.echo(f"Restored into {settings.data}", err=True)
