"""What a reader can do on the pages of things, in a real browser, and once more without scripts."""

from __future__ import annotations

import csv
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from kg.terms import ID
from tests.browser.chromium import chromium, draw_pictures, missing

pytestmark = [
    pytest.mark.browser,
    pytest.mark.server,
    pytest.mark.skipif(bool(missing()), reason=missing() or "installed"),
]
PATIENCE = 60
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=[True, False], ids=["scripts", "no scripts"])
def reader(request: pytest.FixtureRequest) -> Iterator[webdriver.Chrome]:
    with chromium(scripts=request.param) as driver:
        yield driver


@pytest.fixture
def scripted() -> Iterator[webdriver.Chrome]:
    with chromium() as driver:
        yield driver


def follow(reader: webdriver.Chrome, words: str) -> None:
    """Click the first link of the main part that holds the words."""
    link = reader.find_element(By.XPATH, f"//main//a[contains(normalize-space(.), '{words}')]")
    reader.get(link.get_attribute("href") or "")


def test_who_said_that_600000_deportations_are_expected_and_where(
    reader: webdriver.Chrome, reading_server: str
) -> None:
    reader.get(reading_server + "/")
    box = reader.find_element(By.CSS_SELECTOR, "main input[type=search]")
    box.send_keys("600,000")
    box.submit()
    WebDriverWait(reader, PATIENCE).until(lambda page: "/search" in page.current_url)
    follow(reader, "600,000")
    main = reader.find_element(By.TAG_NAME, "main").text
    assert "Department of Homeland Security" in main
    assert "projected" in main
    assert "paragraph 6" in main
    assert "2312" in main
    claim = reader.find_element(By.CSS_SELECTOR, ".claims .statement a")
    assert "nearly 600,000" in claim.text
    reader.get(claim.get_attribute("href") or "")
    main = reader.find_element(By.TAG_NAME, "main").text
    assert "Sources" in main
    assert "Department of Homeland Security" in main


def test_a_reader_narrows_a_dyad_to_a_kind_of_event(reader: webdriver.Chrome, reading_server: str) -> None:
    reader.get(reading_server + "/dyad/usa/irn")
    assert "strikes" in reader.find_element(By.TAG_NAME, "main").text.lower()
    select = reader.find_element(By.NAME, "type")
    option = next(o for o in select.find_elements(By.TAG_NAME, "option") if "deport" in o.text.lower())
    option.click()
    select.submit()
    WebDriverWait(reader, PATIENCE).until(lambda page: "type=" in page.current_url)
    events = reader.find_element(By.CSS_SELECTOR, "section[aria-labelledby=events]").text.lower()
    assert "deportation" in events
    assert "strikes" not in events


def test_pictures_are_drawn_and_nothing_is_refused(scripted: webdriver.Chrome, reading_server: str) -> None:
    if not (ROOT / "api/pages/static/vendor/cytoscape.min.js").exists():
        pytest.skip("the front-end packages are not installed (make .static)")
    scripted.get(reading_server + "/page/event/us-iran-deportation")
    for box in scripted.find_elements(By.CLASS_NAME, "picture"):
        scripted.execute_script("arguments[0].scrollIntoView()", box)
        WebDriverWait(scripted, PATIENCE).until(lambda _, box=box: box.get_attribute("data-drawn") == "yes")
    assert len(scripted.find_elements(By.CSS_SELECTOR, ".map path.leaflet-interactive")) >= 3
    faults = [entry for entry in scripted.get_log("browser") if entry["level"] == "SEVERE"]
    assert not faults


def test_without_scripts_lists_stand_for_the_pictures(reading_server: str) -> None:
    with chromium(scripts=False) as reader:
        reader.get(reading_server + "/page/event/us-iran-deportation")
        assert not [box for box in reader.find_elements(By.CLASS_NAME, "picture") if box.is_displayed()]
        assert "Louisiana" in reader.find_element(By.CSS_SELECTOR, ".spots").text


def test_the_sparql_behind_a_block_gives_its_rows(reader: webdriver.Chrome, reading_server: str) -> None:
    reader.get(reading_server + "/page/country/irn")
    section = reader.find_element(By.CSS_SELECTOR, "section[aria-labelledby=events]")
    shown = [a.get_attribute("href") for a in section.find_elements(By.CSS_SELECTOR, ".events strong a")]
    address = section.find_element(By.CSS_SELECTOR, ".asked a").get_attribute("href") or ""
    request = urllib.request.Request(address, headers={"Accept": "text/csv"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        rows = [line[0] for line in csv.reader(answer.read().decode().splitlines())][1:]
    assert [row.replace(ID, reading_server + "/page/") for row in rows] == shown
    reader.get(address)
    assert "SELECT" in reader.page_source


def test_nothing_jumps_while_a_page_loads(scripted: webdriver.Chrome, reading_server: str) -> None:
    for path in ("/page/event/us-iran-deportation", "/page/country/irn", "/dyad/usa/irn"):
        scripted.get(reading_server + path)
        draw_pictures(scripted)
        shift = scripted.execute_async_script(
            """const done = arguments[0]; let sum = 0;
            new PerformanceObserver((list) => { for (const entry of list.getEntries()) sum += entry.value; })
              .observe({ type: 'layout-shift', buffered: true });
            setTimeout(() => done(sum), 300);"""
        )
        assert shift < 0.01, f"{path}: {shift}"
