# The two commands of the README, and what they rest on. `make` alone shows this list.
PYTHON ?= python3
ARGS ?=
VENV := .venv
READY := $(VENV)/.ready
TRAIN_READY := $(VENV)/.train-ready
PAGES := dashboards/dist/clerk.html
PAGES_FROM := $(shell find dashboards/src dashboards/public dashboards/*.html dashboards/*.json dashboards/*.ts -type f 2>/dev/null) scripts/pages

.PHONY: help setup setup-train pages demo test check lock clean

help: ## show what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

setup: $(READY) ## a virtual environment in .venv with all that demo and tests need, and the pages
	@$(MAKE) --no-print-directory $(PAGES) || \
		echo "The pages are not built (see above): all else works, and make pages tries again" >&2

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "storepulse needs Python 3.11 or newer; say which: make PYTHON=python3.11 setup" >&2; exit 2; }
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV), a few minutes the first time"
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[edge,hub,probes,dev]'
	@touch $@

pages: $(PAGES) ## the pages that hub and node serve, into dashboards/dist

$(PAGES): $(READY) $(PAGES_FROM)
	@echo "Building the pages"
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" scripts/pages
	@touch $@

setup-train: $(TRAIN_READY) ## what `storepulse vision train` needs on top (torch, ultralytics)

$(TRAIN_READY): $(READY)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[train]'
	@touch $@

demo: setup ## the whole loop on this machine; ARGS="--once --json --photo P --capture C"
	@$(VENV)/bin/storepulse demo $(ARGS)

check: setup ## style, types, who imports whom
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" scripts/check

test: check ## check, then every test; ARGS goes to pytest
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" scripts/test $(ARGS)

lock: ## write constraints.txt from what is installed now
	@{ head -1 constraints.txt; $(VENV)/bin/pip freeze --exclude-editable | sed 's/+cpu$$//'; } > constraints.new && mv constraints.new constraints.txt

clean: ## remove what make has built
	rm -rf $(VENV) build dist dashboards/dist dashboards/node_modules ./*.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
