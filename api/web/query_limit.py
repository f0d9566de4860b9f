"""The limit on queries at once: more than that are refused with 503."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import ParamSpec

from flask import Response, current_app, make_response
from flask.typing import ResponseReturnValue

from kg.errors import BusyError

P = ParamSpec("P")


class QueryLimit:
    """Counts the queries that run or wait in this process; `taken` is their number."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._lock = threading.Lock()
        self.taken = 0

    def enter(self) -> None:
        """Take a place. Raises BusyError when all are taken."""
        with self._lock:
            if self.taken >= self._places:
                raise BusyError(
                    f"{self.taken} queries are running or waiting, and no more are accepted",
                    mend="Try again in a moment, with fewer requests at once.",
                )
            self.taken += 1

    def leave(self) -> None:
        """Free the place."""
        with self._lock:
            self.taken -= 1


def limited(view: Callable[P, ResponseReturnValue]) -> Callable[P, Response]:
    """Decorate a view that carries out a query of the client's own; raises BusyError.

    A place is held until the last byte of the answer is made.
    """

    @functools.wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
        limit: QueryLimit = current_app.extensions["diplograph"].limit
        limit.enter()
        response: Response | None = None
        try:
            response = make_response(view(*args, **kwargs))
        finally:
            if response is not None and response.is_streamed:
                response.call_on_close(limit.leave)
            else:
                limit.leave()
        return response

    return guarded
