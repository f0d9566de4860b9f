"""Options and files that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kg.errors import ParameterError
from kg.settings import Settings

if TYPE_CHECKING:
    from kg.store import Store

F = TypeVar("F", bound=Callable[..., Any])


def data_option(command: F) -> F:
    """Add the option `--data` to a command, which sets the folder in its settings."""
    return click.option(
        "--data",
        type=click.Path(path_type=Path),
        help="Folder that holds the store (DIPLOGRAPH_DATA).",
        expose_value=False,
        callback=_set_data,
    )(command)


def output_option(command: F) -> F:
    """Add the option `--output` to a command."""
    return click.option(
        "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file."
    )(command)


def _set_data(context: click.Context, option: click.Parameter, data: Path | None) -> None:
    if data is not None:
        context.obj = replace(context.obj, data=data)


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """Open the store for the length of a block."""
    # `diplograph serve` starts faster without these.
    from api.folder.data_folder import open_index, open_store, require_folder

    require_folder(settings)
    store = open_store(settings)
    index = open_index(settings, store)
    try:
        yield store
    finally:
        index.close()
        store.close()


def with_tables(settings: Settings, store: Store) -> Store:
    """Return an opened store for reading, with the tables of records if its engine is in this process."""
    from api.folder.data_folder import beside_tables

    return beside_tables(settings, store)


def read_file(path: str) -> bytes:
    """Read a file, or standard input for `-`. Raises ParameterError."""
    data = name_file(path)
    return data if isinstance(data, bytes) else data.read_bytes()


def name_file(path: str) -> bytes | Path:
    """Return the path of a readable file, or the bytes of standard input for `-`. Raises ParameterError."""
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        Path(path).open("rb").close()
    except OSError as error:
        raise ParameterError(
            f"the file cannot be read: {error.strerror}", where=path, mend="Check its name and rights."
        ) from None
    return Path(path)


def write(pieces: Iterator[bytes], output: Path | None) -> None:
    """Write to a file, or to standard output. Raises ParameterError when the file cannot be written.

    The file appears when it is complete; nothing is left of an incomplete one.
    """
    if output is None:
        for piece in pieces:
            click.echo(piece, nl=False)
        return
    unfinished = output.with_name(output.name + ".part")
    try:
        with unfinished.open("wb") as file:
            file.writelines(pieces)
        unfinished.replace(output)
    except OSError as error:
        raise ParameterError(
            f"the file cannot be written: {error.strerror}", where=str(output), mend="Choose another with -o."
        ) from None
    finally:
        unfinished.unlink(missing_ok=True)
