"""The figures' folder: in memory where there is a place, and none is left by servers that were killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.server import metrics_folder as figures
from api.server.metrics_folder import emptied, figures_folder


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "memory"
    folder.mkdir()
    monkeypatch.setattr(figures, "_IN_MEMORY", folder)
    return folder


def test_each_data_folder_has_one_in_memory_for_its_owner_alone(memory: Path, tmp_path: Path) -> None:
    one, other = figures_folder(tmp_path / "one"), figures_folder(tmp_path / "other")
    assert one.parent == other.parent == memory
    assert one != other
    assert one == figures_folder(tmp_path / "one")
    with emptied(one):
        assert one.stat().st_mode & 0o777 == 0o700
    assert not one.exists()


def test_without_a_place_in_memory_it_is_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "_IN_MEMORY", tmp_path / "nowhere")
    assert figures_folder(tmp_path) == tmp_path / "figures"
    with emptied(figures_folder(tmp_path)):
        assert (tmp_path / "figures").is_dir()


def test_a_link_in_its_place_is_not_followed(memory: Path, tmp_path: Path) -> None:
    figures_folder(tmp_path).symlink_to(tmp_path)
    assert figures_folder(tmp_path) == tmp_path / "figures"


def test_what_killed_servers_left_goes_and_what_others_use_stays(memory: Path, tmp_path: Path) -> None:
    killed = figures_folder(tmp_path / "killed")
    killed.mkdir()
    (killed / "lock").touch()
    (killed / "counter_1.db").write_bytes(b"1")
    stranger = memory / "diplograph-of-somebody"
    stranger.mkdir()
    (stranger / "lock").touch()
    beginning = figures_folder(tmp_path / "beginning")
    beginning.mkdir()
    used = figures_folder(tmp_path / "used")
    with emptied(used):
        (used / "counter_2.db").write_bytes(b"2")
        with emptied(figures_folder(tmp_path / "new")):
            assert not killed.exists()
            assert stranger.exists()
            assert beginning.exists()
            assert (used / "counter_2.db").exists()
