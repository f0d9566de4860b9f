"""Loading for the command line: in the store that is open here, or through the server that holds it."""

from __future__ import annotations

import getpass
import os
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast
from urllib.parse import quote_plus

from api.folder.data_folder import (
    LOADS,
    RunningServer,
    followers,
    isolate_folder,
    known_token,
    open_index,
    open_remote,
    require_folder,
    running_server,
)
from api.loading.load_jobs import open_for_undo
from kg import errors
from kg import load as loading
from kg.lazy import LazyModule
from kg.load import Follower, LoadFolder, LoadRequest, Loads, Progress, silent
from kg.settings import Settings
from kg.store import Store
from kg.store.remote.problems import problem_error, unreachable

if TYPE_CHECKING:
    import httpx
else:
    httpx = LazyModule("httpx")

_CHUNK: Final = 1024 * 1024
_POLL: Final = 0.3
# Seconds; reading a whole graph has no other limit.
_LONG: Final = 6 * 3600.0
_READERS: Final = 3
# A mapping is sent in the address, which may have 64 KiB.
_MAPPING_LIMIT: Final = 48 * 1024


class LocalLoader:
    """Previews, stores and undoes loads in a store of this process."""

    def __init__(self, store: Store, root: Path, followers: Sequence[Follower] = ()) -> None:
        self._store = store
        self._loads = Loads(root, followers)

    def plan(self, request: LoadRequest, progress: Progress = silent) -> tuple[Any, dict[str, Any]]:
        """Preview a load; return the argument for `commit` and `drop`, and the summary that servers send."""
        folder, _ = self._loads.new(Path(request.name).name, started_by=user_name(), step="reading")
        try:
            preview = loading.prepare(self._store, folder, request, progress)
        except BaseException:
            folder.remove()
            raise
        return folder, preview.summary()

    def commit(
        self, planned: Any, skip: Sequence[str] = (), progress: Progress = silent
    ) -> dict[str, Any] | None:
        """Store a previewed load; return None if it changes nothing. See `kg.load.store_load`."""
        folder: LoadFolder = planned
        load = loading.store_load(self._store, self._loads, folder, skip=skip, progress=progress)
        if load is None:
            folder.remove()
            return None
        return {**load.summary(), "notes": folder.read().notes}

    def end(self, planned: Any) -> None:
        """Raise CancelledError if an interrupted load was stored.

        The next command brings the index and the entailments up to date.
        """
        folder: LoadFolder = planned
        if folder.path.exists() and folder.read().step == "stored":
            raise stored_already(folder.id)

    def drop(self, planned: Any) -> None:
        """Discard a preview."""
        folder: LoadFolder = planned
        if folder.path.exists() and folder.read().step in ("ready", "unchanged", "failed", "cancelled"):
            folder.remove()

    def undo(self, load_id: str, progress: Progress = silent) -> dict[str, Any]:
        """Undo a load; see `kg.load.undo_load`."""
        folder = open_for_undo(self._store, self._loads, load_id)
        return loading.undo_load(
            self._store,
            self._loads,
            folder,
            progress=progress,
            started_by=user_name(),
        ).summary()


class RemoteLoader:
    """Does the same through a running server."""

    def __init__(self, server: RunningServer, token: str) -> None:
        """Connect to the server; raises SignInRequiredError if its token is unknown."""
        if not token:
            raise errors.SignInRequiredError(
                "a server runs on this data folder, and its token for writing is not known here",
                where=server.url,
                mend="Set DIPLOGRAPH_TOKEN to the token of the server, or stop it.",
            )
        self._stopped = False
        # No limit on a load's duration here: the server has its own.
        self._http = httpx.Client(
            base_url=server.url,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=httpx.Timeout(10.0, read=None, write=None),
            trust_env=False,
        )

    def plan(self, request: LoadRequest, progress: Progress = silent) -> tuple[Any, dict[str, Any]]:
        """Preview a load; raises the error that the server reports. A folder is sent as a tar archive."""
        given = {
            "name": request.name,
            "format": request.format,
            "source": request.source,
            "base": request.base_iri,
            "by": user_name(),
            "mapping": _mapping_text(request.mapping) if request.mapping else None,
            "max_errors": str(request.max_errors),
            "missing": request.missing,
            "date_order": request.date_order,
            "records": request.records,
        }
        with _as_one_file(request.path) as file:
            size = str(file.seek(0, os.SEEK_END))
            file.seek(0)
            summary = self._begin(
                "/load",
                params={key: value for key, value in given.items() if value},
                content=self._pieces(file, int(size), progress),
                headers={"Content-Length": size},
            )
        summary = self._wait(summary, progress)
        return summary["links"], summary

    def commit(
        self, planned: Any, skip: Sequence[str] = (), progress: Progress = silent
    ) -> dict[str, Any] | None:
        """Store a previewed load."""
        load = self._begin(planned["commit"], planned["self"], params={"skip": list(skip)})
        if load.get("unchanged") and load.get("load", "") is None:
            return None
        load = self._wait(load, progress)
        if load.get("state") == "unchanged":
            return None
        return _ended(load, "stored")

    def end(self, planned: Any) -> None:
        """Cancel an interrupted load and wait for its end; raises CancelledError if it was stored before."""
        with suppress(errors.UnknownNameError):  # it is cancelled already
            self._end(planned["self"])

    def drop(self, planned: Any) -> None:
        """Discard a preview, or cancel its load."""
        self._send("POST", f"{planned['self']}/cancel")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def undo(self, load_id: str, progress: Progress = silent) -> dict[str, Any]:
        """Undo a load."""
        try:
            done = self._send("POST", f"/loads/{load_id}/undo", params={"by": user_name()})
            done = _ended(self._follow(done, progress), "undone")
        except KeyboardInterrupt:
            raise errors.CancelledError(
                "interrupted, but the server continues to undo the load", mend=f"See /loads/{load_id}."
            ) from None
        return {"load": done["id"], "kept": done["kept"], "graph": done["graph"]}

    def _wait(self, members: dict[str, Any], progress: Progress) -> dict[str, Any]:
        """Wait until a load ends; raises its error. An interrupt cancels the load."""
        try:
            return self._follow(members, progress)
        except KeyboardInterrupt:
            self._end(members["links"]["self"])
            raise

    def _follow(self, members: dict[str, Any], progress: Progress) -> dict[str, Any]:
        while "progress" in members:
            state = members["progress"]
            progress(state["phase"], state["done"], state["total"])
            time.sleep(_POLL)
            members = self._send("GET", members["links"]["self"])
        if members.get("problem"):
            raise _error(members["problem"])
        return members

    def _begin(self, path: str, place: str = "", **options: Any) -> dict[str, Any]:
        """Send the first request of a load, whose address is `place` if it is known already.

        An interrupt cancels the load at any point.
        """
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(self._send, "POST", path, **options)
            try:
                return answer.result()
            except KeyboardInterrupt:
                self._stopped = True
                # The server answers within seconds with the address of the load.
                with suppress(errors.DiplographError):
                    place = place or answer.result()["links"]["self"]
                if place:
                    self._end(place)
                raise

    def _end(self, place: str) -> None:
        """Cancel a load and wait for the end of it; raises CancelledError if it was stored before."""
        members = self._send("POST", f"{place}/cancel")
        while "progress" in members:
            time.sleep(_POLL)
            members = self._send("GET", place)
        if members.get("state") == "ready":
            self._send("POST", f"{place}/cancel")
        elif members.get("state") == "stored":
            raise stored_already(place.rpartition("/")[2])

    def _pieces(self, file: BinaryIO, size: int, progress: Progress) -> Iterator[bytes]:
        sent = 0
        while piece := file.read(_CHUNK):
            if self._stopped:
                raise errors.CancelledError("the upload was interrupted", mend="Load the file again.")
            sent += len(piece)
            yield piece
            progress("sending", sent, size)

    def _send(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            response = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise unreachable(str(self._http.base_url), error) from None
        if not response.is_success:
            raise problem_error(response)
        members: dict[str, Any] = response.json()
        return members


Loader = LocalLoader | RemoteLoader


@contextmanager
def open_loader(settings: Settings) -> Iterator[Loader]:
    """Open what loads into the data folder or the store elsewhere: through a running server, else here."""
    require_folder(settings)
    server = None if settings.store else running_server(settings.data)
    if server is not None:
        with closing(RemoteLoader(server, known_token(settings))) as remote:
            yield remote
        return
    if settings.store:
        store: Store = open_remote(settings, install_into=True)
    else:
        # The writer is a process, so that Ctrl+C can end a load at any moment.
        store = isolate_folder(replace(settings, workers=_READERS, fronts=1, query_timeout=_LONG))
    try:
        yield LocalLoader(store, settings.data / LOADS, followers(settings, open_index(settings, store)))
    finally:
        store.close()


@contextmanager
def _as_one_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file, or the files of a folder as one tar archive."""
    if not path.is_dir():
        with path.open("rb") as file:
            yield file
        return
    with tempfile.TemporaryFile() as packed:
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.add(path, arcname="")
        yield cast(BinaryIO, packed)


def user_name() -> str:
    """Return the name of this user on this machine; empty if there is none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return os.environ.get("USER", "")


def _mapping_text(path: Path) -> str:
    """Read a mapping for sending; the server reads only this text and no file that it names."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise errors.DataSyntaxError(
            "the mapping is not UTF-8", where=str(path), mend="Save it as UTF-8."
        ) from None
    if len(quote_plus(text)) > _MAPPING_LIMIT:
        raise errors.ParameterError(
            f"a mapping of more than {_MAPPING_LIMIT:,} bytes cannot be sent to the running server",
            where=str(path),
            mend="Stop the server and load the file, or shorten the mapping.",
        )
    return text


def stored_already(*ids: str) -> errors.CancelledError:
    """Build the error for an interrupt after loads were stored."""
    return errors.CancelledError(
        f"interrupted, but load {' and load '.join(ids)} is stored",
        mend=f"Undo it with `diplograph undo {ids[-1]}` if you do not want it.",
    )


def _ended(members: dict[str, Any], wanted: str) -> dict[str, Any]:
    """Return what the server says of a load that is stored, or undone; raises StoreFailedError for others."""
    if members["state"] != wanted:
        raise errors.StoreFailedError(
            f"load {members['id']} is {members['state']}, not {wanted}",
            mend=f"See /loads/{members['id']} on the server.",
        )
    return members


def _error(problem: dict[str, Any]) -> errors.DiplographError:
    kind = getattr(errors, str(problem["kind"]), errors.StoreFailedError)
    findings = tuple(problem["findings"])
    error: errors.DiplographError = kind(
        problem["detail"], where=problem["where"], mend=problem["mend"], findings=findings
    )
    return error
