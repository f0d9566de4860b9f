"""Results that are cached until the data change."""

from __future__ import annotations

from kg.languages import speak
from kg.store import EmbeddedStore, Store
from kg.store.per_version import per_version

calls: list[str] = []


@per_version
def size(store: Store, name: str) -> int:
    calls.append(name)
    return len(list(store.query("SELECT * { ?s ?p ?o }").rows()))


class Unversioned(EmbeddedStore):
    version = ""


def test_a_result_is_kept_until_the_data_change() -> None:
    calls.clear()
    first, second = EmbeddedStore(), EmbeddedStore()
    assert [size(first, "a"), size(first, "a"), size(first, "b"), size(second, "a")] == [0] * 4
    assert calls == ["a", "b", "a"]
    first.update("INSERT DATA { <urn:x:a> <urn:x:p> 1 }")
    assert (size(first, "a"), size(second, "a")) == (1, 0)
    assert len(calls) == 4
    speak(["fr"])
    try:
        assert size(first, "a") == 1
    finally:
        speak([])  # The tests that follow share this context.
    assert len(calls) == 5


def test_nothing_is_kept_for_a_store_without_versions() -> None:
    calls.clear()
    store = Unversioned()
    assert size(store, "a") == size(store, "a") == 0
    assert len(calls) == 2
