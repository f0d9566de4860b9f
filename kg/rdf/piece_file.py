"""Pieces of bytes as a file, for libraries that read from one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any


class PieceFile(io.RawIOBase):
    """The pieces of an iterator as a readable file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as the next piece goes; return the number of bytes, 0 at the end."""
        self._left = self._left or next(self._pieces, b"")
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
