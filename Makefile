# One word a chore, the same in CI. Needs Python 3.11 or newer, pip and git; everything else goes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out/demo

.PHONY: demo test lint format type unit bench affinities clean

demo: $(VENV)/taxsolver.done ## plan taxonomies from the published affinities and draw them
	$(PYTHON) -c "import pathlib; pathlib.Path('$(OUT)').mkdir(parents=True, exist_ok=True)"
	BIN=$(BIN) OUT=$(OUT) sh cli/demo.sh

test: lint type unit ## everything CI runs

lint: $(VENV)/all.done ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/all.done ## put the code into the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

type: $(VENV)/all.done ## mypy
	$(BIN)/mypy

unit: $(VENV)/all.done ## pytest without the slow tests and those that need a GPU or a package index
	$(BIN)/python -m pytest

bench: $(VENV)/bench.done ## tables of speed, as ratios in one run
	$(BIN)/python -m benchmarks.taxsolver_sweep
	$(BIN)/python -m benchmarks.taxsolver_growth
	$(BIN)/python -m benchmarks.taxsolver_start

affinities: $(VENV)/all.done ## make the shipped tensors from the published figures again
	$(BIN)/python -m training.published_affinities

clean:
	rm -rf $(VENV) out

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/taxsolver.done: $(VENV)/bin/python taxsolver/pyproject.toml
	$(BIN)/python -m pip install --quiet --editable './taxsolver[plot]'
	touch $@

$(VENV)/all.done: $(VENV)/bin/python pyproject.toml taxsolver/pyproject.toml
	$(BIN)/python -m pip install --quiet --editable './taxsolver[plot]' --editable '.[dev]'
	touch $@ $(VENV)/taxsolver.done

$(VENV)/bench.done: $(VENV)/taxsolver.done
	$(BIN)/python -m pip install --quiet 'ortools>=9.10'
	touch $@
