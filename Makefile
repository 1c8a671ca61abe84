# The one door. Every target sets up what it needs: `make demo` and `make test` work from a bare clone.
# Another Python: make PYTHON=/path/to/python3.12 test

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

# One thread a process: the tests run two processes, and sums come out the same everywhere.
TEST := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal --durations=10 --durations-min=5

.DEFAULT_GOAL := help
.PHONY: help demo test check lint fast slow look bench clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

demo: $(INSTALLED)  ## a minute or two: a really stuck network on real data, diagnosed, then cured
	$(BIN)/unstuck demo

test: $(INSTALLED)  ## every test and example that is not slow
	$(TEST) -m "not slow"

check: lint test  ## all that a change must pass: lint, types, import contracts, tests, examples

lint: $(INSTALLED)  ## style, types and import contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

fast: $(INSTALLED)  ## while working: what failed last time first, ends at the first failure
	$(BIN)/ruff check
	$(TEST) -m "not slow" --failed-first -x tests

slow: $(INSTALLED)  ## the slow tests alone
	$(TEST) -m slow

look: $(INSTALLED)  ## render every page to PNG, to be looked at
	$(BIN)/python .ci/look.py

bench: $(INSTALLED)  ## every benchmark, benchmarks/*/bench_*.py; one alone: make bench ONLY=journal
	@set -e; for script in benchmarks/*/bench_*$(ONLY)*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

clean:  ## remove the virtual environment and every cache (recorded runs in .unstuck stay)
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml constraints.txt
	@python=$$(PYTHON="$(PYTHON)" sh .ci/find-python) || exit 1; \
	$(BIN)/python -c "import pip" 2>/dev/null || { rm -rf $(VENV) && "$$python" -m venv $(VENV); }
	@echo "Installing into $(VENV) (the first time takes a few minutes)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[lab,dev]"
	@touch $@
