"""Run Comunica in a real browser, from another origin, on the entities and the endpoint of a running server.

`python -m tools.run_comunica URL FOLDER`, where FOLDER holds the npm packages `@comunica/query-sparql` and
`esbuild`, with `process`, `buffer`, `stream-browserify`, `path-browserify`, `crypto-browserify`, `events`, `url`
and `util`, which a browser lacks. Prints the number of rows of each question; exits with 1 if one has none.
"""

from __future__ import annotations

import functools
import http.server
import subprocess
import sys
import threading
from pathlib import Path

from tests.browser.chromium import chromium

ENTRY = """
import { QueryEngine } from '@comunica/query-sparql';
window.ask = async (query, source) => {
  const bindings = await new QueryEngine().queryBindings(query, { sources: [source] });
  return (await bindings.toArray()).length;
};
"""
SHIM = """
import process from 'process/browser';
import { Buffer } from 'buffer';
export { process, Buffer };
"""
REPLACED = {
    "stream": "stream-browserify",
    "path": "path-browserify",
    "crypto": "crypto-browserify",
    "events": "events",
    "buffer": "buffer",
    "url": "url",
    "util": "util",
}
LABELS = "SELECT ?label { ?thing <http://www.w3.org/2000/01/rdf-schema#label> ?label }"
QUESTIONS = {
    "/id/country/irn": LABELS,
    "/id/event/us-iran-deportation": LABELS,
    "/data/country/irn.ttl": LABELS,
    "/data/country/irn.jsonld": LABELS,
    "/data/country/irn.rdf": LABELS,
    "/graph/us-iran-deportation": "SELECT * { ?s ?p ?o }",
    "/ontology": "SELECT ?c { ?c a <http://www.w3.org/2002/07/owl#Class> }",
    "/sparql": "SELECT ?c { ?c a <https://w3id.org/diplograph/ontology#Country> } LIMIT 5",
}


def bundle(folder: Path) -> None:
    """Write the page and its script."""
    (folder / "entry.js").write_text(ENTRY)
    (folder / "shim.js").write_text(SHIM)
    (folder / "index.html").write_text('<meta charset="utf-8"><script src="bundle.js"></script>')
    aliases = [f"--alias:{start}{name}={by}" for name, by in REPLACED.items() for start in ("", "node:")]
    subprocess.run(
        ["node_modules/.bin/esbuild", "entry.js", "--bundle", "--outfile=bundle.js", "--format=iife",
         "--platform=browser", "--inject:shim.js", "--define:global=globalThis", "--alias:node:process=process/browser",
         "--main-fields=browser,module,main", "--log-level=error", *aliases],
        cwd=folder,
        check=True,
    )  # fmt: skip


def main() -> None:
    """Ask each question of the server."""
    url, folder = sys.argv[1].rstrip("/"), Path(sys.argv[2])
    bundle(folder)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    pages = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    failed = False
    with chromium() as driver:
        driver.set_script_timeout(60)
        driver.get(f"http://127.0.0.1:{pages.server_port}/index.html")
        for path, query in QUESTIONS.items():
            found = driver.execute_async_script(
                "const done = arguments[2];"
                "ask(arguments[0], arguments[1]).then(done, error => done(String(error)));",
                query,
                url + path,
            )
            print(path, found, flush=True)
            failed |= not isinstance(found, int) or found == 0
    pages.shutdown()
    sys.exit(failed)


if __name__ == "__main__":
    main()
