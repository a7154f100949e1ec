# `make demo` and `make test` set everything up by themselves, in .venv.
# PYTHON chooses the interpreter (3.11 or 3.12), PIP_ARGS passes options to pip, for example
#   make demo PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"
# to leave out the CUDA libraries on a machine without a GPU.

PYTHON ?= python3
PIP_ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OUT ?= demo-out
BENCH ?= media prepare speak

.PHONY: help demo test check bench setup clean

help:
	@echo "make demo    the whole main job on the bundled presenter, into $(OUT)/"
	@echo "make test    style, types and the whole test suite"
	@echo "make check   style and types only"
	@echo "make bench   speed and memory on this machine ($(BENCH))"
	@echo "make setup   install into $(VENV) and nothing else"

setup: $(READY)

$(READY): pyproject.toml constraints.txt .ci/system-packages
	@.ci/system-packages
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' || \
	  { echo "lipwright needs Python 3.11 or 3.12; name one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,train]' -c constraints.txt $(PIP_ARGS)
	@touch $@

demo: $(READY)
	$(BIN)/lipwright demo -o $(OUT)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest

bench: $(READY)
	@mkdir -p runs/bench
	@set -e; for name in $(BENCH); do echo "== $$name"; $(BIN)/lipwright bench $$name --json runs/bench/$$name.json; done

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build dist
