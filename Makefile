# One word a chore, the same in CI. Needs Python 3.11 or newer, pip and git; everything else goes into .venv, in the
# versions of requirements.lock.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out/demo
LOCK := requirements.lock

.PHONY: demo smoke test lint format type docs unit bench affinities lock clean

demo: $(VENV)/all.done ## a photograph through every task, and taxonomies from the published affinities, drawn
	$(PYTHON) -c "import pathlib; pathlib.Path('$(OUT)').mkdir(parents=True, exist_ok=True)"
	BIN=$(BIN) OUT=$(OUT) sh cli/demo.sh

smoke: $(VENV)/all.done ## every stage of training, as small as they still run: frames to bank in two minutes
	OMP_NUM_THREADS=1 PYTHON=$(BIN)/python training/run_all.sh --preset smoke --out out/smoke --workers 2
	$(BIN)/python -m training check out/smoke/published/bank --faulty all
	$(BIN)/taskbank info out/smoke/published/bank
	$(BIN)/taxsolver --affinity out/smoke/published/affinity.safetensors --targets all --budget 8

test: lint type docs unit ## lint, types, the site and all quick tests, a whole run of training among them

lint: $(VENV)/all.done ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/all.done ## put the code into the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

type: $(VENV)/all.done ## mypy
	$(BIN)/mypy

docs: $(VENV)/all.done ## the site, into out/site; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict

# On a busy machine a page in a browser may be late: what failed is run once more, by itself.
unit: $(VENV)/all.done ## pytest without the slow tests and those that need a GPU or a package index
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder \
		|| OMP_NUM_THREADS=1 $(BIN)/python -m pytest --last-failed

bench: $(VENV)/all.done ## tables of speed, as ratios in one run
	$(BIN)/python -m benchmarks.taxsolver_sweep
	$(BIN)/python -m benchmarks.taxsolver_growth
	$(BIN)/python -m benchmarks.taxsolver_start
	$(BIN)/python -m benchmarks.taskbank_networks
	$(BIN)/python -m benchmarks.taskbank_photo
	$(BIN)/python -m benchmarks.taskbank_export
	$(BIN)/python -m benchmarks.rooms_frames
	$(BIN)/python -m benchmarks.task_networks
	$(BIN)/python -m benchmarks.stacked_transfers
	$(BIN)/python -m benchmarks.demo_planner
	$(BIN)/python -m benchmarks.demo

affinities: $(VENV)/all.done ## make the shipped tensors from the published figures again
	$(BIN)/python -m training.published_affinities

lock: $(VENV)/bin/python ## the newest releases that the bounds allow, with their hashes, into requirements.lock
	$(BIN)/python -m pip install --quiet 'uv>=0.9'
	UV_CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-annotate --all-extras --no-emit-package taxsolver --output-file $(LOCK) \
		pyproject.toml taxsolver/pyproject.toml

clean:
	rm -rf $(VENV) out

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# Both projects are built with the locked hatchling, so nothing that is not in the lock is fetched.
$(VENV)/all.done: $(VENV)/bin/python $(LOCK) pyproject.toml taxsolver/pyproject.toml
	$(BIN)/python -m pip install --quiet --require-hashes --requirement $(LOCK)
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable ./taxsolver --editable .
	touch $@
