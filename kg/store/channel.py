"""Frames between the serving process and its engine processes, over a socket pair.

A frame is one byte of kind, four bytes of length (big endian) and the payload: `J` a JSON message, `D` a
piece of data, `Z` the end of data, `E` an error of our tree as JSON.
"""

from __future__ import annotations

import json
import select
import socket
import struct
from time import monotonic
from typing import Any

from kg import errors
from kg.errors import DiplographError, PlacedError, StoreFailedError

_HEAD = struct.Struct(">cI")
_READ = 64 * 1024


def frame(kind: bytes, payload: bytes | bytearray = b"") -> bytes:
    """Write one frame."""
    return _HEAD.pack(kind, len(payload)) + payload


class ChannelClosedError(Exception):
    """The other side is gone."""


class ChannelTimeoutError(Exception):
    """The other side said nothing within the budget."""


class Channel:
    """One side of a socket pair. `waited` counts the seconds spent waiting for the other side."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._held = bytearray()
        self.waited = 0.0

    def send(self, kind: bytes, payload: bytes | bytearray = b"") -> None:
        """Send one frame, blocking while the other side is busy; raises ChannelClosedError."""
        self.send_frames(frame(kind, payload))

    def send_frames(self, frames: bytes | bytearray) -> None:
        """Send frames that stand one after the other; raises ChannelClosedError."""
        try:
            self._sock.settimeout(None)
            self._sock.sendall(frames)
        except OSError:
            raise ChannelClosedError from None

    def send_message(self, message: dict[str, Any]) -> None:
        """Send one JSON message."""
        self.send(b"J", json.dumps(message).encode())

    def send_error(self, error: DiplographError) -> None:
        """Send one error so that the other side can raise the same."""
        known = (
            type(error) if getattr(errors, type(error).__name__, None) is type(error) else StoreFailedError
        )
        placed = {"line": error.line, "column": error.column} if isinstance(error, PlacedError) else {}
        fields = {"detail": error.detail, "where": error.where, "mend": error.mend, **placed}
        self.send(b"E", json.dumps({"class": known.__name__, **fields}).encode())

    def receive(self, budget: float | None = None) -> tuple[bytes, bytes]:
        """Take one frame within `budget` seconds.

        Raises the error that it carries, ChannelClosedError, ChannelTimeoutError.
        """
        started = monotonic()
        try:
            kind, length = _HEAD.unpack(self._take(_HEAD.size, started, budget))
            payload = self._take(length, started, budget)
        finally:
            self.waited += monotonic() - started
        if kind == b"E":
            fields = json.loads(payload)
            raise getattr(errors, fields.pop("class"))(fields.pop("detail"), **fields)
        return kind, payload

    def ready(self, budget: float) -> bool:
        """Tell whether the other side says something within `budget` seconds."""
        if self._held:
            return True
        try:
            return bool(select.select([self._sock], [], [], budget)[0])
        except (OSError, ValueError):
            return True

    def receive_message(self, budget: float | None = None) -> dict[str, Any]:
        """Take one JSON message."""
        _, payload = self.receive(budget)
        message: dict[str, Any] = json.loads(payload)
        return message

    def close(self) -> None:
        """Hang up."""
        self._sock.close()

    def _take(self, size: int, started: float, budget: float | None) -> bytes:
        while len(self._held) < size:
            left = None if budget is None else budget - (monotonic() - started)
            if left is not None and left <= 0:
                raise ChannelTimeoutError
            try:
                self._sock.settimeout(left)
                piece = self._sock.recv(min(max(size - len(self._held), _READ), 1 << 20))
            except TimeoutError:
                raise ChannelTimeoutError from None
            except OSError:
                raise ChannelClosedError from None
            if not piece:
                raise ChannelClosedError
            self._held += piece
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken
