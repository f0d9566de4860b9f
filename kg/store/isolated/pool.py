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
from time import monotonic, sleep
from typing import Final

import psutil

from kg.errors import BusyError, StoreFailedError
from kg.processes import end, interrupt, start_connected
from kg.store.isolated.lease import Lease, closed
from kg.store.isolated.limits import Limits
from kg.store.isolated.worker import Opener, open_plainly, run_worker

# Seconds after which a request counts as long while others wait, and between looks.
_LONG: Final = 0.25
_LOOK: Final = 0.05
# Long requests at once, for each worker; the part of its time that a further one has while others wait.
_SLOW: Final = 2
_PATIENCE: Final = 0.1
_NICENESS: Final = 15


class Worker:
    """A worker process, as the process that started it sees it. Raises StoreFailedError."""

    def __init__(self, snapshots: Path, limits: Limits, open_snapshot: Opener) -> None:
        self.process, self.connection = start_connected(run_worker, snapshots, limits, open_snapshot)
        self.pid = self.process.pid or 0
        self.lent_at = 0.0
        self.is_slow = self.is_evicted = self.is_put_back = False
        self.worked_before: float | None = 0.0
        self.may_wait = False
        """Whether its request can be sent again: nothing of its answer has arrived."""
        self._readable = select.poll()
        self._readable.register(self.connection, select.POLLIN)

    def can_receive(self, seconds: float = 0) -> bool:
        """Return whether a message, or the end of the connection, arrives within some seconds."""
        # Rounded up, so that a wait does not end a moment before its time.
        return bool(self._readable.poll(seconds * 1000 + 1 if seconds > 0 else 0))

    def has_worked(self, seconds: float) -> bool:
        """Return whether its request has had some seconds of the processor, since the first such question."""
        try:
            times = psutil.Process(self.pid).cpu_times()
        except psutil.Error:
            return False
        if self.worked_before is None:
            self.worked_before = times.user + times.system
        return times.user + times.system - self.worked_before > seconds

    def interrupt(self) -> None:
        """Kill the process from any thread; the one that uses its connection finds that closed."""
        interrupt(self.process)

    def slow_down(self) -> None:
        """Lower the priority of the process, for good."""
        self.is_slow = True
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self.pid, _NICENESS)

    def put_back(self) -> None:
        """Kill the process; its request is sent again when there is room for a long one."""
        self.is_put_back = True
        self.evict()

    def evict(self) -> None:
        """Kill the process in favour of others."""
        self.is_evicted = True
        self.interrupt()

    def kill(self, grace: float = 0) -> int:
        """End the process, after `grace` seconds at most, and return its exit status."""
        status = end(self.process, grace)
        self.connection.close()
        return status


class Pool:
    """Lends up to `size` workers, started when they are needed; the last one used is lent first.

    When requests wait, workers that have been lent for long make room: they go on beside the others, at low
    priority, and up to twice as many. Beyond that number a long request is stopped: one that may wait is
    begun again when there is room for a long one. So short requests are answered whatever the long ones do,
    and however many of them there are.
    """

    def __init__(
        self, size: int, snapshots: Path, limits: Limits, open_snapshot: Opener = open_plainly
    ) -> None:
        self._open_snapshot = open_snapshot
        self.limits = limits
        self._size = size
        self._snapshots = snapshots
        self._lock = threading.Lock()
        self._workers: set[Worker] = set()
        self._idle: list[Worker] = []
        self._waiting: deque[Future[Worker]] = deque()
        self._long: deque[Future[Worker]] = deque()
        self.closed = False
        self._abandoned: SimpleQueue[Lease | None] = SimpleQueue()
        self._crowded = threading.Event()
        threading.Thread(target=self._close_abandoned, name="abandoned leases", daemon=True).start()
        threading.Thread(target=self._keep_room, name="room for leases", daemon=True).start()

    def pids(self) -> list[int]:
        """Return the process identifiers of the workers that live; one is started if there is none."""
        with self._lock:
            self._drop_dead()
            if not self._workers and not self.closed:
                self._idle.append(self._start())
            return sorted(worker.pid for worker in self._workers)

    def lend(self) -> Lease:
        """Lend a worker; raises BusyError when none is free within the time of a query."""
        with self._requested(self._waiting) as future:
            return Lease(self, future.result(self.limits.timeout))

    async def lend_async(self, *, long: bool = False) -> Lease:
        """Lend a worker without blocking the event loop; raises BusyError.

        Its request may be stopped by PutBackError before its answer begins, unless it is known to be `long`.
        """
        with self._requested(self._long if long else self._waiting) as future:
            # Shielded: a worker that becomes free just as the time is over must not get lost.
            async with asyncio.timeout(self.limits.timeout):
                if not future.done():
                    await asyncio.shield(asyncio.wrap_future(future))
            worker = future.result()
            worker.may_wait = not long
            return Lease(self, worker)

    def give_back(self, worker: Worker) -> None:
        """Return a worker that has finished its work."""
        with self._lock:
            kept = worker in self._workers and not (worker.is_slow or worker.is_evicted)
            if kept:
                worker.worked_before = None
                self._idle.append(worker)
        if kept:
            self._match()
        else:
            self.discard(worker)  # The pool was closed meanwhile, or its priority is low.

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
            waiting = [*self._waiting, *self._long]
            self._waiting.clear()
            self._long.clear()
        for future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_exception(closed())
        for worker in workers:
            if worker in idle:
                worker.kill()
            else:
                worker.interrupt()
        self._abandoned.put(None)
        self._crowded.set()

    @contextmanager
    def _requested(self, queue: deque[Future[Worker]]) -> Iterator[Future[Worker]]:
        """Request a worker, and give up the request if the block raises an error."""
        future: Future[Worker] = Future()
        with self._lock:
            if self.closed:
                raise closed()
            queue.append(future)
        self._match()
        try:
            yield future
        except BaseException as error:
            if not future.cancel() and future.exception() is None:
                self.give_back(future.result())
            if isinstance(error, TimeoutError):
                raise BusyError(
                    f"All {self._size} query processes have been busy for {self.limits.timeout:g} s.",
                    mend="Try again in a moment.",
                ) from None
            raise

    def _match(self) -> None:
        """Assign free workers, or new ones, to the requests that wait longest."""
        while True:
            with self._lock:
                if not (self._waiting or self._long):
                    return
                self._drop_dead()
                if self._waiting and (self._idle or self._has_room()):
                    queue = self._waiting
                elif self._long and self._has_room_for_long():
                    queue = self._long
                else:
                    if self._waiting:
                        self._crowded.set()
                    return
                future = queue.popleft()
                if not future.set_running_or_notify_cancel():
                    continue
                try:
                    is_short = queue is self._waiting
                    worker = self._idle.pop() if is_short and self._idle else self._start()
                except StoreFailedError as error:
                    future.set_exception(error)
                    continue
                if not is_short:
                    worker.slow_down()
                worker.lent_at, worker.may_wait = monotonic(), False
            future.set_result(worker)

    def _has_room(self) -> bool:
        """Return whether a worker can be started, after making room for it if need be."""
        quick = [worker for worker in self._workers if not (worker.is_slow or worker.is_evicted)]
        if len(quick) < self._size:
            return True
        now, patience = monotonic(), _PATIENCE * self.limits.timeout
        oldest = min(quick, key=lambda worker: worker.lent_at)
        if (self._long or not self._has_room_for_long()) and (waiting := _working_long(quick, now)):
            waiting.put_back()
        elif now - oldest.lent_at > _LONG and self._has_room_for_long():
            oldest.slow_down()
        elif now - oldest.lent_at > patience and not any(
            w.may_wait and w.lent_at > now - patience for w in quick
        ):
            oldest.evict()
        else:
            return False
        return True

    def _has_room_for_long(self) -> bool:
        slow = sum(worker.is_slow and not worker.is_evicted for worker in self._workers)
        return slow < _SLOW * self._size

    def _keep_room(self) -> None:
        while not self.closed:
            self._crowded.wait()
            self._crowded.clear()
            sleep(_LOOK)
            self._match()

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
        worker = Worker(self._snapshots, self.limits, self._open_snapshot)
        self._workers.add(worker)
        return worker


def _working_long(workers: list[Worker], now: float) -> Worker | None:
    """Return a worker whose request may wait and has worked for long; on a busy machine it may just begin."""
    for worker in workers:
        if worker.may_wait and now - worker.lent_at > _LONG and worker.has_worked(_LONG / 2):
            return worker
    return None
