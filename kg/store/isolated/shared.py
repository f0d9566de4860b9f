"""Numbers that several processes see and read at no cost, such as the version of the data."""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
from typing import Final

_NUMBER: Final = struct.Struct("=Q")
_SIZE: Final = 2 * _NUMBER.size


ASKED: Final = 1
"""The place of the count of queries, beside the version of the data."""


class SharedNumber:
    """A whole number in memory that other processes map by `descriptor`; `place` tells several apart.

    What two processes write at once, one of them loses.
    """

    def __init__(self, descriptor: int | None = None, place: int = 0) -> None:
        # One that was given belongs to who gave it: closed twice, it could be another file's by then.
        self._own = descriptor is None
        if descriptor is None:
            descriptor = _memory_file()
            os.ftruncate(descriptor, _SIZE)
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, _SIZE)
        self._offset = place * _NUMBER.size

    @property
    def value(self) -> int:
        """Read it."""
        number: int = _NUMBER.unpack_from(self._memory, self._offset)[0]
        return number

    @value.setter
    def value(self, number: int) -> None:
        _NUMBER.pack_into(self._memory, self._offset, number)

    def __del__(self) -> None:
        self._memory.close()
        if self._own:
            os.close(self.descriptor)


def _memory_file() -> int:
    """Give the descriptor of a file without a name, on no disk where the system has such files.

    Who writes to a page of a file on a disk waits while the disk takes the page, and that may be a second.
    """
    if hasattr(os, "memfd_create"):
        return os.memfd_create("diplograph")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
