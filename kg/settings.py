"""Settings as one table: environment variable, default and help; command-line flags override them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from kg.errors import ParameterError

GIB = 1024**3
LITERAL_LIMIT = 8 * 1024**2
"""Bytes that a literal may have in N-Triples. The engine cannot read texts of twice that again."""


@dataclass(frozen=True)
class Settings:
    """Settings of a process: sizes in bytes, times in seconds; an empty text means unset."""

    data: Path = Path("diplograph-data")  # folder of the store
    store: str = ""  # query URL of a SPARQL store to use instead of the folder
    store_update: str = ""  # its update URL, if different from the engine's usual one
    store_graphs: str = ""  # its graph store URL, if different from the engine's usual one
    store_login: str = ""  # its name:password, or its bearer token
    token: str = ""  # secret required for writing; generated if empty
    query_timeout: float = 60.0  # seconds that one query may take
    query_memory: int = 2 * GIB  # bytes of memory that one query may use
    query_rows: int = 0  # rows that one query may return; 0: no limit
    fronts: int = os.cpu_count() or 1  # processes that answer requests
    workers: int = os.cpu_count() or 1  # queries that may run at once
    max_upload: int = 1 * GIB  # largest request body in bytes
    service_allow: tuple[str, ...] = ()  # URL prefixes that SERVICE and LOAD may reach, separated by spaces
    max_waiting: int = 64  # queries that may run or wait at once
    cache: int = 64 * 1024**2  # bytes of cached results
    request_log: bool = False  # log each request
    trusted_proxy: str = ""  # address of the proxy whose X-Forwarded headers are trusted
    root_path: str = ""  # path under which the server answers, such as /kg
    forwarded_prefix: bool = False  # believe the trusted proxy's X-Forwarded-Prefix
    read_only: bool = False  # refuse every write


def variable(setting: str) -> str:
    """Return the environment variable of a setting."""
    return f"DIPLOGRAPH_{setting.upper()}"


def read_settings(environ: Mapping[str, str], **flags: object) -> Settings:
    """Read the settings from flags that are not None, else from the environment.

    Raises ParameterError, with the variable's name, for an invalid value.
    """
    values: dict[str, Any] = {}
    for setting in fields(Settings):
        name = variable(setting.name)
        if flags.get(setting.name) is not None:
            values[setting.name] = flags[setting.name]
        elif environ.get(name, "") != "":
            values[setting.name] = _read(name, environ[name], setting.default)
    return Settings(**values)


def _read(name: str, text: str, default: object) -> object:
    try:
        if isinstance(default, bool):
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[
                text.lower()
            ]
        if isinstance(default, tuple):
            return tuple(text.split())
        if isinstance(default, (int, float)):
            number = type(default)(text)
            if number < 0 or (number == 0 and default != 0):
                raise ValueError
            return number
        return type(default)(text) if isinstance(default, Path) else text
    except (KeyError, ValueError):
        kind = {bool: "1 or 0", int: "a whole number above 0", float: "a number above 0"}[type(default)]
        raise ParameterError(
            f"{name}={text} is not {kind}", mend=f"Set {name} to {kind}, or unset it."
        ) from None
