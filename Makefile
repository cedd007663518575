# `make help` lists what can be done here.
PORT ?= 8501
PYTHON ?= python3
BIN := .venv/bin
UV := 0.13.9

.DEFAULT_GOAL := help
.PHONY: help run test lint types unit soak bench mutants lock reference screenshots refresh schedule export chromium clean

help: ## List what can be done here
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# What is imported often must not be compiled again each time, whatever the surroundings say.
unexport PYTHONDONTWRITEBYTECODE

.venv/bin/python:
	@$(PYTHON) -m venv .venv

.venv/.installed: requirements.txt | .venv/bin/python
	@echo "Installing what the program needs into .venv…"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

# Compiled at the first import, which for a few of the modules is less work than for all.
.venv/.installed-dev: requirements-dev.txt requirements.txt | .venv/bin/python
	@echo "Installing what the program and its tests need into .venv…"
	@$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -r requirements-dev.txt
	@touch .venv/.installed $@

run: .venv/.installed ## Open the dashboard on http://localhost:8501 (PORT=8600 changes the port)
	@exec $(BIN)/python -m dashboard --port $(PORT)

test: ## Lint, types and tests: what must be green before a change lands
	@$(MAKE) --no-print-directory -j 2 .venv/.installed-dev chromium
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory -j 2 types unit

lint: .venv/.installed-dev ## Style and common mistakes (ruff)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.installed-dev ## Static types (mypy)
	nice -n 19 $(BIN)/mypy

# Two processes that each multiply small matrices with two threads wait for each other's most of the time.
unit: export OPENBLAS_NUM_THREADS = 1
unit: .venv/.installed-dev chromium ## The tests alone
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

soak: .venv/.installed-dev chromium ## The long forms of the crash, fault and concurrency tests
	env $$($(BIN)/python -c "from etl.product import variable; print(variable('soak'))")=1 $(BIN)/python -m pytest --timeout 7200 -rfE

bench: .venv/.installed-dev chromium ## Speed as ratios against named peers, written to tests/benchmarks/results.md
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	$(BIN)/python -m tests.benchmarks

mutants: .venv/.installed-dev ## Changes to the code that no test notices (ONLY=dashboard.analysis.losses: of one module, in minutes)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-mutants.txt
	nice -n 19 $(BIN)/python -m tests.mutants $(ONLY)

reference: .venv/.installed-dev ## Write docs/reference.md from the code
	@$(BIN)/python -m tests.reference

refresh: .venv/.installed ## Bring the missing sessions and today's charts (python -m etl refresh)
	@$(BIN)/python -m etl refresh

schedule: .venv/.installed ## Refresh for ever, after each close (python -m etl schedule)
	@exec $(BIN)/python -m etl schedule

export: .venv/.installed ## Export every chart as a kit into exports/ (python -m dashboard.export --all)
	@$(BIN)/python -m dashboard.export --all

screenshots: .venv/.installed-dev chromium ## A picture of every page: light, dark and at phone width, in tests/pictures
	$(BIN)/python -m tests.screenshots

lock: .venv/bin/python ## Write requirements*.txt, with hashes, from requirements*.in (UPGRADE="--upgrade-package NAME")
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV)
	@for name in requirements requirements-lake requirements-dev requirements-bench requirements-mutants; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	    --custom-compile-command "make lock" $(UPGRADE) $$name.in -o $$name.txt || exit 1; \
	done

chromium: ## Find a Chromium for browser tests and chart files, or install Debian's
	@command -v chromium chromium-browser google-chrome >/dev/null || ./.ci/install-chromium

clean: ## Remove the virtual environment and the warehouse
	rm -rf .venv data/market.duckdb data/market.duckdb.versions data/market.duckdb.answers
