"""Every page against WCAG 2.2 A and AA, as axe-core checks it: wide and narrow, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver

from tests.browser.chromium import chromium, draw_pictures, missing, set_view
from tests.browser.pages import PAGES

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, {runOnly: {type: 'tag', values: arguments[0]}, resultTypes: ['violations']}).then(
  (found) => done(found.violations.map((v) => v.id + ': ' + v.help + ' — '
    + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | '))),
  (fault) => done(['axe failed: ' + fault]));
"""
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
def test_no_violation(name: str, browser: webdriver.Chrome, live_server: str) -> None:
    for width, scheme in ((1280, "light"), (390, "dark")):
        set_view(browser, width, scheme)  # type: ignore[arg-type]
        browser.get(live_server + PAGES[name])
        draw_pictures(browser)
        browser.execute_script(AXE.read_text(encoding="utf-8"))
        assert browser.execute_async_script(RUN, TAGS) == [], f"{name} at {width} px, {scheme}"


@pytest.mark.parametrize("name", list(PAGES))
def test_nothing_is_wider_than_the_window(name: str, browser: webdriver.Chrome, live_server: str) -> None:
    for width in (320, 1920):
        set_view(browser, width, "light")
        browser.get(live_server + PAGES[name])
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width, f"{name}: {wide} px wide in a window of {width} px"
