"""What a process left in the middle is settled by the next opening."""

from __future__ import annotations

import json

import pytest

from kg.errors import ConflictError
from kg.load import Loads, recover, settle, store_load, undo_load
from kg.terms import PREFIXES
from tests.kg.load.desks import (
    ROWS,
    Desk,
    Watcher,
    data,
    die,
)


def _state(number: int, **values: object) -> str:
    return json.dumps({"id": f"0-damaged-{number}", "step": "ready", "updated": 1e12} | values)


class TestRecovery:
    """What a process left in the middle is settled by the next opening."""

    def test_a_store_that_was_not_reached(self, desk: Desk) -> None:
        before = data(desk.store)
        folder, _ = desk.preview(ROWS, "x.small")
        state = folder.read()
        state.step, state.load = "storing", f"{PREFIXES['load']}{folder.id}"
        state.added_bytes = folder.added.stat().st_size
        folder.write(state)
        recover(desk.store, desk.loads)
        assert folder.read().step == "cancelled"
        assert "nothing was stored" in folder.read().problem["detail"]  # type: ignore[index]
        assert {path.name for path in folder.path.iterdir()} == {"state.json", "lock"}
        assert data(desk.store) == before

    def test_a_store_that_was_reached_tells_the_followers_again(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._broken_off(desk, monkeypatch, "kg.load.committing.finish")
        [(folder, state)] = desk.loads.all()
        assert state.step == "storing"
        watcher = Watcher()
        recover(desk.store, Loads(desk.root, [watcher]))
        assert folder.read().step == "stored"
        [(_, added, _)] = watcher.told
        assert len(added) == state.plan().added
        undo_load(desk.store, desk.loads, folder)
        assert not any("small-1>" in quad for quad in data(desk.store))

    def test_a_crash_before_the_followers_knew(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self._broken_off(desk, monkeypatch, "kg.load.committing.follow")
        watcher = Watcher()
        recover(desk.store, Loads(desk.root, [watcher]))
        recover(desk.store, Loads(desk.root, [watcher]))
        assert len(watcher.told) == 1

    @pytest.mark.parametrize("reached", [True, False])
    def test_an_undoing(self, desk: Desk, monkeypatch: pytest.MonkeyPatch, reached: bool) -> None:
        before = data(desk.store)
        folder = desk.load(ROWS, "x.small")
        after = data(desk.store)
        where = "kg.load.undoing.finish_undo" if reached else "kg.load.undoing.put"
        monkeypatch.setattr(where, die)
        if not reached:
            monkeypatch.setattr("kg.load.undoing.back_to_stored", lambda *args: None)
        with pytest.raises(KeyboardInterrupt):
            undo_load(desk.store, desk.loads, folder)
        monkeypatch.undo()
        assert folder.read().step == "undoing"
        recover(desk.store, desk.loads)
        assert folder.read().step == ("undone" if reached else "stored")
        assert data(desk.store) == (before if reached else after)

    def test_a_living_process_is_left_alone(self, desk: Desk) -> None:
        folder, state = desk.loads.new("x.small")
        state.step = "reading"
        folder.write(state)
        with folder.working():
            recover(desk.store, desk.loads)
            assert folder.read().step == "reading"
        recover(desk.store, desk.loads)
        assert folder.read().step == "cancelled"

    @pytest.mark.parametrize("step", ["reading", "storing", "undoing", "stored"])
    def test_temporary_folders_of_a_process_that_ended(self, desk: Desk, step: str) -> None:
        folder = desk.load(ROWS, "x.small")
        state = folder.read()
        state.step = step
        folder.write(state)
        for path in (".undo-a1b2/.sort-c3", ".rdf-e5"):
            (folder.path / path).mkdir(parents=True)
            (folder.path / path / "run").write_text("x")
        recover(desk.store, desk.loads)
        assert not [path for path in folder.path.iterdir() if path.is_dir() and path.name.startswith(".")]
        assert folder.read().ended

    def test_one_damaged_load_does_not_stop_the_others(
        self, desk: Desk, caplog: pytest.LogCaptureFixture
    ) -> None:
        folder, _ = desk.loads.new("x.small", step="reading")
        damaged = {}
        for number, text in enumerate(
            (
                "",
                "{",
                "[]",
                '{"id": 1, "step": "stored", "preview": 5}',
                '{"new": 1}',
                _state(5, step="odd"),
                _state(6, updated="then"),
            )
        ):
            path = desk.root / f"0-damaged-{number}"
            path.mkdir()
            damaged[path] = text
            (path / "state.json").write_text(text)
        (desk.root / "0-empty").mkdir()
        recover(desk.store, desk.loads)
        assert folder.read().step == "cancelled"
        for path, text in damaged.items():
            assert (path / "state.json").read_text() == text
            assert path.name in caplog.text
        assert "0-empty" in caplog.text

    def test_a_file_that_was_being_received_is_swept_at_once(self, desk: Desk) -> None:
        folder, _ = desk.loads.new("x.small")
        with folder.requested("preview"):
            recover(desk.store, desk.loads)
            assert settle(desk.store, desk.loads, folder).step == "receiving"
        assert settle(desk.store, desk.loads, folder).step == "cancelled"
        unclaimed, _ = desk.loads.new("y.small")
        assert settle(desk.store, desk.loads, unclaimed).step == "receiving"
        recover(desk.store, desk.loads)
        assert unclaimed.read().step == "cancelled"

    def test_a_damaged_preview_is_named(self, desk: Desk) -> None:
        folder, state = desk.loads.new("x.small")
        state.step, state.preview = "ready", {"colour": "red"}
        folder.write(state)
        recover(desk.store, desk.loads)
        with pytest.raises(ConflictError, match="damaged"):
            folder.read().plan()

    def test_a_damaged_preview_stops_no_undo(self, desk: Desk) -> None:
        loaded = [desk.load(ROWS, name) for name in ("x.small", "y.small")]
        for folder in loaded:
            state = folder.read()
            state.preview = {"colour": "red"}
            folder.write(state)
        for folder in loaded:
            undo_load(desk.store, desk.loads, folder)
            assert (folder.read().step, folder.read().followed) == ("undone", True)

    def test_a_field_of_another_version_is_passed_over(self, desk: Desk) -> None:
        folder = desk.load(ROWS, "x.small")
        path = folder.path / "state.json"
        path.write_text(path.read_text().replace("{", '{"colour": "red", ', 1))
        recover(desk.store, desk.loads)
        assert folder.read().step == "stored"
        undo_load(desk.store, desk.loads, folder)
        assert folder.read().step == "undone"

    @staticmethod
    def _broken_off(desk: Desk, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
        folder, _ = desk.preview(ROWS, "x.small")
        monkeypatch.setattr(where, die)
        with pytest.raises(KeyboardInterrupt):
            store_load(desk.store, desk.loads, folder)
        monkeypatch.undo()
