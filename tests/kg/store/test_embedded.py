"""The folder of the embedded store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kg.errors import NotAStoreError, StoreBusyError
from kg.store import EmbeddedStore

INSERT = "INSERT DATA { <http://e.example/a> <http://e.example/p> 1 }"
ASK = "ASK { <http://e.example/a> ?p ?o }"


def test_what_was_stored_is_there_again(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "new" / "store")
    store.update(INSERT)
    store.close()
    again = EmbeddedStore(tmp_path / "new" / "store")
    assert again.query(ASK).truth()
    again.close()


def test_an_empty_folder_becomes_a_store(tmp_path: Path) -> None:
    EmbeddedStore(tmp_path).close()


@pytest.mark.parametrize("names", [["LOCK"], ["LOCK", "LOG", "IDENTITY", "MANIFEST-000001", "000001.dbtmp"]])
def test_a_start_that_was_interrupted_can_be_repeated(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).touch()
    store = EmbeddedStore(tmp_path)
    store.update(INSERT)
    assert store.query(ASK).truth()
    store.close()


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("mine")
    with pytest.raises(NotAStoreError) as caught:
        EmbeddedStore(tmp_path)
    assert caught.value.where == str(tmp_path) and caught.value.mend
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(NotAStoreError):
            EmbeddedStore(folder)


def test_a_folder_that_only_looks_like_a_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "CURRENT").write_text("the current one")
    with pytest.raises(NotAStoreError):
        EmbeddedStore(tmp_path)


def test_a_folder_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(self: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", denied)
    with pytest.raises(NotAStoreError, match="Permission denied"):
        EmbeddedStore(tmp_path)


def test_a_store_that_another_process_holds_is_busy(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from kg.store import EmbeddedStore\n"
        "store = EmbeddedStore(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdin is not None
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(StoreBusyError) as caught:
            EmbeddedStore(tmp_path)
        assert caught.value.mend
        holder.stdin.close()
    EmbeddedStore(tmp_path).close()


def test_a_snapshot_is_read(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "store")
    store.update(INSERT)
    store.engine.backup(str(tmp_path / "snapshot"))
    store.close()
    snapshot = EmbeddedStore.open_snapshot(tmp_path / "snapshot")
    assert snapshot.query(ASK).truth()
    snapshot.close()
    with pytest.raises(NotAStoreError):
        (tmp_path / "CURRENT").write_text("the current one")
        EmbeddedStore.open_snapshot(tmp_path)
