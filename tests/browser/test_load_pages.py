"""A person loads a file in a real browser: finds the fault, mends it, stores, undoes; scripts or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from kg.store import EmbeddedStore
from kg.terms import ID
from tests.browser.axe import AXE, violations
from tests.browser.chromium import chromium, missing, set_view

FILE = Path(__file__).parent.parent / "fixtures" / "new-event.ttl"
EVENT = f"{ID}event/norway-kenya-port-accord"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(missing()), reason=missing() or "Chromium is installed"),
]


@pytest.fixture(params=["with scripts", "without scripts"])
def driver(request: pytest.FixtureRequest) -> Iterator[Any]:
    with chromium() as started:
        if request.param == "without scripts":
            started.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        yield started


def send(driver: Any, base: str, path: Path) -> None:
    driver.get(f"{base}/load")
    driver.find_element(By.NAME, "file").send_keys(str(path))
    driver.find_element(By.CSS_SELECTOR, "main form button").click()


def shows(driver: Any, words: str) -> bool:
    """Wait until the page says something."""

    def said(driver: Any) -> bool:
        return words in driver.find_element(By.TAG_NAME, "main").text

    return bool(WebDriverWait(driver, 60, ignored_exceptions=(WebDriverException,)).until(said, words))


def button(driver: Any, words: str) -> Any:
    return driver.find_element(By.XPATH, f"//main//button[normalize-space()='{words}']")


def test_from_a_wrong_file_to_an_undone_load(
    driver: Any, live_server: str, store: EmbeddedStore, tmp_path: Path
) -> None:
    driver.get(f"{live_server}/sign-in?next=/load")
    driver.find_element(By.NAME, "token").send_keys("test-token")
    driver.find_element(By.CSS_SELECTOR, "main form button").click()

    wrong = tmp_path / "new-event.ttl"
    whole = FILE.read_text(encoding="utf-8")
    wrong.write_text(whole.replace('dg:end "2018-03-14"', 'dg:end "14.3.2018"'), encoding="utf-8")
    send(driver, live_server, wrong)
    line = whole[: whole.index("dg:end")].count("\n") + 1
    assert shows(driver, f"line {line}")
    assert shows(driver, "xsd:date")

    wrong.write_text(whole, encoding="utf-8")
    send(driver, live_server, wrong)
    assert shows(driver, "not stored yet")
    assert shows(driver, "Norway and Kenya sign a port accord")
    button(driver, "Store").click()
    assert shows(driver, "Load, stored")
    assert store.query(f"ASK {{ <{EVENT}> ?p ?o }}").truth()
    place = driver.current_url

    driver.get(f"{live_server}/loads")
    driver.find_element(By.CSS_SELECTOR, "main table a").click()
    assert driver.current_url == place
    button(driver, "Undo this load").click()
    assert shows(driver, "This load was undone")
    assert not store.query(f"ASK {{ <{EVENT}> ?p ?o }}").truth()


def test_an_unticked_event_stays_out(
    driver: Any, live_server: str, store: EmbeddedStore, tmp_path: Path
) -> None:
    driver.get(f"{live_server}/sign-in?next=/load")
    driver.find_element(By.NAME, "token").send_keys("test-token")
    driver.find_element(By.CSS_SELECTOR, "main form button").click()
    send(driver, live_server, FILE)
    assert shows(driver, "What to store")
    driver.find_element(By.CSS_SELECTOR, f'input[name="keep"][value="{EVENT}"]').click()
    button(driver, "Store").click()
    assert shows(driver, "Skipped")
    assert not store.query(f"ASK {{ <{EVENT}> ?p ?o }}").truth()


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (npm ci)")
def test_findings_preview_and_load_are_accessible_and_fit(live_server: str, tmp_path: Path) -> None:
    whole = FILE.read_text(encoding="utf-8")
    wrong = tmp_path / "new-event.ttl"
    wrong.write_text(whole.replace('dg:end "2018-03-14"', 'dg:end "14.3.2018"'), encoding="utf-8")
    with chromium() as driver:

        def check(what: str) -> None:
            assert violations(driver) == [], what
            for width in (320, 1920):
                set_view(driver, width, "light")
                wide = driver.execute_script("return document.documentElement.scrollWidth")
                assert wide <= width, f"{what}: {wide} px wide in a window of {width} px"

        driver.get(f"{live_server}/sign-in?next=/load")
        driver.find_element(By.NAME, "token").send_keys("test-token")
        driver.find_element(By.CSS_SELECTOR, "main form button").click()
        send(driver, live_server, wrong)
        assert shows(driver, "xsd:date")
        check("what is wrong with a file")
        send(driver, live_server, FILE)
        assert shows(driver, "not stored yet")
        check("the preview of a load")
        button(driver, "Store").click()
        assert shows(driver, "Load, stored")
        check("the page of a load")
