# `make demo` and `make test` set everything up by themselves, in .venv.
# Tests run in JOBS processes, a file at a time (its fixtures are made once), in the order of the folders: what takes
# longest does not come last.
# PYTHON chooses the interpreter (3.11 or 3.12; the first one found), PIP_ARGS passes options to pip: with the one
# for PyTorch's CPU index the CUDA libraries are left out on a machine without a GPU.

PYTHON ?= $(shell for p in python3 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null && echo $$p && break; done)
PIP_ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OUT ?= demo-out
JOBS ?= 2
BENCH ?= --seconds 10

.PHONY: help demo test check bench setup clean

help:
	@echo "make demo    the whole main job on the bundled presenter, into $(OUT)/"
	@echo "make test    style, types and the whole test suite, in $(JOBS) processes (option: JOBS=N, each about 2 GB)"
	@echo "make check   style and types only"
	@echo "make bench   speed and memory on this machine, into runs/bench/ (options: BENCH=\"$(BENCH)\")"
	@echo "make setup   install into $(VENV) and nothing else"

setup: $(READY)

$(READY): pyproject.toml constraints.txt .ci/system-packages
	@test -n "$(PYTHON)" || \
	  { echo "lipwright needs Python 3.11 or 3.12; name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 1; }
	@PYTHON=$(PYTHON) .ci/system-packages
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,train,export]' -c constraints.txt $(PIP_ARGS)
	@touch $@

demo: $(READY)
	$(BIN)/lipwright demo -o $(OUT)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

bench: $(READY)
	$(BIN)/python benchmarks/suite.py $(BENCH) --json runs/bench/suite.json --plot runs/bench/suite.png

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build dist
