"""A number that several processes see: the version of the data, read at no cost."""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
from typing import Final

_NUMBER: Final = struct.Struct("=Q")


class SharedNumber:
    """A whole number in memory that other processes map by `descriptor`; one process writes it."""

    def __init__(self, descriptor: int | None = None) -> None:
        # One that was given belongs to who gave it: closed twice, it could be another file's by then.
        self._own = descriptor is None
        if descriptor is None:
            with tempfile.TemporaryFile() as file:
                file.write(bytes(_NUMBER.size))
                file.flush()
                descriptor = os.dup(file.fileno())
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, _NUMBER.size)

    @property
    def value(self) -> int:
        """Read it."""
        number: int = _NUMBER.unpack_from(self._memory)[0]
        return number

    @value.setter
    def value(self, number: int) -> None:
        _NUMBER.pack_into(self._memory, 0, number)

    def __del__(self) -> None:
        self._memory.close()
        if self._own:
            os.close(self.descriptor)
