"""`diplograph entail`."""

from __future__ import annotations

import click
import httpx

from api.commands.options import data_option
from api.folder.data_folder import known_token, open_folder, require_folder, running_server
from kg.errors import ParameterError
from kg.reasoning import StaleEntailments
from kg.settings import Settings
from kg.store.remote.problems import problem_error, unreachable

# Seconds: the entailments of a large store take their time.
_PATIENCE = 3600.0


@click.command()
@data_option
@click.pass_obj
def entail(settings: Settings) -> None:
    """Rebuild the entailments, for example after updates of a large graph; a running server does it."""
    if settings.store:
        raise ParameterError(
            "a store elsewhere has no entailments of ours", mend="Leave out DIPLOGRAPH_STORE, or --store."
        )
    require_folder(settings)
    server = running_server(settings.data)
    if server is None:
        store = open_folder(settings)
        try:
            number = StaleEntailments(settings.data).rebuild(store)
        finally:
            store.close()
    else:
        number = _ask(f"{server.url}/entailments", known_token(settings))
    click.echo(f"{number:,} triples follow from the others")


def _ask(url: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    try:
        answer = httpx.post(url, headers=headers, timeout=_PATIENCE, trust_env=False)
    except httpx.HTTPError as error:
        raise unreachable(url, error) from None
    if not answer.is_success:
        raise problem_error(answer)
    return int(answer.json()["entailments"])
