"""The data folder: private, of a known version, and readable where it cannot be written."""

from __future__ import annotations

import dataclasses
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from api.folder.backups import back_up, restore
from api.folder.data_folder import check_folder, is_frozen, keep_folder, open_behind, open_folder
from kg.errors import NotAStoreError, ReadOnlyError
from kg.settings import Settings


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, copy_installed: Callable[[Path], Path]
) -> Iterator[Settings]:
    """A data folder that no process holds."""
    data = copy_installed(tmp_path_factory.mktemp("folder") / "data")
    yield Settings(data=data, query_timeout=60, workers=1, fronts=1)


def test_a_new_folder_is_private_and_bears_its_version(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    with closing(open_folder(Settings(data=data))):
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        assert (data / "version").read_text() == "1\n"


def test_a_folder_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "version").write_text("2\n")
    with pytest.raises(NotAStoreError, match="version 2"):
        open_folder(Settings(data=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["version"]
    (tmp_path / "version").write_text("")
    check_folder(tmp_path)


def test_a_version_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "version"
    path.write_bytes(b"\xff\x00")
    with pytest.raises(NotAStoreError, match="cannot be read") as error:
        check_folder(tmp_path)
    assert error.value.where == str(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(NotAStoreError, match="cannot be read"):
        check_folder(tmp_path)


def test_a_folder_that_cannot_be_written_is_served_without_a_change(
    folder: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = dataclasses.replace(folder, read_only=True)
    assert not is_frozen(settings)
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    assert is_frozen(settings)
    before = sorted((path, path.stat().st_mtime_ns) for path in folder.data.rglob("*"))
    with keep_folder(settings) as address, closing(open_behind(settings, address)) as store:
        assert store.query("ASK { ?s a ?class }").truth()
        with pytest.raises(ReadOnlyError):
            store.update("INSERT DATA { <http://s> <http://p> 1 }")
    assert sorted((path, path.stat().st_mtime_ns) for path in folder.data.rglob("*")) == before


@pytest.mark.parametrize("fault", ["flipped", "missing", "added", "no sums", "other"])
def test_a_backup_that_is_not_whole_is_refused_before_anything_is_made(
    folder: Settings, tmp_path: Path, fault: str
) -> None:
    made, sums = tmp_path / "backup", tmp_path / "backup" / "SHA256SUMS"
    back_up(folder, made)
    victim = max((made / "store").glob("*.sst"), key=lambda path: path.stat().st_size)
    if fault == "flipped":
        content = bytearray(victim.read_bytes())
        content[len(content) // 2] ^= 1
        victim.unlink()  # it is a hard link to the store's own file
        victim.write_bytes(content)
    elif fault == "missing":
        victim.unlink()
    elif fault == "added":
        (made / "store" / "x.sst").write_bytes(b"x")
    elif fault == "no sums":
        sums.unlink()
    else:
        sums.write_text(sums.read_text().replace("  ", " *"))
    target = Settings(data=tmp_path / "restored")
    with pytest.raises(NotAStoreError) as raised:
        restore(target, made)
    assert not target.data.exists()
    if fault in ("flipped", "missing"):
        assert raised.value.findings == (f"store/{victim.name}",)
