"""Loading for the command line: in the store that is open here, or through the server that holds it."""

from __future__ import annotations

from typing import Any, Protocol

import httpx

from api.data_folder import Server
from kg import load as loading
from kg.store import Store
from kg.store.remote import problem_error, unreachable


class Loader(Protocol):
    """Plans and commits; summaries are what `Plan.summary` and `Load.summary` give."""

    def plan(
        self, data: bytes, name: str, form: str | None, source: str | None, base: str | None
    ) -> tuple[Any, dict[str, Any]]:
        """Plan a load; gives what `commit` takes, and the summary."""
        ...

    def commit(self, planned: Any) -> dict[str, Any] | None:
        """Carry out a plan; None when it changes nothing."""
        ...


class LocalLoader:
    """Loads into a store of this process."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def plan(
        self, data: bytes, name: str, form: str | None, source: str | None, base: str | None
    ) -> tuple[Any, dict[str, Any]]:
        """Plan a load; see `kg.load.plan`."""
        plan = loading.plan(self._store, data, name=name, format=form, source=source, base_iri=base)
        return plan, plan.summary()

    def commit(self, planned: Any) -> dict[str, Any] | None:
        """Carry out a plan; see `kg.load.commit`."""
        load = loading.commit(self._store, planned)
        return load.summary() if load else None


class RemoteLoader:
    """Loads through a running server."""

    def __init__(self, server: Server, token: str) -> None:
        # A load takes as long as it takes; the server's own limits end it.
        self._http = httpx.Client(
            base_url=server.url,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=httpx.Timeout(10.0, read=None),
            trust_env=False,
        )

    def plan(
        self, data: bytes, name: str, form: str | None, source: str | None, base: str | None
    ) -> tuple[Any, dict[str, Any]]:
        """Plan a load; raises the error that the server tells."""
        given = {"name": name, "format": form, "source": source, "base": base}
        params = {key: value for key, value in given.items() if value}
        summary = self._post("/load", params=params, content=data)
        return summary["links"]["commit"], summary

    def commit(self, planned: Any) -> dict[str, Any] | None:
        """Carry out a plan."""
        load = self._post(str(planned))
        return None if load["unchanged"] else load

    def _post(self, path: str, **options: Any) -> dict[str, Any]:
        try:
            response = self._http.post(path, **options)
        except httpx.HTTPError as error:
            raise unreachable(str(self._http.base_url), error) from None
        if not response.is_success:
            raise problem_error(response)
        members: dict[str, Any] = response.json()
        return members
