"""Results of queries, kept in memory for repetition."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

# One result may fill this part of the whole.
_PART: Final = 8
_OVERHEAD: Final = 500


@dataclass(frozen=True)
class Result:
    """A complete result in one format."""

    content_type: str
    body: bytes


class ResultCache:
    """Results by their entity tags, which name query, format and version of the data.

    `limit` bounds the bytes held; the results used least recently are dropped first.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._results: OrderedDict[str, Result] = OrderedDict()
        self.size = 0
        self.hits = 0
        self.misses = 0

    @property
    def largest(self) -> int:
        """Most bytes that one result may have."""
        return self._limit // _PART - _OVERHEAD

    def get(self, tag: str) -> Result | None:
        """Return the result of a tag, and count whether there is one."""
        with self._lock:
            result = self._results.get(tag)
            if result is None:
                self.misses += 1
            else:
                self.hits += 1
                self._results.move_to_end(tag)
            return result

    def put(self, tag: str, result: Result) -> None:
        """Keep a result, unless it is too large."""
        if len(result.body) > self.largest:
            return
        with self._lock:
            self._drop(self._results.pop(tag, None))
            self.size += len(result.body) + _OVERHEAD
            self._results[tag] = result
            while self.size > self._limit:
                self._drop(self._results.popitem(last=False)[1])

    def _drop(self, result: Result | None) -> None:
        if result is not None:
            self.size -= len(result.body) + _OVERHEAD
