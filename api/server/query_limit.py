"""So many queries at once and no more: the rest are told to come again."""

from __future__ import annotations

import threading
from typing import Final

from flask import Flask, Response, g, request

from kg.errors import BusyError

# Doors whose reading costs a query of the client's making.
_COSTLY: Final = frozenset(
    {"sparql.query", "sparql.download", "questions.question", "graphs.indirect", "graphs.direct", "void.void"}
)


class Gate:
    """Counts those inside."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._lock = threading.Lock()
        self._inside = 0

    @property
    def inside(self) -> int:
        """Tell how many are inside."""
        return self._inside

    def enter(self) -> None:
        """Take a place. Raises BusyError when all are taken."""
        with self._lock:
            if self._inside >= self._places:
                raise BusyError(
                    f"{self._inside} queries are running or waiting, and no more are taken",
                    mend="Try again in a moment, with fewer requests at once.",
                )
            self._inside += 1

    def leave(self) -> None:
        """Give the place back."""
        with self._lock:
            self._inside -= 1


def register(app: Flask, gate: Gate) -> None:
    """Attach to the application: a place is held until the last byte of the answer has gone."""

    def enter() -> None:
        if request.endpoint in _COSTLY and request.method != "OPTIONS":
            gate.enter()
            g.place = gate

    def hand_over(response: Response) -> Response:
        if g.pop("place", None) is not None:
            response.call_on_close(gate.leave)
        return response

    def tidy(error: BaseException | None) -> None:
        if g.pop("place", None) is not None:
            gate.leave()

    app.before_request(enter)
    app.after_request(hand_over)
    app.teardown_request(tidy)
