# The two commands a newcomer needs are `make run` and `make test`; nothing else has to be set up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
.PHONY: help run test lint format bench bench-algorithms catalog clean

help:
	@echo "make run    start store, workers and page; prints the address"
	@echo "make test   set everything up and run all tests"
	@echo "make lint   ruff and mypy"
	@echo "make bench  measure the hot paths (minutes)"
	@echo "make bench-algorithms  every algorithm against random, three seeds (up to two hours)"
	@echo "make clean  remove the virtual environment and caches (runs and data stay)"

# The stamp is renewed only after a complete install, so that an interrupted one is repeated.
$(VENV)/.run-stamp: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "NAS Workbench needs Python 3.11 or newer; set PYTHON=/path/to/python3.11."; exit 1; }
	@$(BIN)/python -c '' 2>/dev/null || { rm -rf $(VENV) && $(PYTHON) -m venv $(VENV); } \
	  || { echo "Cannot make $(VENV): is the venv module installed (Debian: apt install python3-venv)?"; exit 1; }
	@echo "Installing the requirements into $(VENV) (once, a few minutes) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt \
	  || { echo "Installing the requirements failed; see the lines above, then try again."; exit 1; }
	@touch $@

$(VENV)/.dev-stamp: $(VENV)/.run-stamp requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

run: $(VENV)/.run-stamp
	@exec $(BIN)/python -m workers.up

test: $(VENV)/.dev-stamp
	@VENV=$(VENV) sh scripts/test.sh

lint: $(VENV)/.dev-stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev-stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev-stamp
	$(BIN)/python -m benchmarks.supernet
	$(BIN)/python -m benchmarks.mixture
	$(BIN)/python -m benchmarks.memory
	$(BIN)/python -m benchmarks.kernels.run

bench-algorithms: $(VENV)/.dev-stamp
	$(BIN)/python -m benchmarks.algorithms

catalog: $(VENV)/.run-stamp
	$(BIN)/python -m engine catalog --write

clean:
	rm -rf $(VENV) artifacts .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
