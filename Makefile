# From a clone to a paper. `make help` says what there is.
PROFILE  ?= smoke
PYTHON   ?= python3
NOTEBOOK ?=
SET      ?=
FORCE    ?=
LAB      ?=
FROM     ?=
WEIGHTS  ?=
SOURCES  ?=
WORKERS  ?= 2
# another environment that is there already, such as VENV=$CONDA_PREFIX: used, and neither made nor removed
VENV     ?= .venv
# cpu or cuda; without a word the build that is installed stays, and a new environment has the CPU build
TORCH    ?=
# conda's own versions stay as they are, within the ranges of pyproject.toml
PINS     ?= $(if $(wildcard $(VENV)/conda-meta),,-c constraints.txt)
BIN      := $(VENV)/bin
# by the name of this folder: a .venv that was copied or moved with its clone still runs the first folder's library
STAMP    := $(VENV)/.installed-$(shell pwd -P | cksum | cut -d' ' -f1)
RUN       = $(BIN)/python -m paperlib.cli
BOOKS     = notebooks/*.ipynb
# git stores notebooks without what running them adds (.gitattributes); which program does it is a setting of this clone
FILTER    = if test -x $(BIN)/python; then $(BIN)/python tools/strip_notebooks.py; else cat; fi
SET_FILTER = test ! -e .git || git config filter.strip-notebooks.clean '$(FILTER)' || true
# past make and the shell as it was written, quotation marks, brackets and dollar signs included
export PAPERLIB_SET = $(value SET)
export PAPERLIB_FROM = $(value FROM)
export PAPERLIB_WEIGHTS = $(value WEIGHTS)
export PAPERLIB_SOURCES = $(value SOURCES)
# threads that spin while they wait take the core from the work that they wait for; read when torch is loaded
export OMP_WAIT_POLICY ?= PASSIVE

ifeq ($(strip $(VENV)),)
$(error VENV is empty: activate the environment first, or leave VENV out)
endif

.DEFAULT_GOAL := help
.PHONY: help reproduce verify test publish figures lab status read pdf clean install strip lint modules page

help:  ## this list
	@echo "make TARGET [PROFILE=smoke|laptop|paper] [NOTEBOOK=stem] [SET='name=value'] [FORCE=1]"
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  %-10s %s\n", $$1, $$2}'

install: $(STAMP)  ## .venv with the pinned environment, TORCH=cuda for the large build
	@$(if $(TORCH),$(BIN)/python tools/install_torch.py $(TORCH))

$(STAMP): pyproject.toml constraints.txt tools/check_host.sh tools/adopt_environment.py tools/install_torch.py
	@sh tools/check_host.sh $(if $(wildcard $(BIN)/python),$(BIN)/python existing,$(PYTHON))
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(if $(filter .venv,$(VENV)),$(BIN)/python tools/adopt_environment.py $(VENV))
	@echo "installing the pinned environment into $(VENV) (a few minutes the first time)"
	@$(BIN)/python tools/install_torch.py $(TORCH)
	@$(BIN)/python -m pip install --disable-pip-version-check $(PINS) -e ".[test]" || { \
		echo "error: pip could not install the environment (its own message is above). No network: connect once, or set" >&2; \
		echo "PIP_INDEX_URL or PIP_FIND_LINKS to a mirror. 'gcc' or 'Python.h' not found: apt-get install build-essential python3-dev" >&2; \
		exit 1; }
	@$(SET_FILTER)
	@touch $@

reproduce: $(STAMP)  ## run what is not fresh: notebooks, figures, tables, numbers
	@$(RUN) reproduce --profile $(PROFILE) $(if $(NOTEBOOK),--notebook $(NOTEBOOK)) $(if $(FORCE),--force) $(if $(value SET),--set "$$PAPERLIB_SET")

verify: $(STAMP)  ## make cheap stages and every analysis of PROFILE again and compare
	@$(RUN) verify --profile $(PROFILE) $(if $(NOTEBOOK),--notebook $(NOTEBOOK))

# by module: what a module's tests share, the run of the smoke profile above all, is made once; that module comes first
test: $(STAMP)  ## the tests, in WORKERS processes
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder --durations=20 $(TESTS)

publish: $(STAMP)  ## make a complete run of PROFILE, or NOTEBOOK of it, the paper's results
	@$(RUN) publish --profile $(PROFILE) $(if $(NOTEBOOK),--notebook $(NOTEBOOK))

figures: $(STAMP)  ## published figures and tables again, from data/results alone
	@$(RUN) figures

lab: $(STAMP)  ## JupyterLab, LAB='…' for its options
	@$(SET_FILTER)
	@$(BIN)/python -m jupyterlab --ServerApp.jpserver_extensions paperlib.lab.jupyter=True --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks/00_overview.ipynb $(LAB)

status: $(STAMP)  ## fresh, stale because of what, or missing
	@$(RUN) status --profile $(PROFILE)

read: $(STAMP)  ## what becomes of your own crystals, FROM=folder, archive or file
	@$(RUN) read "$$PAPERLIB_FROM"

pdf: $(STAMP)  ## the manuscript, where TeX is installed
	@$(RUN) pdf

page: $(STAMP)  ## build/page, a web page that asks the network in the browser; WEIGHTS=file, SOURCES=folder
	@$(BIN)/python tools/build_page.py --weights "$$PAPERLIB_WEIGHTS" --sources "$$PAPERLIB_SOURCES"

strip: $(STAMP)  ## outputs and run metadata out of the notebooks
	@$(BIN)/python tools/strip_notebooks.py $(BOOKS)

lint: $(STAMP)  ## style and types of library, tests, tools and notebooks
	@$(BIN)/python -m ruff check src tests tools
	@$(BIN)/python -m ruff format --check src tests tools
	@$(BIN)/python -m ruff check --config line-length=110 --ignore B905 $(BOOKS)
	@$(BIN)/python -m mypy

modules: $(STAMP)  ## the page with one sentence per module
	@$(BIN)/python tools/list_modules.py

clean:  ## remove everything that runs have written (published results stay)
	rm -rf data/work build
