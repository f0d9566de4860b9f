"""Results that stay valid until the data of a store change."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, Concatenate, Final, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from kg.languages import wanted
from kg.store.interface import Store

P = ParamSpec("P")
T = TypeVar("T")

_KEPT: Final[WeakKeyDictionary[Store, tuple[str, dict[Any, Any]]]] = WeakKeyDictionary()
_LOCK: Final = threading.Lock()


def kept_for(store: Store) -> dict[Any, Any]:
    """Return the dictionary of the store's present version; a new one each time if it has no versions."""
    version = store.version
    if not version:
        return {}
    with _LOCK:
        found = _KEPT.get(store)
        if found is None or found[0] != version:
            found = _KEPT[store] = (version, {})
        return found[1]


def per_version(function: Callable[Concatenate[Store, P], T]) -> Callable[Concatenate[Store, P], T]:
    """Cache what a function reads from a store, in each of the reader's languages, until the data change.

    For results that every page needs and that few different arguments select; these must be hashable.
    """

    @functools.wraps(function)
    def cached(store: Store, /, *args: P.args, **kwargs: P.kwargs) -> T:
        kept = kept_for(store)
        key = (function, wanted(), args, tuple(kwargs.items()))
        if key not in kept:
            kept[key] = function(store, *args, **kwargs)
        found: T = kept[key]
        return found

    return cached
