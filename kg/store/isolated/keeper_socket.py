"""The keeper for other processes: over a Unix socket, with the version of the data in shared memory."""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from kg.errors import DiplographError, StoreFailedError
from kg.store.isolated.channel import Channel, ChannelClosedError, ChannelTimeoutError
from kg.store.isolated.keeper import Keeper
from kg.store.isolated.shared import ASKED, SharedNumber

_POLL: Final = 0.2
# What the address of a Unix socket may have, with its final zero.
_ADDRESS: Final = 107


class KeeperSocket:
    """Serves a keeper on a socket file, which its owner alone may open (mode 0600)."""

    def __init__(self, keeper: Keeper, path: Path) -> None:
        self._keeper = keeper
        self._path = path
        self._held: dict[str, Counter[str]] = {}
        self._connections: Counter[str] = Counter()
        self._lock = threading.Lock()
        path.unlink(missing_ok=True)
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            with _address(path) as address:
                self._listening.bind(address)
        finally:
            os.umask(before)
        self._listening.listen(128)
        threading.Thread(target=self._accept, name="keeper", daemon=True).start()

    def _forget(self, front: str) -> None:
        """Release what a process held that has no connection left: it has ended."""
        with self._lock:
            self._connections[front] -= 1
            if self._connections[front]:
                return
            del self._connections[front]
            held = self._held.pop(front, Counter())
        for path in held.elements():
            self._keeper.release(Path(path))

    def _hold(self, front: str, path: Path) -> None:
        with self._lock:
            self._held.setdefault(front, Counter())[str(path)] += 1

    def _let_go(self, front: str, path: str) -> None:
        with self._lock:
            known = self._held.get(front, Counter())
            held = known[path] > 0
            known[path] -= held
        if held:
            self._keeper.release(Path(path))

    def close(self) -> None:
        """Take no more calls."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(Channel(sock),), daemon=True).start()

    def _serve(self, channel: Channel) -> None:
        with contextlib.suppress(ChannelClosedError), contextlib.closing(channel):
            front = str(channel.receive_message()["front"])
            with self._lock:
                self._connections[front] += 1
            try:
                while True:
                    message = channel.receive_message()
                    if message["do"] == "stop":
                        continue  # It came when the change was through.
                    try:
                        channel.send_message(self._carry_out(front, message, channel))
                    except DiplographError as error:
                        channel.send_error(error)
            finally:
                self._forget(front)

    def _carry_out(self, front: str, message: dict[str, Any], channel: Channel) -> dict[str, Any]:
        match message["do"]:
            case "take":
                path = self._keeper.take(message["version"])
                self._hold(front, path)
                return {"path": str(path)}
            case "upcoming":
                return self._show_upcoming(front, channel)
            case "release":
                self._let_go(front, message["path"])
                return {}
            case "settle":
                self._keeper.settle()
                return {}
            case "age":
                return {"age": self._keeper.age()}
            case "backup":
                self._keeper.backup(Path(message["path"]))
                return {}
        parts = [channel.receive()[1] for _ in range(message["parts"])]
        # Whoever asked says stop, or hangs up: either way there is something to read.
        stop = (lambda: channel.ready(0)) if message["stoppable"] else None
        self._keeper.write(message["message"], parts, message["budget"], stop)
        return {}

    def _show_upcoming(self, front: str, channel: Channel) -> dict[str, Any]:
        with self._keeper.upcoming() as path:
            if path is None:
                return {"path": None}
            self._hold(front, path)
            channel.send_message({"path": str(path)})
            channel.receive_message()
        return {}


class DistantKeeper:
    """A keeper in another process, as `Keeping` has it.

    `front` is a name for this process; `descriptor` that of the shared version of the data, without which it
    counts nothing.
    """

    def __init__(self, path: Path, front: str, epoch: str = "", descriptor: int | None = None) -> None:
        self._path = path
        self._front = front
        self._epoch = epoch
        self._count = SharedNumber(descriptor)
        self._asked = SharedNumber(self._count.descriptor, ASKED)
        self._idle: queue.LifoQueue[Channel] = queue.LifoQueue()
        self._waiting: Channel | None = None
        self._closed = False

    @property
    def epoch(self) -> str:
        """Tell this opening of the folder from others."""
        return self._epoch

    @property
    def version(self) -> int:
        """Name the last version that is shown."""
        return self._count.value

    def ask(self) -> None:
        """Note that somebody asks."""
        self._asked.value += 1

    def write(
        self,
        message: dict[str, Any],
        parts: Iterable[bytes] = (),
        budget: float | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> None:
        """Have the writer do something; see `Keeping.write`."""
        held = list(parts)
        whole = {
            "do": "write",
            "message": message,
            "parts": len(held),
            "budget": budget,
            "stoppable": stop is not None,
        }
        self._call(whole, held, stop)

    def settle(self) -> None:
        """Show every commit at once; see `Keeping.settle`."""
        self._call({"do": "settle"})

    def take(self, version: int | None = None) -> Path:
        """Give a snapshot; see `Keeping.take`."""
        return Path(self._call({"do": "take", "version": version})["path"])

    @contextlib.contextmanager
    def upcoming(self) -> Iterator[Path | None]:
        """Wait for the next snapshot; see `Keeping.upcoming`."""
        channel = self._connect()
        # It is in use nearly always, so that whoever closes this must be able to end the waiting.
        self._waiting = channel
        try:
            channel.send_message({"do": "upcoming"})
            path = channel.receive_message()["path"]
            try:
                yield None if path is None else Path(path)
            finally:
                if path is not None:
                    channel.send_message({})
                    channel.receive_message()
        except ChannelClosedError:
            channel.close()
            raise _gone() from None
        except BaseException:
            channel.close()
            raise
        self._waiting = None
        self._idle.put(channel)

    def release(self, path: Path) -> None:
        """Give a snapshot back; what is left is released when this process ends."""
        with contextlib.suppress(StoreFailedError):
            self._call({"do": "release", "path": str(path)})

    def age(self) -> float | None:
        """Give the seconds since the newest snapshot was made."""
        age: float | None = self._call({"do": "age"})["age"]
        return age

    def backup(self, path: Path) -> None:
        """Copy the last commit to a new folder; see `Keeping.backup`."""
        self._call({"do": "backup", "path": str(path.resolve())})

    def close(self) -> None:
        """Hang up."""
        self._closed = True
        if (waiting := self._waiting) is not None:
            waiting.hang_up()
        while not self._idle.empty():
            self._idle.get().close()

    def _call(
        self, message: dict[str, Any], parts: Iterable[bytes] = (), stop: Callable[[], bool] | None = None
    ) -> dict[str, Any]:
        channel = self._connect()
        try:
            channel.send_message(message)
            for part in parts:
                channel.send(b"D", part)
            while stop is not None and not channel.ready(_POLL):
                if stop():
                    channel.send_message({"do": "stop"})
                    break
            answer = channel.receive_message()
        except (ChannelClosedError, ChannelTimeoutError):
            channel.close()
            raise _gone() from None
        except DiplographError:
            self._idle.put(channel)
            raise
        except BaseException:
            channel.close()
            raise
        self._idle.put(channel)
        return answer

    def _connect(self) -> Channel:
        if self._closed:
            raise StoreFailedError("the store is closed")
        with contextlib.suppress(queue.Empty):
            return self._idle.get_nowait()
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with _address(self._path) as address:
                sock.connect(address)
            channel = Channel(sock)
            channel.send_message({"front": self._front})
        except (OSError, ChannelClosedError) as error:
            sock.close()
            raise StoreFailedError(
                f"the process that keeps the store cannot be reached: {error}", where=str(self._path)
            ) from None
        return channel


def _gone() -> StoreFailedError:
    return StoreFailedError("the process that keeps the store is gone")


@contextlib.contextmanager
def _address(path: Path) -> Any:
    """Give the address of a socket file; a long one goes through its folder's descriptor."""
    text = str(path.resolve())
    if len(os.fsencode(text)) <= _ADDRESS:
        yield text
        return
    folder = os.open(path.resolve().parent, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
