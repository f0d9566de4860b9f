"""The workers of one process: lent to one request each, killed at its limits, and replaced."""

from __future__ import annotations

import asyncio
import os
import select
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from time import monotonic
from typing import Any, Final

from kg.errors import BusyError, StoreFailedError
from kg.processes import end, interrupt, start_connected
from kg.store.isolated.limits import Limits, ended, too_slow
from kg.store.isolated.messages import CloseRequest, pack, unpack
from kg.store.isolated.worker import run_worker

# A process whose connection closed is about to end; its exit status has the reason.
_ENDING_TIME: Final = 2.0
# Sending a longer message may have to wait for the worker.
_LARGE: Final = 32 * 1024


class Worker:
    """A worker process, as the process that started it sees it. Raises StoreFailedError."""

    def __init__(self, snapshots: Path, limits: Limits) -> None:
        self.process, self.connection = start_connected(run_worker, snapshots, limits)
        self.pid = self.process.pid or 0
        self._readable = select.poll()
        self._readable.register(self.connection, select.POLLIN)

    def can_receive(self, seconds: float = 0) -> bool:
        """Return whether a message, or the end of the connection, arrives within some seconds."""
        # Rounded up, so that a wait does not end a moment before its time.
        return bool(self._readable.poll(seconds * 1000 + 1 if seconds > 0 else 0))

    def interrupt(self) -> None:
        """Kill the process from any thread; the one that uses its connection finds that closed."""
        interrupt(self.process)

    def kill(self, grace: float = 0) -> int:
        """End the process, after `grace` seconds at most, and return its exit status."""
        status = end(self.process, grace)
        self.connection.close()
        return status


class Pool:
    """Lends up to `size` workers, started when they are needed; the last one used is lent first."""

    def __init__(self, size: int, snapshots: Path, limits: Limits, timeout: float) -> None:
        self.timeout = timeout
        self.limits = limits
        self._size = size
        self._snapshots = snapshots
        self._lock = threading.Lock()
        self._workers: set[Worker] = set()
        self._idle: list[Worker] = []
        self._waiting: deque[Future[Worker]] = deque()
        self.closed = False
        self._abandoned: SimpleQueue[Lease | None] = SimpleQueue()
        threading.Thread(target=self._close_abandoned, name="abandoned leases", daemon=True).start()

    def pids(self) -> list[int]:
        """Return the process identifiers of the workers that live; one is started if there is none."""
        with self._lock:
            self._drop_dead()
            if not self._workers and not self.closed:
                self._idle.append(self._start())
            return sorted(worker.pid for worker in self._workers)

    def lend(self) -> Lease:
        """Lend a worker; raises BusyError when none is free within the time of a query."""
        with self._requested() as future:
            return Lease(self, future.result(self.timeout))

    async def lend_async(self) -> Lease:
        """Lend a worker without blocking the event loop; raises BusyError."""
        with self._requested() as future:
            if future.done():
                return Lease(self, future.result())
            # Shielded: a worker that becomes free just as the time is over must not get lost.
            async with asyncio.timeout(self.timeout):
                return Lease(self, await asyncio.shield(asyncio.wrap_future(future)))

    def give_back(self, worker: Worker) -> None:
        """Return a worker that has finished its work."""
        with self._lock:
            kept = worker in self._workers
            if kept:
                self._idle.append(worker)
        if kept:
            self._match()
        else:
            worker.kill()  # The pool was closed meanwhile.

    def discard(self, worker: Worker, grace: float = 0) -> int:
        """Kill a worker, after `grace` seconds at most; return its exit status."""
        status = worker.kill(grace)
        with self._lock:
            self._workers.discard(worker)
        self._match()
        return status

    def abandon(self, lease: Lease) -> None:
        """Have a lease closed by another thread.

        The garbage collector runs destructors in any thread at any time, also while that holds a lock which
        closing takes.
        """
        self._abandoned.put(lease)

    def close(self) -> None:
        """Kill all workers; requests that wait for one get StoreFailedError."""
        with self._lock:
            self.closed = True
            workers, self._workers = self._workers, set()
            idle, self._idle = self._idle, []
            waiting, self._waiting = self._waiting, deque()
        for future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_exception(_closed())
        for worker in workers:
            if worker in idle:
                worker.kill()
            else:
                worker.interrupt()
        self._abandoned.put(None)

    @contextmanager
    def _requested(self) -> Iterator[Future[Worker]]:
        """Request a worker, and give up the request if the block raises an error."""
        future: Future[Worker] = Future()
        with self._lock:
            if self.closed:
                raise _closed()
            self._waiting.append(future)
        self._match()
        try:
            yield future
        except BaseException as error:
            if not future.cancel() and future.exception() is None:
                self.give_back(future.result())
            if isinstance(error, TimeoutError):
                raise BusyError(
                    f"All {self._size} query processes have been busy for {self.timeout:g} s.",
                    mend="Try again in a moment.",
                ) from None
            raise

    def _match(self) -> None:
        """Assign free workers, or new ones, to the requests that wait longest."""
        while True:
            with self._lock:
                if not self._waiting:
                    return
                self._drop_dead()
                if not self._idle and len(self._workers) >= self._size:
                    return
                future = self._waiting.popleft()
                if not future.set_running_or_notify_cancel():
                    continue
                try:
                    worker = self._idle.pop() if self._idle else self._start()
                except StoreFailedError as error:
                    future.set_exception(error)
                    continue
            future.set_result(worker)

    def _drop_dead(self) -> None:
        # The only thing that can be received from an idle worker is the end of its connection.
        for worker in [worker for worker in self._idle if worker.can_receive()]:
            self._idle.remove(worker)
            self._workers.discard(worker)
            worker.kill()

    def _close_abandoned(self) -> None:
        while lease := self._abandoned.get():
            lease.close()
            del lease  # So that its worker does not live until the next one.

    def _start(self) -> Worker:
        worker = Worker(self._snapshots, self.limits)
        self._workers.add(worker)
        return worker


class Lease:
    """A worker lent to one request. It is given back when the answer is complete, or else killed."""

    def __init__(self, pool: Pool, worker: Worker) -> None:
        self._pool = pool
        self._worker: Worker | None = worker
        self._left = pool.timeout
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
            return _closed()
        return too_slow(self._pool.timeout) if late else ended(status, self._pool.limits.memory)


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


def _closed() -> StoreFailedError:
    return StoreFailedError("the store is closed")
