# Everything runs in .venv, from the pinned versions of constraints.txt. `make help` lists the targets.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo explore test lint bench clean

help: ## Show the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

demo: .venv/explorer ## Search, choose and export on the breast-cancer data; two minutes
	$(BIN)/python examples/demo.py

explore: .venv/explorer ## Open the explorer on the demo's store (make explore STORE=my.db for another)
	$(BIN)/moopt explore $(or $(STORE),demo/breast_cancer.db)

test: .venv/dev ## Run all tests
	$(BIN)/python -m pytest

lint: .venv/dev ## Check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	@mkdir -p .venv/types && ln -sfn ../../explorer .venv/types/moopt_explorer
	MYPYPATH=.venv/types $(BIN)/mypy -p moopt -p moopt_explorer

bench: .venv/bench ## Run the benchmarks; they print JSON lines
	@for program in overhead durable workers imports; do $(BIN)/python tests/benchmarks/$$program.py; done

clean: ## Remove .venv and the demo's results
	rm -rf .venv demo

.venv/bin/python:
	@$(PYTHON) -c 'import sys; ok = (3, 11) <= sys.version_info[:2] <= (3, 13); \
	  sys.exit(None if ok else "python3 is %d.%d; moopt needs 3.11 to 3.13: run make PYTHON=python3.11" % sys.version_info[:2])'
	$(PYTHON) -m venv .venv

.venv/explorer: .venv/bin/python pyproject.toml constraints.txt
	$(INSTALL) --editable '.[explorer]'
	@touch $@

.venv/dev: .venv/bin/python pyproject.toml constraints.txt
	$(INSTALL) --editable '.[explorer,dev]'
	@touch $@ .venv/explorer

.venv/bench: .venv/bin/python pyproject.toml constraints.txt
	$(INSTALL) --editable '.[explorer,dev,bench]'
	@touch $@ .venv/dev .venv/explorer
