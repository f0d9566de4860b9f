"""Snapshots on disk: published, read, and removed when no reader has them open."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from pathlib import Path

import pytest

from kg.errors import StoreFailedError
from kg.store.isolated.snapshots import OpenSnapshot, SnapshotFolder, current_age, current_version

PATIENCE = 60


@pytest.fixture
def folder(tmp_path: Path) -> SnapshotFolder:
    return SnapshotFolder(tmp_path / "snapshots")


def publish(folder: SnapshotFolder) -> Path:
    path = folder.new_path()
    path.mkdir()
    folder.publish(path)
    return path


def gone(path: Path) -> bool:
    deadline = time.monotonic() + PATIENCE
    while path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return not path.exists()


def test_a_snapshot_stays_while_it_is_open(folder: SnapshotFolder) -> None:
    first = publish(folder)
    opened = OpenSnapshot(folder.folder)
    assert opened.version == first.name == current_version(folder.folder)
    assert folder.is_read()
    second = publish(folder)
    assert first.exists() and not folder.is_read()
    opened.close()
    publish(folder)
    assert gone(first) and gone(second)


def test_versions_differ_after_each_publication_and_each_opening(tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        folder = SnapshotFolder(tmp_path / "snapshots")
        for _ in range(3):
            publish(folder)
            seen.append(current_version(folder.folder))
    assert len(set(seen)) == 6


def test_files_of_a_failed_publication_do_no_harm(
    folder: SnapshotFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = publish(folder)

    def fail(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", fail)
        with pytest.raises(OSError, match="No space"):
            publish(folder)
    assert current_version(folder.folder) == first.name
    last = publish(folder)
    assert current_version(folder.folder) == last.name
    for entry in list(folder.folder.iterdir()):
        assert entry.is_symlink() or entry == last or gone(entry)
    assert not first.exists()


def test_a_reader_waits_while_the_publisher_holds_its_lock_for_an_instant(folder: SnapshotFolder) -> None:
    path = publish(folder)
    descriptor = os.open(path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    threading.Timer(0.5, os.close, (descriptor,)).start()
    OpenSnapshot(folder.folder).close()


def test_opening_beside_publishing(folder: SnapshotFolder) -> None:
    publish(folder)
    over, faults = threading.Event(), []

    def read() -> None:
        while not over.is_set():
            try:
                opened = OpenSnapshot(folder.folder)
                if not opened.path.exists():
                    faults.append("removed while it was open")
                opened.close()
            except StoreFailedError as error:
                faults.append(str(error))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(200):
        publish(folder)
    over.set()
    for reader in readers:
        reader.join(PATIENCE)
    assert not faults


def test_a_folder_without_a_snapshot(tmp_path: Path) -> None:
    with pytest.raises(StoreFailedError, match="closed"):
        OpenSnapshot(tmp_path)
    assert current_age(tmp_path) is None


def test_the_age_of_the_current_snapshot(folder: SnapshotFolder) -> None:
    publish(folder)
    age = current_age(folder.folder)
    assert age is not None and age < PATIENCE
