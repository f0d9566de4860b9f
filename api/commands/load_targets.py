"""Loading for the command line: in the store that is open here, or through the server that holds it."""

from __future__ import annotations

import getpass
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol
from urllib.parse import quote_plus

from api.folder.data_folder import RunningServer
from kg import errors
from kg import load as loading
from kg.lazy import LazyModule
from kg.load import Follower, LoadFolder, Loads, Progress, silent
from kg.provenance import read_load
from kg.readers.detect import find_reader
from kg.store import Store
from kg.store.remote.problems import problem_error, unreachable

if TYPE_CHECKING:
    import httpx
else:
    httpx = LazyModule("httpx")

_CHUNK: Final = 1024 * 1024
_POLL: Final = 0.3
# It travels in the address, which may have 64 KiB.
_MAPPING_LIMIT: Final = 48 * 1024


class Loader(Protocol):
    """Previews, stores and undoes; summaries are what the server's JSON has."""

    def plan(
        self,
        path: Path,
        name: str,
        form: str | None,
        source: str | None,
        base: str | None,
        max_errors: int,
        progress: Progress,
        mapping: Path | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Preview a load; gives what `commit` and `drop` take, and the summary."""
        ...

    def commit(self, planned: Any, skip: Sequence[str], progress: Progress) -> dict[str, Any] | None:
        """Carry out a plan; None when it changes nothing."""
        ...

    def drop(self, planned: Any) -> None:
        """Let go of a preview, or end its load."""
        ...

    def undo(self, load_id: str, progress: Progress) -> dict[str, Any]:
        """Take a load back."""
        ...


class LocalLoader:
    """Loads into a store of this process."""

    def __init__(self, store: Store, root: Path, followers: Sequence[Follower] = ()) -> None:
        self._store = store
        self._loads = Loads(root)
        self._followers = followers

    def plan(
        self,
        path: Path,
        name: str,
        form: str | None,
        source: str | None,
        base: str | None,
        max_errors: int,
        progress: Progress = silent,
        mapping: Path | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Preview a load; see `kg.load.prepare`."""
        folder, _ = self._loads.new(Path(name).name, started_by=who(), step="reading")
        try:
            preview = loading.prepare(
                self._store,
                folder,
                path,
                name=name,
                format=form,
                source=source,
                base_iri=base,
                max_errors=max_errors,
                progress=progress,
                find_reader=partial(find_reader, mapping=mapping),
            )
        except BaseException:
            folder.remove()
            raise
        return folder, preview.summary()

    def commit(
        self, planned: Any, skip: Sequence[str] = (), progress: Progress = silent
    ) -> dict[str, Any] | None:
        """Carry out a plan; see `kg.load.store_load`."""
        folder: LoadFolder = planned
        try:
            load = loading.store_load(
                self._store, self._loads, folder, skip=skip, followers=self._followers, progress=progress
            )
        except KeyboardInterrupt:
            # What follows the graph is brought up to date by the next command.
            if folder.read().step == "stored":
                raise stored_already(folder.id) from None
            raise
        if load is None:
            folder.remove()
        return load.summary() if load else None

    def drop(self, planned: Any) -> None:
        """Let go of a preview."""
        folder: LoadFolder = planned
        if folder.path.exists() and folder.read().step in ("ready", "unchanged", "failed", "cancelled"):
            folder.remove()

    def undo(self, load_id: str, progress: Progress = silent) -> dict[str, Any]:
        """Take a load back; see `kg.load.undo_load`."""
        load = read_load(self._store, load_id)
        try:
            folder = self._loads.open(load.id)
        except errors.UnknownNameError:
            raise errors.UnknownNameError(
                f"what undoing load {load.id} takes is not in this data folder",
                mend="Load an earlier version of the source: it replaces the graph.",
            ) from None
        return loading.undo_load(
            self._store,
            self._loads,
            folder,
            followers=self._followers,
            progress=progress,
            started_by=who(),
        ).summary()


class RemoteLoader:
    """Loads through a running server."""

    def __init__(self, server: RunningServer, token: str) -> None:
        """Reach the server; raises SignInRequiredError where its token is not known."""
        if not token:
            raise errors.SignInRequiredError(
                "a server runs on this data folder and takes writes with its token alone, which is not known"
                " here",
                where=server.url,
                mend="Set DIPLOGRAPH_TOKEN to the token that it was started with, or stop it.",
            )
        self._stopped = False
        # A load takes as long as it takes; the server's own limits end it.
        self._http = httpx.Client(
            base_url=server.url,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=httpx.Timeout(10.0, read=None, write=None),
            trust_env=False,
        )

    def plan(
        self,
        path: Path,
        name: str,
        form: str | None,
        source: str | None,
        base: str | None,
        max_errors: int,
        progress: Progress = silent,
        mapping: Path | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Preview a load; raises the error that the server tells."""
        if path.is_dir():
            raise errors.ParameterError(
                "a folder cannot be sent to the running server",
                where=str(path),
                mend="Name its files, or stop the server and load the folder.",
            )
        given = {"name": name, "format": form, "source": source, "base": base, "by": who()}
        if mapping is not None:
            given["mapping"] = _mapping_text(mapping)
        params = {key: value for key, value in given.items() if value} | {"max_errors": str(max_errors)}
        with path.open("rb") as file:
            size = str(path.stat().st_size)
            summary = self._begin(
                "/load",
                params=params,
                content=self._pieces(file, int(size), progress),
                headers={"Content-Length": size},
            )
        summary = self._wait(summary, progress)
        return summary["links"], summary

    def commit(
        self, planned: Any, skip: Sequence[str] = (), progress: Progress = silent
    ) -> dict[str, Any] | None:
        """Carry out a plan."""
        load = self._begin(planned["commit"], planned["self"], params={"skip": list(skip)})
        if load.get("unchanged") and load.get("load", "") is None:
            return None
        return self._wait(load, progress)

    def drop(self, planned: Any) -> None:
        """Let go of a preview, or end its load."""
        self._send("POST", f"{planned['self']}/cancel")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def undo(self, load_id: str, progress: Progress = silent) -> dict[str, Any]:
        """Take a load back."""
        try:
            done = self._send("POST", f"/loads/{load_id}/undo", params={"by": who()})
            done = self._follow(done, progress)
        except KeyboardInterrupt:
            raise errors.CancelledError(
                "interrupted, but the server goes on with the undoing", mend=f"See /loads/{load_id}."
            ) from None
        return {"load": done["id"], "kept": done["kept"], "graph": done["graph"]}

    def _wait(self, members: dict[str, Any], progress: Progress) -> dict[str, Any]:
        """Follow a load until nothing is under way; what broke off raises. An interrupt ends the load."""
        try:
            return self._follow(members, progress)
        except KeyboardInterrupt:
            self._end(members["links"]["self"])
            raise

    def _follow(self, members: dict[str, Any], progress: Progress) -> dict[str, Any]:
        while "progress" in members:
            told = members["progress"]
            progress(told["phase"], told["done"], told["total"])
            time.sleep(_POLL)
            members = self._send("GET", members["links"]["self"])
        if members.get("problem"):
            raise _error(members["problem"])
        return members

    def _begin(self, path: str, place: str = "", **options: Any) -> dict[str, Any]:
        """Send what a load begins with. An interrupt ends the load, wherever the server is with it.

        `place` is the load's address where it is known before.
        """
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(self._send, "POST", path, **options)
            try:
                return answer.result()
            except KeyboardInterrupt:
                self._stopped = True
                # The server answers within seconds, and then it is known which load it is.
                with suppress(errors.DiplographError):
                    place = place or answer.result()["links"]["self"]
                if place:
                    self._end(place)
                raise

    def _end(self, place: str) -> None:
        """Cancel a load and wait until it is; raises CancelledError where it was stored before."""
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
                raise errors.CancelledError("the sending was interrupted", mend="Load the file again.")
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


def who() -> str:
    """Give the name that this user goes by on this machine; empty where there is none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return os.environ.get("USER", "")


def _mapping_text(path: Path) -> str:
    """Read a mapping as it is sent; the server reads this text and opens nothing that it names."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise errors.DataSyntaxError("it is no UTF-8", where=str(path), mend="Save it as UTF-8.") from None
    if len(quote_plus(text)) > _MAPPING_LIMIT:
        raise errors.ParameterError(
            f"a mapping of more than {_MAPPING_LIMIT:,} bytes cannot be sent to the running server",
            where=str(path),
            mend="Stop the server and load the file, or shorten the mapping.",
        )
    return text


def stored_already(load_id: str) -> errors.CancelledError:
    """Make the error for an interrupt that came after a load was stored."""
    return errors.CancelledError(
        f"interrupted, but load {load_id} is stored",
        mend=f"Take it back with `diplograph undo {load_id}` where it is not wanted.",
    )


def _error(problem: dict[str, Any]) -> errors.DiplographError:
    kind = getattr(errors, str(problem["kind"]), errors.StoreFailedError)
    error: errors.DiplographError = kind(problem["detail"], where=problem["where"], mend=problem["mend"])
    if isinstance(error, errors.ValidationFailedError):
        error.findings = tuple(problem["findings"])
    return error
