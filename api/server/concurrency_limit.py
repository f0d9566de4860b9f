"""The limit on queries at once: more than that are refused with 503."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from flask import Flask, Response, g, request

from kg.errors import BusyError

# Doors that carry out a query of the client's own.
_COSTLY: Final = frozenset(
    {
        "sparql.query",
        "sparql.download",
        "editor.run",
        "questions.question",
        "graphs.indirect",
        "graphs.direct",
        "void.void",
    }
)


class QueryLimit:
    """Counts the queries under way in this process."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._lock = threading.Lock()
        self._taken = 0

    @property
    def taken(self) -> int:
        """Number of queries that run or wait."""
        return self._taken

    def enter(self) -> None:
        """Take a place. Raises BusyError when all are taken."""
        with self._lock:
            if self._taken >= self._places:
                raise BusyError(
                    f"{self._taken} queries are running or waiting, and no more are accepted",
                    mend="Try again in a moment, with fewer requests at once.",
                )
            self._taken += 1

    def leave(self) -> None:
        """Free the place."""
        with self._lock:
            self._taken -= 1

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place for the length of a block. Raises BusyError."""
        self.enter()
        try:
            yield
        finally:
            self.leave()


def register(app: Flask, limit: QueryLimit) -> None:
    """Attach the limit to an application; a place is held until the last byte of the answer is made."""

    def enter() -> None:
        if request.endpoint in _COSTLY and request.method != "OPTIONS":
            limit.enter()
            g.place = limit

    def hand_over(response: Response) -> Response:
        if response.is_streamed and g.pop("place", None) is not None:
            response.call_on_close(limit.leave)
        return response

    def give_back(error: BaseException | None) -> None:
        if g.pop("place", None) is not None:
            limit.leave()

    app.before_request(enter)
    app.after_request(hand_over)
    app.teardown_request(give_back)
