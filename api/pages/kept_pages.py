"""Pages that are the same for all visitors, rendered once until the data change."""

from __future__ import annotations

from collections.abc import Callable

from flask import request

from api.web.auth import signed_in
from api.web.state import state
from kg.languages import wanted


def kept_page(render: Callable[[], str]) -> str:
    """Return the page at the address of this request, rendered again only if the data changed.

    Its parameters must not matter. A visitor who is signed in gets a page of their own.
    """
    if signed_in():
        return render()
    here = state()
    return here.pages.keep(here.store, " ".join((request.root_url, request.path, *wanted())), render)
