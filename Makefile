# Two commands on a fresh machine: make demo, make test.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test fuzz soak lint matrix screenshots bench scale scale-pages scale-commands workers build wheel-check lambda clean help

help:            ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

demo: $(VENV)/.demo  ## the example shop on http://127.0.0.1:8000 (DELIVERY, DEMO_PORT, CDN_PORT)
	@exec $(BIN)/python -m marketplace.demo

test: $(VENV)/.test  ## all tests; ARGS="-k name" for some
	$(BIN)/python -m pytest $(ARGS)

soak: $(VENV)/.test  ## load, faults and misbehaving caches for longer, 15 minutes at most; prints its figures
	SOAK=1 timeout --kill-after=20 900 $(BIN)/python -m pytest -s tests/fire $(ARGS)

fuzz: $(VENV)/.test  ## damaged files and hostile keys, 10 minutes (FUZZ_MINUTES, FUZZ_SEED)
	$(BIN)/python -m tests.fuzz

lint: $(VENV)/.test  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

matrix: $(VENV)/.test  ## the tests on every supported Python and Django (nox)
	$(BIN)/nox --error-on-missing-interpreters

screenshots: $(VENV)/.test  ## docs/screenshots, by Chromium
	$(BIN)/python -m marketplace.demo.screenshots docs/screenshots

bench: $(VENV)/.test  ## beside sharp, thumbor, sorl and others; ARGS="speed" for a part, ARGS=--write for docs
	$(BIN)/python -m benchmarks $(ARGS)

scale: scale-pages scale-commands  ## both of these, an hour or more; ARGS=--write for docs

scale-pages: $(VENV)/.test  ## the shop's pages with 40,000 products in PostgreSQL
	$(BIN)/python -m benchmarks.scale $(ARGS)

scale-commands: $(VENV)/.test  ## the commands with 10,000 to 1,000,000 keys, on disk and against a small S3
	$(BIN)/python -m benchmarks.operations $(ARGS)

workers: $(VENV)/.test  ## a warm-up of 2,000 images by one worker of the task system, and by two
	$(BIN)/python -m benchmarks.workers $(ARGS)

build: $(VENV)/.test  ## the wheel and the source distribution, into dist/
	rm -rf dist && $(BIN)/python -m build --quiet

wheel-check: build  ## that the wheel works, alone, in an environment of its own
	rm -rf .wheel && $(BIN)/python -m venv .wheel
	.wheel/bin/python -m pip install --quiet --disable-pip-version-check dist/*.whl
	cd .wheel && bin/python -P ../tests/wheel.py ../dist/*.whl
	rm -rf .wheel

lambda: $(VENV)/.test  ## the resizer as zips for AWS Lambda, into dist/; ARGS="arm64 --python 3.12"
	$(BIN)/python -m tools.lambda_zip $(ARGS)

clean:           ## remove what make has made, but not the drawn photos
	rm -rf $(VENV) .wheel .demo .nox dist .pytest_cache .mypy_cache .ruff_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "lazyimages needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv is missing. On Debian and Ubuntu: sudo apt install python3-venv" >&2; exit 1; }
	@echo "· Virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: requirements.txt | $(BIN)/python
	@echo "· Installing what the demo needs"
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.test: requirements.txt requirements-test.txt | $(BIN)/python
	@echo "· Installing what the tests need"
	@$(PIP) -r requirements-test.txt
	@touch $@ $(VENV)/.demo
