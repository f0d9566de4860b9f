"""What a reader does on lists, questions and in the editor, in a real Chromium, with and without scripts."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from api.app import create_app
from kg.load import install
from kg.settings import Settings
from kg.store.isolated.store import IsolatedStore
from kg.store.isolated.writer import Writer
from tests.api.running import processor_seconds, wait_for_work
from tests.browser.chromium import chromium, missing
from tests.kg.store.opening import open_isolated
from tests.live import serve_app

pytestmark = [
    pytest.mark.browser,
    pytest.mark.server,
    pytest.mark.skipif(bool(missing()), reason=f"a browser is needed: {missing()}"),
]
ROOT = Path(__file__).parents[2]
PATIENCE = 60
ENDLESS = (
    "SELECT (COUNT(*) AS ?n) { "
    + " ".join(f"VALUES ?v{n} {{ {' '.join(map(str, range(300)))} }}" for n in range(5))
    + " }"
)
yasqe = pytest.mark.skipif(
    not (ROOT / "api/pages/static/vendor/yasqe.min.js").is_file(),
    reason="the editor's script is not installed (npm): the page has its plain text area only",
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IsolatedStore[Writer]]:
    folder = tmp_path_factory.mktemp("lists")
    store = open_isolated(folder, timeout=300, memory=2**30)
    install(store)
    yield store
    store.close()


@pytest.fixture(scope="module")
def site(store: IsolatedStore[Writer], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    app = create_app(store, Settings(data=tmp_path_factory.mktemp("site") / "data", token="t"))
    with serve_app(app) as url:
        yield url


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def browser(downloads: Path) -> Iterator[Chrome]:
    with chromium(downloads=downloads) as driver:
        yield driver


@pytest.fixture(scope="module")
def plain(downloads: Path) -> Iterator[Chrome]:
    with chromium(scripts=False, downloads=downloads) as driver:
        yield driver


def until(driver: Chrome, what: Callable[[Chrome], object]) -> None:
    WebDriverWait(driver, PATIENCE).until(lambda d: what(d))


def shown(driver: Chrome) -> list[str]:
    found = driver.find_elements(By.CSS_SELECTOR, "tbody tr td:nth-child(2) a")
    return [(link.get_attribute("href") or "").rpartition("/page/")[2] for link in found]


def fetch(driver: Chrome, link: WebElement, folder: Path, name: str) -> list[dict[str, str]]:
    target = folder / name
    target.unlink(missing_ok=True)
    link.click()
    until(driver, lambda _: target.is_file() and target.stat().st_size > 0)
    with target.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def choose(driver: Chrome, field: WebElement, text: str, label: str) -> None:
    """Type, go down the suggestions to the one that reads so, and take it: by keys alone."""
    field.send_keys(text)
    number = int((field.get_attribute("aria-controls") or "").rpartition("-")[2])
    listbox = f"#suggestions-{number} > li"

    def offered(d: Chrome) -> list[str]:
        return [one.text.split("\n")[0] for one in d.find_elements(By.CSS_SELECTOR, listbox)]

    until(driver, lambda d: any(one.startswith(label) for one in offered(d)))
    place = next(n for n, one in enumerate(offered(driver)) if one.startswith(label))
    field.send_keys(Keys.ARROW_DOWN * (place + 1))
    assert field.get_attribute("aria-activedescendant") == f"suggestions-{number}-{place}"
    field.send_keys(Keys.ENTER)
    until(driver, lambda _: field.get_attribute("value") == label)
    assert field.get_attribute("aria-expanded") == "false"


def problems(driver: Chrome) -> list[str]:
    return [str(line["message"]) for line in driver.get_log("browser")]


def test_a_reader_filters_the_events_of_a_dyad_and_exports_them(
    browser: Chrome, site: str, downloads: Path
) -> None:
    browser.get(site + "/events")
    fields = browser.find_elements(By.NAME, "actor")
    choose(browser, fields[0], "ira", "Iran")
    choose(browser, fields[1], "united st", "United States")
    browser.find_element(By.CSS_SELECTOR, ".filters button").click()
    until(browser, lambda d: "actor=country%2Firn" in d.current_url)
    assert "actor=country%2Fusa" in browser.current_url
    found = shown(browser)
    assert "event/us-strikes-on-iranian-nuclear-sites" in found
    again = [
        one.get_attribute("value") for one in browser.find_elements(By.CSS_SELECTOR, "#f-actor0, #f-actor1")
    ]
    assert again == ["Iran", "United States"]
    rows = fetch(browser, browser.find_element(By.LINK_TEXT, "CSV"), downloads, "events.csv")
    assert [row["iri"].partition("/id/")[2] for row in rows] == found
    assert problems(browser) == []


def test_the_same_without_scripts(plain: Chrome, site: str, downloads: Path) -> None:
    plain.get(site + "/events")
    fields = plain.find_elements(By.NAME, "actor")
    fields[0].send_keys("Iran")
    fields[1].send_keys("United States", Keys.ENTER)
    until(plain, lambda d: "actor=Iran" in d.current_url)
    found = shown(plain)
    assert "event/us-strikes-on-iranian-nuclear-sites" in found
    rows = fetch(plain, plain.find_element(By.LINK_TEXT, "CSV"), downloads, "events.csv")
    assert [row["iri"].partition("/id/")[2] for row in rows] == found


def test_blanks_of_a_question_are_filled_by_keyboard_alone(browser: Chrome, site: str) -> None:
    browser.get(site + "/queries/dyad")
    for _ in range(40):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        if browser.switch_to.active_element.get_attribute("id") == "p-a":
            break
    choose(browser, browser.switch_to.active_element, "united st", "United States")
    browser.switch_to.active_element.send_keys(Keys.TAB)
    assert browser.switch_to.active_element.get_attribute("id") == "p-b"
    choose(browser, browser.switch_to.active_element, "qat", "Qatar")
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    until(browser, lambda d: "b=country%2Fqat" in d.current_url)
    assert "a=country%2Fusa" in browser.current_url
    until(browser, lambda d: d.find_elements(By.ID, "answer"))
    assert problems(browser) == []


def test_typing_on_after_a_choice_takes_it_back(browser: Chrome, site: str) -> None:
    browser.get(site + "/queries/dyad?a=Iran")
    field = browser.find_element(By.ID, "p-a")
    assert field.get_attribute("value") == "Iran"
    field.send_keys("x", Keys.ESCAPE, Keys.ENTER)
    until(browser, lambda d: "a=Iranx" in d.current_url)
    assert "nothing is called" in browser.page_source
    assert all("400" in problem for problem in problems(browser))


def test_a_question_without_scripts(plain: Chrome, site: str) -> None:
    plain.get(site + "/queries/dyad")
    plain.find_element(By.ID, "p-a").send_keys("United States")
    plain.find_element(By.ID, "p-b").send_keys("Iran", Keys.ENTER)
    until(plain, lambda d: "b=Iran" in d.current_url)
    assert plain.find_elements(By.CSS_SELECTOR, "#answer ~ .table tbody tr, section .table tbody tr")


def test_search_in_the_header_leads_to_a_page_by_keys(browser: Chrome, site: str) -> None:
    browser.get(site + "/queries")
    field = browser.find_element(By.CSS_SELECTOR, ".top input[name=q]")
    field.send_keys("qata")
    until(browser, lambda _: field.get_attribute("aria-expanded") == "true")
    field.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
    until(browser, lambda d: d.current_url.endswith("/page/country/qat"))


@yasqe
def test_a_reader_stops_a_running_query(browser: Chrome, site: str, store: IsolatedStore[Writer]) -> None:
    browser.get(site + "/sparql")
    until(
        browser, lambda d: d.execute_script("return !!(window.diplographEditor && diplographEditor.editor)")
    )
    browser.execute_script("diplographEditor.editor.setValue(arguments[0])", ENDLESS)
    stop = browser.find_element(By.ID, "stop")
    assert not stop.is_displayed()
    before = {pid: processor_seconds(pid) for pid in store.worker_pids()}
    browser.find_element(By.CSS_SELECTOR, "#editor button[type=submit]").click()
    until(browser, lambda _: stop.is_displayed())
    until(browser, lambda d: "Running for" in d.find_element(By.ID, "running").text)
    running = wait_for_work(store.worker_pids, before)
    stop.click()
    until(browser, lambda d: d.find_element(By.ID, "running").text == "Stopped")
    deadline = time.monotonic() + PATIENCE
    while running in store.worker_pids() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert running not in store.worker_pids(), "its process still runs"
    browser.execute_script("diplographEditor.editor.setValue(arguments[0])", "SELECT * { ?s a ?c } LIMIT 3")
    browser.find_element(By.CSS_SELECTOR, "#editor button[type=submit]").click()
    until(browser, lambda d: len(d.find_elements(By.CSS_SELECTOR, "#outcome tbody tr")) == 3)
    assert "/sparql?query=SELECT" in browser.current_url
    assert problems(browser) == []


@yasqe
def test_the_editor_completes_our_classes_and_declares_our_prefixes(browser: Chrome, site: str) -> None:
    browser.get(site + "/sparql")
    until(
        browser, lambda d: d.execute_script("return !!(window.diplographEditor && diplographEditor.editor)")
    )
    text = "PREFIX dg: <https://w3id.org/diplograph/ontology#>\nSELECT * { ?e a dg:CodingR"
    browser.execute_script(
        "const e = diplographEditor.editor; e.setValue(arguments[0]); e.setCursor(1, 99); e.focus();", text
    )
    browser.switch_to.active_element.send_keys(Keys.CONTROL, Keys.SPACE)
    until(
        browser,
        lambda d: (
            "dg:CodingRecord" in d.execute_script("return diplographEditor.editor.getValue()")
            or any("CodingRecord" in one.text for one in d.find_elements(By.CSS_SELECTOR, ".CodeMirror-hint"))
        ),
    )


def test_the_editor_without_scripts_is_a_text_area(plain: Chrome, site: str) -> None:
    plain.get(site + "/sparql")
    area = plain.find_element(By.ID, "query")
    assert area.is_displayed()
    area.clear()
    area.send_keys("SELECT * { ?s a ?c } LIMIT 3")
    plain.find_element(By.CSS_SELECTOR, "#editor button[type=submit]").click()
    until(plain, lambda d: len(d.find_elements(By.CSS_SELECTOR, "#outcome tbody tr")) == 3)


def test_pages_stay_small(site: str) -> None:
    for path in ("/", "/events", "/search?q=iran", "/queries", "/queries/dyad", "/coverage"):
        with httpx.Client(headers={"Accept": "text/html"}, timeout=PATIENCE) as client:
            assert len(client.get(site + path).content) < 120 * 1024, path
