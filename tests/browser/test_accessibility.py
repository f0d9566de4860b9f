"""Every page against WCAG 2.2 A and AA, as axe-core checks it: wide and narrow, light and dark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium import webdriver

from tests.browser.axe import AXE, violations
from tests.browser.chromium import chromium, missing, set_view
from tests.browser.pages import PAGES

pytestmark = [
    pytest.mark.browser,
    pytest.mark.server,
    pytest.mark.skipif(bool(missing()), reason=missing() or "installed"),
    pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (npm ci)"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    with chromium() as driver:
        driver.set_script_timeout(120)
        yield driver


@pytest.mark.parametrize("name", list(PAGES))
def test_no_violation(name: str, browser: webdriver.Chrome, reading_server: str) -> None:
    browser.get(reading_server + PAGES[name])
    assert violations(browser) == [], name


@pytest.mark.parametrize("name", list(PAGES))
def test_nothing_is_wider_than_the_window(name: str, browser: webdriver.Chrome, reading_server: str) -> None:
    for width in (320, 1920):
        set_view(browser, width, "light")
        browser.get(reading_server + PAGES[name])
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width, f"{name}: {wide} px wide in a window of {width} px"
