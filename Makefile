PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
NODE_MODULES := tests/conformance/node/node_modules/.package-lock.json
ORG ?= local

.DEFAULT_GOAL := help
.PHONY: help install generate check fix test test-wheel demo record bench soak docs build lock clean

help: ## Print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Make the virtual environment .venv with all that the targets need

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

generate: $(INSTALLED) ## Generate the client from specs/ (API_VERSION=69.0 bumps it, WSDL=path takes your partner WSDL)
	$(BIN)/python -m codegen $(if $(API_VERSION),--api-version $(API_VERSION)) $(if $(WSDL),--wsdl "$(WSDL)")

check: $(INSTALLED) ## Format, lint, types, generated code in step, import direction
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy tests/typing
	$(BIN)/python -m codegen --check
	$(BIN)/lint-imports

fix: $(INSTALLED) ## Format and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: $(INSTALLED) $(if $(shell command -v npm),$(NODE_MODULES)) ## Run all tests (the ones with Node's clients skip without Node)
	$(BIN)/pytest -n auto

$(NODE_MODULES): tests/conformance/node/package-lock.json
	cd tests/conformance/node && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

test-wheel: build ## Run the tests against the built wheel in an environment of its own
	BIN=$(abspath $(BIN)) sh tests/wheel.sh dist/sfconnector-*.whl

demo: $(INSTALLED) ## See it work, end to end, on a Salesforce org of its own
	$(BIN)/python docs/demo.py

record: $(INSTALLED) ## Record the integration tests anew (ORG=local, or an alias of the Salesforce CLI)
	SFCONNECTOR_ORG=$(ORG) $(BIN)/pytest tests/integration --record-mode=rewrite

bench: $(INSTALLED) ## Measure ours beside the peers and the floor
	$(BIN)/python -m tests.benchmarks

soak: $(INSTALLED) ## Kill a listener 200 times while events flow and the org fails in every way (under ten minutes)
	$(BIN)/python -m tests.soak

docs: $(INSTALLED) ## Build the user guide into site/
	$(BIN)/sphinx-build -W --keep-going -q docs site
	@echo "The guide is in site/index.html"

build: $(INSTALLED) ## Build the wheel and the source archive into dist/
	rm -rf dist
	$(BIN)/hatchling build

lock: ## Resolve requirements.lock anew (needs uv)
	uv pip compile --quiet pyproject.toml --group dev --extra testing --extra jwt --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links -o requirements.lock

clean: ## Remove all that the targets made
	rm -rf .venv dist build site tests/conformance/node/node_modules .pytest_cache .mypy_cache .ruff_cache \
		.import_linter_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
