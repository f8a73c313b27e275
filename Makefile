# From a clone to a paper. `make help` says what there is.
PROFILE  ?= smoke
PYTHON   ?= python3
NOTEBOOK ?=
SET      ?=
FORCE    ?=
VENV     := .venv
BIN      := $(VENV)/bin
STAMP    := $(VENV)/.installed
RUN       = $(BIN)/python -m paperlib.cli

.DEFAULT_GOAL := help
.PHONY: help reproduce test publish figures lab status pdf clean install strip lint

help:  ## this list
	@echo "make TARGET [PROFILE=smoke|laptop|paper] [NOTEBOOK=stem] [SET='name=value'] [FORCE=1]"
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  %-10s %s\n", $$1, $$2}'

install: $(STAMP)  ## .venv with the pinned environment

$(STAMP): pyproject.toml constraints.txt tools/check_host.sh
	@sh tools/check_host.sh $(PYTHON)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the pinned environment into $(VENV) (a few minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test]" || { \
		echo "error: pip could not install the environment (its own message is above). No network: connect once, or set" >&2; \
		echo "PIP_INDEX_URL or PIP_FIND_LINKS to a mirror. 'gcc' or 'Python.h' not found: apt-get install build-essential python3-dev" >&2; \
		exit 1; }
	@touch $@

reproduce: $(STAMP)  ## run what is not fresh: notebooks, figures, tables, numbers
	@$(RUN) reproduce --profile $(PROFILE) $(if $(NOTEBOOK),--notebook $(NOTEBOOK)) $(if $(FORCE),--force) $(if $(SET),--set $(SET))

test: $(STAMP)  ## the tests
	@$(BIN)/python -m pytest $(TESTS)

publish: $(STAMP)  ## make a complete run of PROFILE the paper's results
	@$(RUN) publish --profile $(PROFILE)

figures: $(STAMP)  ## published figures and tables again, from data/results alone
	@$(RUN) figures

lab: $(STAMP)  ## JupyterLab on the notebooks
	@$(BIN)/jupyter lab notebooks

status: $(STAMP)  ## fresh, stale because of what, or missing
	@$(RUN) status --profile $(PROFILE)

pdf: $(STAMP)  ## the manuscript, where TeX is installed
	@$(RUN) pdf

strip: $(STAMP)  ## outputs and run metadata out of the notebooks
	@$(BIN)/nbstripout --keep-id --drop-empty-cells --extra-keys "metadata.papermill cell.metadata.papermill metadata.language_info.version" notebooks/*.ipynb

lint: $(STAMP)  ## ruff on library, tests and tools
	@$(BIN)/ruff check src tests tools && $(BIN)/ruff format --check src tests tools

clean:  ## remove everything that runs have written (published results stay)
	rm -rf data/work build
