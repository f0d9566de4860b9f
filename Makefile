# The two commands: `make serve` and `make test`. Everything else is for those who change diplograph.

PYTHON ?= python3
PORT ?= 8000
DATA ?= diplograph-data
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: serve test check bench screenshots packages clean

serve: $(VENV)/.installed .static
	$(BIN)/diplograph serve --port $(PORT) --data "$(DATA)"

# Three files at a time on two cores, since many tests wait for real servers.
test: packages $(VENV)/.installed-test .static
	$(BIN)/python -m pytest -n 3 --dist loadfile

check: $(VENV)/.installed-test .static
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_docs.py tests/test_layers.py
	$(BIN)/diplograph check

bench: $(VENV)/.installed-test
	$(PIP) install --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m bench

screenshots: packages $(VENV)/.installed-test .static
	$(BIN)/python tests/browser/screenshots.py

# What tests need beside Python: a Java runtime for HermiT, Chromium for the pages.
packages:
	@sh .ci/packages

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "diplograph needs Python 3.11 or newer: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-test: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --constraint constraints.txt --editable '.[test,check]'
	@touch $@ $(VENV)/.installed

# Front-end packages come from npm; without it the pages are served plain.
.PHONY: .static
.static: api/pages/static/vendor/.installed

api/pages/static/vendor/.installed: package.json package-lock.json
	@if command -v npm >/dev/null 2>&1; then \
	  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && npm run --silent vendor && touch $@ || \
	  echo "npm could not install the style sheet: the pages are served plain."; \
	else echo "npm is not installed: the pages are served plain."; fi

clean:
	rm -rf $(VENV) node_modules api/pages/static/vendor dist build
