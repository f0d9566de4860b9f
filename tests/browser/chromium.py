"""A headless Chromium under the tests' control, with every way out to other hosts closed."""

from __future__ import annotations

import base64
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def missing() -> str:
    """Name the programs that are not installed; empty when a browser can be started."""
    wanted = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"not installed: {', '.join(wanted)}" if wanted else ""


@contextmanager
def chromium(scripts: bool = True, downloads: Path | None = None) -> Iterator[webdriver.Chrome]:
    """Start a browser with an empty profile and end it again; without `scripts` it runs no JavaScript."""
    options = Options()
    options.binary_location = shutil.which("chromium") or ""
    for flag in FLAGS:
        options.add_argument(flag)
    preferences: dict[str, object] = {}
    if not scripts:
        preferences["profile.managed_default_content_settings.javascript"] = 2
    if downloads is not None:
        preferences["download.default_directory"] = str(downloads)
    options.add_experimental_option("prefs", preferences)
    with tempfile.TemporaryDirectory(prefix="diplograph-chromium-", ignore_cleanup_errors=True) as profile:
        options.add_argument(f"--user-data-dir={profile}")
        driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            driver.set_page_load_timeout(30)
            yield driver
        finally:
            driver.quit()


def set_view(
    driver: webdriver.Chrome, width: int, scheme: Literal["light", "dark"], height: int = 900
) -> None:
    """Set the width of the window in CSS pixels, and the colour scheme."""
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )


def draw_pictures(driver: webdriver.Chrome, patience: float = 60) -> None:
    """Bring every picture of the page into view and wait until it is drawn or has given way to its list."""
    for box in driver.find_elements(By.CLASS_NAME, "picture"):
        driver.execute_script("arguments[0].scrollIntoView()", box)
        WebDriverWait(driver, patience).until(
            lambda _, box=box: box.get_attribute("data-drawn") or not box.is_displayed()
        )
    driver.execute_script("window.scrollTo(0, 0)")


def picture(driver: webdriver.Chrome, path: Path, whole: bool = True) -> None:
    """Save the page as PNG: the whole of it, or what the window shows."""
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": whole})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(base64.b64decode(shot["data"]))
