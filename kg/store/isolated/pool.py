"""The workers of one process: lent to one query each, killed at its limits, and replaced."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from multiprocessing.connection import Connection
from time import monotonic
from typing import Any, Final

from kg.errors import BusyError, DiplographError, QueryStoppedError, StoreFailedError
from kg.processes import CONTEXT, start
from kg.store.cancellation import on_stop
from kg.store.isolated.messages import Limits, receive, send
from kg.store.isolated.worker import run_worker

# A process whose connection closed is ending; its exit status tells why.
_LAST_WORDS: Final = 2.0
# A longer message may have to wait for the worker to take it.
_LARGE: Final = 32 * 1024


class Worker:
    """A worker process, as the process that started it sees it."""

    def __init__(self, snapshots: Any, limits: Limits) -> None:
        self.connection, theirs = CONTEXT.Pipe()
        self.process = start(run_worker, theirs, snapshots, limits, name="worker")
        theirs.close()
        self._readable = select.poll()
        self._readable.register(self.connection, select.POLLIN)

    def can_receive(self, seconds: float = 0) -> bool:
        """Return whether a message, or the end of the connection, arrives within so many seconds."""
        # Rounded up, so that a wait does not end a moment before its time.
        return bool(self._readable.poll(seconds * 1000 + 1 if seconds else 0))

    @property
    def pid(self) -> int:
        """Process identifier."""
        return self.process.pid or 0

    def kill(self, grace: float = 0) -> int:
        """End the process, after `grace` seconds at most, and return its exit status."""
        self.connection.close()
        self.process.join(grace)
        self.process.kill()
        self.process.join()
        status = self.process.exitcode or 0
        self.process.close()
        return status


class Pool:
    """Lends up to `size` workers, started when they are needed; the last one used is lent first."""

    def __init__(self, size: int, snapshots: Any, limits: Limits, timeout: float) -> None:
        self.timeout = timeout
        self.limits = limits
        self._size = size
        self._snapshots = snapshots
        self._lock = threading.Lock()
        self._workers: set[Worker] = set()
        self._idle: list[Worker] = []
        self._waiting: deque[Future[Worker]] = deque()
        self._closed = False

    def pids(self) -> list[int]:
        """Return the process identifiers of the workers that live; one is started if there is none."""
        with self._lock:
            self._drop_dead()
            if not self._workers and not self._closed:
                self._idle.append(self._start())
            return sorted(worker.pid for worker in self._workers)

    def lend(self) -> Lease:
        """Lend a worker; raises BusyError when none is free within the time that a query has."""
        future = self._request()
        try:
            return Lease(self, future.result(self.timeout))
        except TimeoutError:
            self._give_up(future)
            raise self._busy() from None
        except BaseException:
            self._give_up(future)
            raise

    async def lend_async(self) -> Lease:
        """Lend a worker without holding the thread; raises BusyError."""
        future = self._request()
        if future.done():
            return Lease(self, future.result())
        try:
            # Shielded: a worker that comes just as the time is over must not get lost.
            async with asyncio.timeout(self.timeout):
                return Lease(self, await asyncio.shield(asyncio.wrap_future(future)))
        except TimeoutError:
            self._give_up(future)
            raise self._busy() from None
        except BaseException:
            self._give_up(future)
            raise

    def give_back(self, worker: Worker) -> None:
        """Return a worker that has finished its work."""
        self._offer(worker)

    def discard(self, worker: Worker, grace: float = 0) -> int:
        """Kill a worker, after `grace` seconds at most; return its exit status."""
        with self._lock:
            self._workers.discard(worker)
        status = worker.kill(grace)
        self._offer(None)
        return status

    def close(self) -> None:
        """Kill all workers; those who wait get StoreFailedError."""
        with self._lock:
            self._closed = True
            workers, self._workers = self._workers, set()
            idle, self._idle = self._idle, []
            waiting, self._waiting = self._waiting, deque()
        for future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_exception(StoreFailedError("the store is closed"))
        for worker in workers:
            if worker in idle:
                worker.kill()
            else:
                # Its connection is in use by another thread, which finds it closed from the other side.
                worker.process.kill()

    def _request(self) -> Future[Worker]:
        future: Future[Worker] = Future()
        with self._lock:
            if self._closed:
                raise StoreFailedError("the store is closed")
            self._waiting.append(future)
        self._offer(None)
        return future

    def _give_up(self, future: Future[Worker]) -> None:
        if not future.cancel() and future.exception() is None:
            self.give_back(future.result())

    def _offer(self, worker: Worker | None) -> None:
        """Give a worker that became free, an idle one or a new one to the request that waits longest."""
        while True:
            with self._lock:
                if worker is not None:
                    if worker in self._workers:
                        self._idle.append(worker)
                    worker = None
                if not self._waiting or (free := self._free()) is None:
                    return
                future = self._waiting.popleft()
            if future.set_running_or_notify_cancel():
                future.set_result(free)
                return
            worker = free

    def _free(self) -> Worker | None:
        self._drop_dead()
        if self._idle:
            return self._idle.pop()
        return self._start() if len(self._workers) < self._size else None

    def _drop_dead(self) -> None:
        # From an idle worker nothing comes but the end of its connection.
        for worker in [worker for worker in self._idle if worker.can_receive()]:
            self._idle.remove(worker)
            self._workers.discard(worker)
            worker.kill()

    def _start(self) -> Worker:
        worker = Worker(self._snapshots, self.limits)
        self._workers.add(worker)
        return worker

    def _busy(self) -> BusyError:
        return BusyError(
            f"All {self._size} query processes have been busy for {self.timeout:g} s.",
            mend="Try again in a moment.",
        )


class Lease:
    """A worker lent to one request. It is given back when the answer is complete, or else killed."""

    def __init__(self, pool: Pool, worker: Worker) -> None:
        self._pool = pool
        self._worker: Worker | None = worker
        self._left = pool.timeout
        self._working = False
        # A query that is stopped from another thread must not hit a worker that has been lent again.
        self._parting = threading.Lock()

    def send(self, message: object) -> None:
        """Send a request."""
        self._working = True
        with self._failures():
            send(self._lent().connection, message)

    def receive(self, budget: float | None = None) -> Any:
        """Wait for the next message, at most for what is left of the query's time unless there is a budget.

        Raises the error that it is, and QueryStoppedError when a limit is reached.
        """
        worker, started = self._lent(), monotonic()
        with self._failures():
            if not worker.can_receive(max(0.0, self._left) if budget is None else budget):
                raise TimeoutError
            message = receive(worker.connection)
        return self._received(message, started)

    async def send_async(self, message: object, size: int) -> None:
        """Send a request of about `size` bytes; a long one is sent by a thread."""
        if size < _LARGE:
            self.send(message)
        else:
            await asyncio.get_running_loop().run_in_executor(None, self.send, message)

    async def receive_async(self) -> Any:
        """Wait for the next message without holding the thread; see `receive`."""
        worker, started = self._lent(), monotonic()
        with self._failures():
            await _readable(worker.connection, self._left)
            message = receive(worker.connection)
        return self._received(message, started)

    def finish(self) -> None:
        """Note that the answer is complete, and give the worker back."""
        self._working = False
        self.close()

    def pause(self) -> None:
        """Note that the worker waits for a further request about its result."""
        self._working = False

    def interrupt(self) -> None:
        """Kill the worker at work from another thread; the waiting one gets QueryStoppedError."""
        with self._parting:
            if self._worker is not None and self._working:
                with suppress(ProcessLookupError):
                    os.kill(self._worker.pid, signal.SIGKILL)

    def close(self) -> None:
        """Give the worker back; one in the middle of its work is killed. Safe to call twice."""
        with self._parting:
            worker, self._worker = self._worker, None
        if worker is None:
            return
        if self._working:
            self._pool.discard(worker)
        else:
            self._pool.give_back(worker)

    def stoppable(self) -> None:
        """Let the request that this thread carries out stop the work; see `kg.store.cancellation`."""
        on_stop(self.interrupt)

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

    def _failures(self) -> _Failures:
        return _Failures(self._fail)

    def _fail(self, error: BaseException) -> DiplographError:
        with self._parting:
            worker, self._worker = self._worker, None
        if worker is None:
            return StoreFailedError("the query was closed while it was answered")
        late = isinstance(error, TimeoutError)
        status = self._pool.discard(worker, 0 if late else _LAST_WORDS)
        return stopped(late, status, self._pool.timeout, self._pool.limits.memory)


class _Failures:
    """Turns the end of a connection, or of the time, into an error of ours."""

    def __init__(self, fail: Callable[[BaseException], DiplographError]) -> None:
        self._fail = fail

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (TimeoutError, EOFError, OSError)):
            raise self._fail(error) from None


async def _readable(connection: Connection, seconds: float) -> None:
    """Wait until something can be read; raises TimeoutError."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    descriptor = connection.fileno()
    loop.add_reader(descriptor, _settle, ready, None)
    # Some event loops make the descriptor non-blocking, and a long message could not be sent any more.
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


def stopped(late: bool, status: int, timeout: float, memory: int) -> QueryStoppedError:
    """Build the error for a process that was ended at its work; `status` is its exit status."""
    if late:
        return QueryStoppedError(
            f"it took longer than {timeout:g} s",
            mend="Narrow it (a LIMIT inside a sub-query, fewer patterns, a named graph), or raise "
            "DIPLOGRAPH_QUERY_TIMEOUT on a server of your own.",
        )
    if status == -signal.SIGABRT:
        return QueryStoppedError(
            f"it needed more than {memory / 2**20:.0f} MiB of memory",
            mend="Sort or group less at once, or raise DIPLOGRAPH_QUERY_MEMORY on a server of your own.",
        )
    return QueryStoppedError("the process that answered it ended unexpectedly", mend="Try again.")
