# From a clone to a paper. `make help` says what there is.
PROFILE  ?= smoke
PYTHON   ?= python3
NOTEBOOK ?=
SET      ?=
FORCE    ?=
WORKERS  ?= 2
VENV     := .venv
BIN      := $(VENV)/bin
# by the name of this folder: a .venv that was copied or moved with its clone still runs the first folder's library
STAMP    := $(VENV)/.installed-$(shell pwd -P | cksum | cut -d' ' -f1)
RUN       = $(BIN)/python -m paperlib.cli
BOOKS     = notebooks/*.ipynb
# threads that spin while they wait take the core from the work that they wait for; read when torch is loaded
export OMP_WAIT_POLICY ?= PASSIVE

.DEFAULT_GOAL := help
.PHONY: help reproduce verify test publish figures lab status pdf clean install strip lint modules

help:  ## this list
	@echo "make TARGET [PROFILE=smoke|laptop|paper] [NOTEBOOK=stem] [SET='name=value'] [FORCE=1]"
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  %-10s %s\n", $$1, $$2}'

install: $(STAMP)  ## .venv with the pinned environment

$(STAMP): pyproject.toml constraints.txt tools/check_host.sh tools/adopt_environment.py
	@sh tools/check_host.sh $(PYTHON)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python tools/adopt_environment.py $(VENV)
	@echo "installing the pinned environment into $(VENV) (a few minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test]" || { \
		echo "error: pip could not install the environment (its own message is above). No network: connect once, or set" >&2; \
		echo "PIP_INDEX_URL or PIP_FIND_LINKS to a mirror. 'gcc' or 'Python.h' not found: apt-get install build-essential python3-dev" >&2; \
		exit 1; }
	@touch $@

reproduce: $(STAMP)  ## run what is not fresh: notebooks, figures, tables, numbers
	@$(RUN) reproduce --profile $(PROFILE) $(if $(NOTEBOOK),--notebook $(NOTEBOOK)) $(if $(FORCE),--force) $(if $(SET),--set $(SET))

verify: $(STAMP)  ## make cheap stages and every analysis of PROFILE again and compare
	@$(RUN) verify --profile $(PROFILE) $(if $(NOTEBOOK),--notebook $(NOTEBOOK))

# by module: what a module's tests share, the run of the smoke profile above all, is made once; that module comes first
test: $(STAMP)  ## the tests, in WORKERS processes
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder --durations=20 $(TESTS)

publish: $(STAMP)  ## make a complete run of PROFILE the paper's results
	@$(RUN) publish --profile $(PROFILE)

figures: $(STAMP)  ## published figures and tables again, from data/results alone
	@$(RUN) figures

lab: $(STAMP)  ## JupyterLab on the notebooks
	@$(BIN)/python -m jupyterlab notebooks

status: $(STAMP)  ## fresh, stale because of what, or missing
	@$(RUN) status --profile $(PROFILE)

pdf: $(STAMP)  ## the manuscript, where TeX is installed
	@$(RUN) pdf

strip: $(STAMP)  ## outputs and run metadata out of the notebooks
	@$(BIN)/python -m nbstripout --keep-id --drop-empty-cells --extra-keys "metadata.papermill cell.metadata.papermill metadata.language_info.version" $(BOOKS)

lint: $(STAMP)  ## style and types of library, tests, tools and notebooks
	@$(BIN)/python -m ruff check src tests tools
	@$(BIN)/python -m ruff format --check src tests tools
	@$(BIN)/python -m ruff check --config line-length=110 --ignore B905 $(BOOKS)
	@$(BIN)/python -m mypy

modules: $(STAMP)  ## the page with one sentence per module
	@$(BIN)/python tools/list_modules.py

clean:  ## remove everything that runs have written (published results stay)
	rm -rf data/work build
