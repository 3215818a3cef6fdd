# Everything a checkout can do. `make run` needs Python 3.11 or newer and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NODE := tests/node

.DEFAULT_GOAL := help
.PHONY: help run demo test lint types contracts check fmt bench docs audit setup setup-tests clean

help:
	@echo "make run     start Tidecast: prints what to type into OBS"
	@echo "make demo    the same, with a moving test picture to watch"
	@echo "make test    set up and run every check (what CI runs)"
	@echo "make bench   measure it beside its peers"
	@echo "make audit   ask the advisory services about every pinned package"
	@echo "make fmt     format the code"

run: setup
	@$(BIN)/tidecast serve $(ARGS)

demo: setup
	@$(BIN)/tidecast serve --demo $(ARGS)

setup: $(VENV)/.run
setup-tests: $(VENV)/.test $(NODE)/node_modules/.package-lock.json

$(VENV)/bin/python:
	@PYTHON=$(PYTHON) tools/make-venv $(VENV)

$(VENV)/.run: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Setting up (once)..."
	@$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/bin/python
	@tools/install-system-packages
	@$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.run

$(NODE)/node_modules/.package-lock.json: $(NODE)/package-lock.json | $(VENV)/.test
	@cd $(NODE) && npm ci --silent --no-audit --no-fund

test: setup-tests
	@tools/run-checks

lint: setup-tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup-tests
	@$(BIN)/mypy
	@$(NODE)/node_modules/.bin/pyright

contracts: setup-tests
	@$(BIN)/lint-imports

check: lint types contracts

fmt: setup-tests
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: setup
	@$(BIN)/tidecast config reference > docs/SETTINGS.md
	@$(BIN)/tidecast config example > docs/tidecast.example.toml
	@$(BIN)/python -m cdn --example > docs/edge.example.toml
	@$(BIN)/python tools/module-map --write

bench: setup-tests
	@$(BIN)/python -m benchmarks

audit:
	@PYTHON=$(PYTHON) tools/audit

clean:
	rm -rf $(VENV) .audit $(NODE)/node_modules dist build
