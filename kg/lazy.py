"""Libraries that are read when they are first used, so that a process that never uses them starts at once."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Late:
    """Stands for a module; the first use of a name of it imports it."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        found = getattr(import_module(self._module), name)
        setattr(self, name, found)
        return found
