"""What a page costs a reader, as a real browser counts it: requests, bytes, and no host but this server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium import webdriver

from tests.browser.chromium import chromium, draw_pictures, missing
from tests.browser.pages import PAGES

REQUESTS = 16
FIRST = 120 * 1024
"""Bytes of the page, its styles and small scripts; libraries of pictures and the editor count apart."""
ALL = 1_500 * 1024
COUNT = """
return performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))
  .map((entry) => [entry.name, entry.encodedBodySize]);
"""
pytestmark = [
    pytest.mark.browser,
    pytest.mark.server,
    pytest.mark.skipif(bool(missing()), reason=missing() or "installed"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    with chromium() as driver:
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
        yield driver


@pytest.mark.parametrize("name", list(PAGES))
def test_a_page_keeps_to_its_budget(name: str, browser: webdriver.Chrome, reading_server: str) -> None:
    browser.get(reading_server + PAGES[name])
    draw_pictures(browser)
    loaded = browser.execute_script(COUNT)
    assert all(address.startswith((reading_server + "/", "data:", "blob:")) for address, _ in loaded), loaded
    assert len(loaded) <= REQUESTS, [address for address, _ in loaded]
    library = ("cytoscape", "leaflet", "topojson", "countries-50m", "yasqe")
    own = sum(size for address, size in loaded if not any(word in address for word in library))
    assert own <= FIRST, f"{own:,} bytes"
    assert sum(size for _, size in loaded) <= ALL, loaded
