"""Settings as one table: environment variable, default and help; command-line flags override them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from kg.errors import ParameterError

GIB = 1024**3


def _setting(name: str, default: object, help_text: str) -> Any:
    return field(default=default, metadata={"name": name, "help": help_text})


@dataclass(frozen=True)
class Settings:
    """Settings of a process: sizes in bytes, times in seconds; an empty text means unset."""

    data: Path = _setting("DIPLOGRAPH_DATA", Path("diplograph-data"), "folder of the store")
    store: str = _setting("DIPLOGRAPH_STORE", "", "query URL of a SPARQL store to use instead of the folder")
    store_update: str = _setting(
        "DIPLOGRAPH_STORE_UPDATE", "", "its update URL, if different from the engine's usual one"
    )
    store_graphs: str = _setting(
        "DIPLOGRAPH_STORE_GRAPHS",
        "",
        "its graph store URL, if different from the engine's usual one",
    )
    store_login: str = _setting("DIPLOGRAPH_STORE_LOGIN", "", "its name:password, or its bearer token")
    token: str = _setting("DIPLOGRAPH_TOKEN", "", "secret required for writing; generated if empty")
    query_timeout: float = _setting("DIPLOGRAPH_QUERY_TIMEOUT", 60.0, "seconds that one query may take")
    query_memory: int = _setting("DIPLOGRAPH_QUERY_MEMORY", 2 * GIB, "bytes of memory that one query may use")
    query_rows: int = _setting("DIPLOGRAPH_QUERY_ROWS", 0, "rows that one query may return; 0: no limit")
    fronts: int = _setting("DIPLOGRAPH_FRONTS", os.cpu_count() or 1, "processes that answer requests")
    workers: int = _setting("DIPLOGRAPH_WORKERS", os.cpu_count() or 1, "queries that may run at once")
    max_upload: int = _setting("DIPLOGRAPH_MAX_UPLOAD", 1 * GIB, "largest request body in bytes")
    service_allow: tuple[str, ...] = _setting(
        "DIPLOGRAPH_SERVICE_ALLOW", (), "URL prefixes that SERVICE and LOAD may reach, separated by spaces"
    )
    max_waiting: int = _setting("DIPLOGRAPH_MAX_WAITING", 64, "queries that may run or wait at once")
    cache: int = _setting("DIPLOGRAPH_CACHE", 64 * 1024**2, "bytes of cached results")
    request_log: bool = _setting("DIPLOGRAPH_REQUEST_LOG", False, "log each request")
    trusted_proxy: str = _setting(
        "DIPLOGRAPH_TRUSTED_PROXY", "", "address of the proxy whose X-Forwarded headers are trusted"
    )
    read_only: bool = _setting("DIPLOGRAPH_READ_ONLY", False, "refuse every write")


def read_settings(environ: Mapping[str, str], **flags: object) -> Settings:
    """Read the settings from flags that are not None, else from the environment.

    Raises ParameterError, with the variable's name, for an invalid value.
    """
    values: dict[str, Any] = {}
    for setting in fields(Settings):
        name = setting.metadata["name"]
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
            return number if number == default == 0 else _positive(number)
        return type(default)(text) if isinstance(default, Path) else text
    except (KeyError, ValueError):
        kind = {bool: "1 or 0", int: "a whole number above 0", float: "a number above 0"}[type(default)]
        raise ParameterError(
            f"{name}={text} is not {kind}", mend=f"Set {name} to {kind}, or unset it."
        ) from None


def _positive(number: int | float) -> int | float:
    if number <= 0:
        raise ValueError(number)
    return number
