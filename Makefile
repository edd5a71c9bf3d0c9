# Every recipe sets itself up: it needs Python 3.11 or later with venv, make, and nothing else.
# Another Python: make test PYTHON=python3.12

ifndef PYTHON
PYTHON := $(firstword $(foreach python,python3.11 python3 python3.12 python3.13,\
    $(shell $(python) -c 'import sys; print("$(python)" if sys.version_info >= (3, 11) else "")' 2>/dev/null)))
endif

VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
LOCK := requirements/lock.txt
VENV := .venv-$(VERSION)
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
UV := .venv-uv/bin/uv
COMPILE := $(UV) pip compile pyproject.toml --quiet --universal --python-version 3.11 \
    --generate-hashes --no-header --no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.PHONY: help example test test-lowest lint docs links checked benchmarks lock clean python

help: ## list the recipes
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

example: $(VENV)/ready ## run the worked examples: exercise for back pain, and how many respond
	$(BIN)/python examples/back_pain.py
	$(BIN)/python examples/responders.py

test: $(VENV)/ready ## run the tests, the doctests and the examples in the documentation
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

test-lowest: ## run the tests on the oldest packages allowed, on Python 3.11
	@test "$(VERSION)" = 3.11 || { echo "requirements/lowest.txt is for Python 3.11: make test-lowest PYTHON=python3.11" >&2; exit 1; }
	@$(MAKE) --no-print-directory test VENV=.venv-lowest LOCK=requirements/lowest.txt

lint: $(VENV)/ready ## check style, formatting and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: $(VENV)/ready ## build the documentation into docs/_build, a warning is an error; open each page in Chromium
	rm -rf docs/_build
	$(BIN)/sphinx-build --fail-on-warning --keep-going --fresh-env --quiet docs docs/_build
	$(BIN)/python -m pytest --numprocesses auto --quiet docs/test_site.py
	@echo "Built: open docs/_build/index.html"

links: $(VENV)/ready ## ask for every address outside that the documentation names; needs a network
	$(BIN)/sphinx-build -b linkcheck --keep-going --quiet docs docs/_build/links

checked: $(VENV)/ready ## write docs/checked.csv anew from tests/literature; read its diff
	$(BIN)/python -m pytest tests/literature --quiet --write-checked

benchmarks: $(VENV)/ready ## time the library
	@set -e; for script in $$(grep -l __main__ benchmarks/*.py); do echo "== $$script"; $(BIN)/python $$script; done

lock: $(UV) ## pin every package anew, as little changed as possible; newest: make lock UPGRADE=--upgrade
	$(COMPILE) $(UPGRADE) --group build --group test --group samplers --group clusters --group lint --group docs \
	    --group notebooks --group browser -o requirements/lock.txt
	$(COMPILE) --upgrade --resolution lowest-direct --group build --group test --group clusters --group notebooks -o requirements/lowest.txt

clean: ## remove all that these recipes made
	rm -rf .venv-* docs/_build docs/_figures docs/checked docs/jupyter_execute docs/notebooks .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests examples benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment: made anew when the lock changes, the project itself whenever pyproject.toml does.

$(VENV)/locked: $(LOCK) | python
	@echo "Installing the packages of $(LOCK) into $(VENV): a minute or two, once."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install -qq --require-hashes -r $(LOCK)
	@touch $@

$(VENV)/ready: $(VENV)/locked pyproject.toml
	@$(PIP) install -qq --no-deps --no-build-isolation -e .
	@$(PIP) check
	@touch $@

$(UV): | python
	@$(PYTHON) -m venv --clear .venv-uv
	@.venv-uv/bin/pip install -qq --disable-pip-version-check uv==0.13.9

python:
	@test -n "$(VERSION)" || { echo "No Python 3.11 or later was found$(if $(PYTHON),: $(PYTHON) does not run). \
	On Debian 12: apt install make python3-venv git. Elsewhere: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "$(PYTHON) is Python $(VERSION); nma needs 3.11 or later. Choose another: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	{ echo "$(PYTHON) cannot make a virtual environment. On Debian 12: apt install python3-venv" >&2; exit 1; }
