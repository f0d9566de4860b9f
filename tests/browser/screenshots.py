"""Pictures of the pages, wide and narrow, light and dark; `make screenshots`.

All go to `screenshots/`, which git ignores; the README's picture goes to `docs/images/home.png`.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from pathlib import Path

from waitress.server import create_server

sys.path.insert(0, str(Path(__file__).parents[2]))

from api.app import create_app
from kg.load import install
from kg.settings import Settings
from kg.store import EmbeddedStore
from tests.browser.chromium import chromium, missing, picture, set_view

ROOT = Path(__file__).parents[2]
PAGES = {
    "home": "/",
    "country": "/page/country/irn",
    "event": "/page/event/us-iran-deportation",
    "person": "/page/person/donald-trump",
    "agency": "/page/agency/department-of-homeland-security",
    "claim": "/page/claim/us-iran-deportation-projection",
    "dyad": "/dyad/usa/irn",
    "questions": "/queries",
    "question": "/queries/quantities",
    "sparql": "/sparql?query=SELECT+%2A+%7B+%3Fs+%3Fp+%3Fo+%7D+LIMIT+20",
    "search": "/search?q=iran",
    "ontology": "/ontology",
    "load": "/load",
    "loads": "/loads",
    "error": "/page/country/nowhere",
}


def main(names: list[str]) -> None:
    """Take the pictures, all or those that are named."""
    lacking = missing()
    if lacking:
        raise SystemExit(lacking)
    with tempfile.TemporaryDirectory() as folder:
        store = EmbeddedStore()
        install(store)
        app = create_app(store, Settings(data=Path(folder), token="pictures"))
        server = create_server(app, host="127.0.0.1", port=0, threads=4)
        threading.Thread(target=server.run, daemon=True).start()
        base = f"http://127.0.0.1:{server.effective_port}"
        with chromium() as driver:
            set_view(driver, 1280, "light", 860)
            driver.get(base + "/")
            picture(driver, ROOT / "docs" / "images" / "home.png", whole=False)
            for name, path in PAGES.items():
                if names and name not in names:
                    continue
                for width in (1280, 390):
                    for scheme in ("light", "dark"):
                        set_view(driver, width, scheme)
                        driver.get(base + path)
                        picture(driver, ROOT / "screenshots" / f"{name}-{width}-{scheme}.png")


if __name__ == "__main__":
    main(sys.argv[1:])
