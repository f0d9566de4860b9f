"""A worker lent to one request, read in a thread or in an event loop."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from kg.errors import StoreFailedError
from kg.store.isolated.limits import ended, evicted, too_slow
from kg.store.isolated.messages import CloseRequest, pack, unpack

if TYPE_CHECKING:
    from kg.store.isolated.pool import Pool, Worker

# A process whose connection closed is about to end; its exit status has the reason.
_ENDING_TIME: Final = 2.0
# Sending a longer message may have to wait for the worker.
_LARGE: Final = 32 * 1024


class Lease:
    """A worker lent to one request. It is given back when the answer is complete, or else killed."""

    def __init__(self, pool: Pool, worker: Worker) -> None:
        self._pool = pool
        self._worker: Worker | None = worker
        self._left = pool.limits.timeout
        self._working = False
        self._has_result = False
        # A query that is stopped from another thread must not hit a worker that has been lent again.
        self._parting = threading.Lock()

    def __del__(self) -> None:
        self.abandon()

    def send(self, message: object) -> None:
        """Send a request; raises TypeError if it cannot be pickled, QueryStoppedError."""
        data = pack(message)
        self._working, self._has_result = True, False
        worker = self._lent()
        try:
            worker.connection.send_bytes(data)
        except OSError as error:
            raise self._fail(error) from None

    def receive(self, budget: float | None = None) -> Any:
        """Wait for the next message within the rest of the query's time, or within `budget` seconds.

        Raises the exception that was sent, and QueryStoppedError when a limit is reached.
        """
        worker, started = self._lent(), monotonic()
        try:
            if not worker.can_receive(self._left if budget is None else budget):
                raise TimeoutError
            message = unpack(worker.connection.recv_bytes())
        except (EOFError, OSError) as error:
            raise self._fail(error) from None
        return self._received(message, started)

    async def send_async(self, message: object, size: int) -> None:
        """Send a request of about `size` bytes; a long one is sent by a thread."""
        if size < _LARGE:
            self.send(message)
        else:
            await asyncio.get_running_loop().run_in_executor(None, self.send, message)

    async def receive_async(self) -> Any:
        """Wait for the next message without blocking the event loop; see `receive`."""
        worker, started = self._lent(), monotonic()
        try:
            await _readable(worker.connection.fileno(), self._left)
            message = unpack(worker.connection.recv_bytes())
        except (EOFError, OSError) as error:
            # A large process takes its time to end.
            raise await asyncio.to_thread(self._fail, error) from None
        return self._received(message, started)

    def finish(self) -> None:
        """Note that the answer is complete, and give the worker back."""
        self._working = False
        self.close()

    def pause(self) -> None:
        """Note that the worker has a result and waits for the request to write it."""
        self._working, self._has_result = False, True

    def interrupt(self) -> None:
        """Kill the worker at work from another thread; the thread that waits gets QueryStoppedError."""
        with self._parting:
            if self._worker is not None and self._working:
                self._worker.interrupt()

    def close(self) -> None:
        """Return the worker; one in the middle of its work is killed. Safe to call twice."""
        with self._parting:
            worker, self._worker = self._worker, None
        if worker is None:
            return
        if self._working:
            self._pool.discard(worker)
            return
        if self._has_result:
            with suppress(OSError):
                worker.connection.send_bytes(_CLOSE)
        self._pool.give_back(worker)

    def abandon(self) -> None:
        """Have the lease closed by another thread, if it is still open; for destructors."""
        if self._worker is not None:
            self._pool.abandon(self)

    def _received(self, message: Any, started: float) -> Any:
        self._left -= monotonic() - started
        if self._worker is not None:
            self._worker.may_wait = False
        if isinstance(message, Exception):
            self.finish()
            raise message
        return message

    def _lent(self) -> Worker:
        if self._worker is None:
            raise StoreFailedError("the result has been read or closed already")
        return self._worker

    def _fail(self, error: BaseException) -> Exception:
        with self._parting:
            worker, self._worker = self._worker, None
        if worker is None:
            return StoreFailedError("the query was closed while it was answered")
        late = isinstance(error, TimeoutError)
        status = self._pool.discard(worker, 0 if late else _ENDING_TIME)
        if self._pool.closed:
            return closed()
        if worker.is_evicted:
            return evicted(put_back=worker.is_put_back)
        return too_slow(self._pool.limits.timeout) if late else ended(status, self._pool.limits.memory)


_CLOSE: Final = pack(CloseRequest())


async def _readable(descriptor: int, seconds: float) -> None:
    """Wait until something can be read; raises TimeoutError."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _settle, ready, None)
    # Some event loops make the descriptor non-blocking; long messages could then not be sent any more.
    os.set_blocking(descriptor, True)
    late = loop.call_later(seconds, _settle, ready, TimeoutError())
    try:
        await ready
    finally:
        late.cancel()
        loop.remove_reader(descriptor)


def _settle(ready: asyncio.Future[None], error: Exception | None) -> None:
    if ready.done():
        return
    if error is None:
        ready.set_result(None)
    else:
        ready.set_exception(error)


def closed() -> StoreFailedError:
    """Build the error for a request to a closed store."""
    return StoreFailedError("the store is closed")
