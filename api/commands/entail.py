"""`diplograph entail`."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

import click

from api.commands.options import data_option, with_data
from api.folder.data_folder import known_token, open_folder, running_server
from kg.errors import ParameterError, StoreFailedError, WrongTokenError
from kg.reasoning import StaleEntailments
from kg.settings import Settings


@click.command()
@data_option
@click.pass_obj
def entail(settings: Settings, data: Path | None) -> None:
    """Rebuild the entailments, for example after updates of a large graph; a running server does it."""
    settings = with_data(settings, data)
    if settings.store:
        raise ParameterError(
            "a store elsewhere has no entailments of ours", mend="Leave out DIPLOGRAPH_STORE, or --store."
        )
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
    request = urllib.request.Request(url, method="POST", headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=3600) as answer:  # noqa: S310
            return int(json.load(answer)["entailments"])
    except urllib.error.HTTPError as error:
        if error.code not in (401, 403):
            raise StoreFailedError(
                f"the server did not build them: {error}", where=url, mend="Look into the server's log."
            ) from None
        raise WrongTokenError(
            "the server does not take the token",
            where=url,
            mend="Set DIPLOGRAPH_TOKEN to the server's token.",
        ) from None
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise StoreFailedError(
            f"the server did not build them: {error}", where=url, mend="Look into the server's log."
        ) from None
