"""What axe-core finds on the page that a browser shows: WCAG 2.2 A and AA, and its best practices."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from selenium import webdriver

from tests.browser.chromium import draw_pictures, set_view

AXE: Final = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
_TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN: Final = """
const done = arguments[arguments.length - 1];
// Colours change in transitions; a colour half-way through one is not what a reader sees in the end.
const settled = () => Promise.allSettled(document.getAnimations()
  .filter((one) => one.effect.getComputedTiming().endTime !== Infinity).map((one) => one.finished));
const frame = () => new Promise(requestAnimationFrame);
frame().then(frame).then(settled).then(() => axe.run(document,
  {runOnly: {type: 'tag', values: arguments[0]}, resultTypes: ['violations']})).then(
  (found) => done(found.violations.map((v) => v.id + ': ' + v.help + ' — '
    + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | '))),
  (fault) => done(['axe failed: ' + fault]));
"""


def violations(driver: webdriver.Chrome) -> list[str]:
    """Return what axe-core finds, wide in light colours and narrow in dark ones; the page stays as it is."""
    driver.set_script_timeout(120)
    found: list[str] = []
    for width, scheme in ((1280, "light"), (390, "dark")):
        set_view(driver, width, scheme)  # type: ignore[arg-type]
        draw_pictures(driver)
        driver.execute_script(AXE.read_text(encoding="utf-8"))
        found += (f"{width} px, {scheme}: {said}" for said in driver.execute_async_script(_RUN, _TAGS))
    return found
