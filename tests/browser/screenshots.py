"""Pictures of the pages, wide and narrow, light and dark; `make screenshots`.

All go to `screenshots/`, which git ignores; the README's picture goes to `docs/images/home.png`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from api.app import create_app
from kg.load import install
from kg.settings import Settings
from kg.store import EmbeddedStore
from tests.browser.chromium import chromium, draw_pictures, missing, picture, set_view
from tests.browser.pages import PAGES
from tests.live import serve_app

ROOT = Path(__file__).parents[2]


def main(names: list[str]) -> None:
    """Take the pictures, all or those that are named."""
    lacking = missing()
    if lacking:
        raise SystemExit(lacking)
    with tempfile.TemporaryDirectory() as folder:
        store = EmbeddedStore()
        install(store)
        app = create_app(store, Settings(data=Path(folder), token="pictures"))
        with serve_app(app) as base, chromium() as driver:
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
                        draw_pictures(driver)
                        picture(driver, ROOT / "screenshots" / f"{name}-{width}-{scheme}.png")


if __name__ == "__main__":
    main(sys.argv[1:])
