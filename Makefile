# The two commands of a fresh machine: `make run` and `make test`. Both set everything up by themselves.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.stylescope-ready
CHECKS := $(VENV)/.stylescope-checks-ready
APP_REQUIREMENTS := requirements.txt requirements-text.txt requirements-faces.txt

.PHONY: setup run test check tour bench clean

# what the app needs; the checks need more: $(CHECKS)
setup: $(STAMP)

$(STAMP): $(APP_REQUIREMENTS) .ci/system-packages
	@sh .ci/system-packages
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "StyleScope needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-text.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-faces.txt
	@touch $@

$(CHECKS): $(STAMP) requirements-dev.txt requirements-kernels.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $(VENV)/kernels \
		-r requirements-kernels.txt
	@touch $@

run: setup
	@sh .ci/run-app $(BIN)/python

test: check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile  # two processes of one thread: they share two cores

check: $(CHECKS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup
	$(BIN)/python main.py bench

clean:
	rm -rf $(VENV) out .mypy_cache .pytest_cache .ruff_cache
