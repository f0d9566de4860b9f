"""A front: one of the processes that answer requests, started and ended by the one that holds the folder.

Run as `python -m api.server.front FD FD`: a socket to the process that started it, and the listening one.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from typing import Final

from kg.store.isolated.channel import Channel, ChannelClosedError, end_with_other_side

from api.app import AHEAD, create_app
from api.server.data_folder import open_behind
from api.server.load_worker import LoadProcesses
from api.wire.server import Server
from kg.settings import settings_from
from kg.store.isolated.store import IsolatedStore

_SPARE: Final = 64 * 1024
_SWITCH: Final = 0.001
_DRAIN: Final = 7.0
_TENDING: Final = 2.0


def main(arguments: list[str]) -> None:
    """Answer requests until SIGTERM, or until the process that started this one is gone."""
    # Pages are made in threads; the loop, which needs moments only, must not wait long for them.
    sys.setswitchinterval(_SWITCH)
    ours, listening = (socket.socket(fileno=int(number)) for number in arguments)
    channel = Channel(ours)
    # Ctrl-C reaches every process of a terminal; only the one that was started by hand decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.set())
    try:
        told = channel.receive_message()
    except ChannelClosedError:
        return
    threading.Thread(target=end_with_other_side, args=(ours,), daemon=True).start()
    settings = settings_from(told["settings"])
    store = open_behind(settings, told["keeper"], f"front {os.getpid()}")
    loading = LoadProcesses(told)
    try:
        app = create_app(store, settings, loading)
        server = Server(
            app,
            listening,
            threads=max(8, 2 * settings.workers),
            # The application tells of a body over the limit in its own words.
            limit=settings.max_upload + _SPARE,
            proxy=settings.trusted_proxy,
            ahead=app.extensions[AHEAD],
        )

        def stop(number: int, frame: object) -> None:
            stopping.set()
            server.stop(_DRAIN)

        signal.signal(signal.SIGTERM, stop)
        if isinstance(store, IsolatedStore):
            threading.Thread(target=_tend, args=(store, stopping), name="tend", daemon=True).start()
        if not stopping.is_set():
            server.run(lambda: channel.send_message({"ready": os.getpid()}))
    finally:
        loading.close()
        store.close()
    # Threads that still write are not waited for: their clients see the connection end in mid-answer.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _tend(store: IsolatedStore, stopping: threading.Event) -> None:
    while not stopping.wait(_TENDING):
        store.tend()


if __name__ == "__main__":
    main(sys.argv[1:])
