"""`diplograph entail`, without a server."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from api.cli import main
from api.folder.data_folder import open_folder
from kg.reasoning import StaleEntailments
from kg.settings import Settings


def test_it_builds_and_takes_the_mark_away(installed: Path) -> None:
    settings = Settings(data=installed, token="test-token")
    store = open_folder(settings)
    pending = StaleEntailments(settings.data, quiet=600)
    with pending.writing(store):
        store.update("INSERT DATA { GRAPH <urn:g> { <urn:a> a <urn:b> } }")
    pending.close()
    store.close()
    result = CliRunner().invoke(main, ["--data", str(settings.data), "entail"])
    assert result.exit_code == 0, result.output
    assert "triples follow from the others" in result.output
    assert not pending.stale()


def test_a_store_elsewhere_has_none(tmp_path: Path) -> None:
    environment = {"DIPLOGRAPH_STORE": "http://127.0.0.1:9/query"}
    result = CliRunner().invoke(main, ["--data", str(tmp_path), "entail"], env=environment)
    assert result.exit_code == 1 and "no entailments of ours" in result.stderr
