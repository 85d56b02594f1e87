# The commands of this checkout. They need Python 3.11 or newer, and use uv where it is.

VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; \
	done)

ifdef UV
INSTALL := uv pip install --quiet --python $(BIN)/python
else
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif

.DEFAULT_GOAL := help
.PHONY: help dev test lint format bench migrate env-example clean

help: ## Show this list.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 20

dev: $(VENV)/.installed ## Install, migrate, and serve on PORT (8000).
	@exec $(BIN)/mainstay serve

test: $(VENV)/.installed-all ## Run all tests; ARGS="-k name" for some.
	@$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.installed-all ## Look over style, types and the direction of imports.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-all ## Put the code into its form.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/.installed-all ## Measure; ARGS="--rounds 3" is shorter.
	$(BIN)/python bench/run.py $(ARGS)

migrate: $(VENV)/.installed ## Apply migrations to the database of DATABASE_URL.
	@$(BIN)/mainstay migrate

env-example: $(VENV)/.installed ## Write .env.example from the settings in the code.
	@$(BIN)/mainstay env-example > .env.example.tmp
	@mv .env.example.tmp .env.example

clean: ## Remove what can be made again; data in var/ stays.
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
ifdef UV
	@uv venv --quiet --allow-existing $(VENV)
else
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer is needed, or uv.' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
endif

# An environment that uv made has no pip; one that is too old knows no dependency groups.
$(VENV)/.pip: | $(BIN)/python
ifndef UV
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --upgrade >/dev/null
	@$(INSTALL) --upgrade 'pip>=25.1'
endif
	@touch $@

$(VENV)/.installed: pyproject.toml | $(VENV)/.pip
	@echo 'Installing packages ...'
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/.installed-all: pyproject.toml | $(VENV)/.pip
	@echo 'Installing packages ...'
	@$(INSTALL) --editable '.[all]' --group dev
	@touch $(VENV)/.installed $@
