# Everything sets itself up from a bare Python 3.11 or newer: see scripts/bootstrap.py.
SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
TOOLCHAIN := $(VENV)/.stamp-toolchain
CDK := $(VENV)/cdk/node_modules/.bin/cdk
DEPS_LAYER := layers/deps/python
# The functions run on this Python, on arm64; infra/ says the same.
LAMBDA_PYTHON := 3.13
LAMBDA_PLATFORM := aarch64-manylinux2014
STAGE ?= dev

export PATH := $(CURDIR)/$(BIN):$(PATH)
export JSII_NODE := $(CURDIR)/$(BIN)/node

.PHONY: help demo up test test-all bench lint synth deploy deps-layer lock clean browser

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(TOOLCHAIN) browser ## Serve the example shop, test it in the local system, show the report
	@$(BIN)/wainwright demo $(ARGS)

up: $(TOOLCHAIN) browser ## Start the local system on http://127.0.0.1:8787; Ctrl-C ends it
	@$(BIN)/wainwright up $(ARGS)

test: lint browser ## Check the code and run the tests, except the thorough ones; ARGS="-k name" goes to pytest
	@$(BIN)/python -m pytest -n auto --dist loadfile --max-worker-restart=0 -m "not thorough" $(ARGS)

test-all: lint browser ## The same with the thorough tests: about ten minutes more
	@$(BIN)/python -m pytest -n auto --dist loadfile --max-worker-restart=0 $(ARGS)

bench: $(TOOLCHAIN) browser ## Run the benchmarks and compare them with their budgets
	@$(BIN)/python -m benchmarks $(ARGS)

lint: $(TOOLCHAIN) ## Check style, types and the direction of imports
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo

synth: $(TOOLCHAIN) deps-layer ## Write the CloudFormation templates to cdk.out; STAGE=dev|prod
	@WAINWRIGHT_STAGE=$(STAGE) CDK_OUTDIR=cdk.out $(BIN)/python app.py
	@echo "==> cdk.out holds the templates of stage $(STAGE)" >&2

deploy: $(TOOLCHAIN) deps-layer $(CDK) ## Deploy to the AWS account of your credentials; STAGE=dev|prod
	@WAINWRIGHT_STAGE=$(STAGE) $(CDK) deploy --all $(ARGS)

deps-layer: $(DEPS_LAYER) ## Build the functions' third-party layer for arm64, without Docker

lock: $(TOOLCHAIN) ## Pin the newest dependencies that pyproject.toml allows
	@sh scripts/lock.sh

clean: ## Remove .venv and all build output; jobs and reports in .wainwright are kept
	@rm -rf $(VENV) $(DEPS_LAYER) cdk.out build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache \
		.hypothesis .schemathesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ------------------------------------------------------------------------------------------------------ prerequisites
$(TOOLCHAIN): pyproject.toml requirements/bootstrap.txt requirements/dev.txt scripts/bootstrap.sh \
		scripts/bootstrap.py
	@sh scripts/bootstrap.sh

browser: $(TOOLCHAIN)
	@$(BIN)/python -m scripts.ensure_browser

$(DEPS_LAYER): requirements/lambda.txt | $(TOOLCHAIN)
	@echo "==> building the third-party layer for arm64" >&2
	@rm -rf $@
	@$(BIN)/python -m scripts.uv pip install --quiet --require-hashes --only-binary :all: --python-platform $(LAMBDA_PLATFORM) \
		--python-version $(LAMBDA_PYTHON) --target $@ -r requirements/lambda.txt
	@touch $@

$(CDK): requirements/cdk/package.json requirements/cdk/package-lock.json | $(TOOLCHAIN)
	@echo "==> installing the CDK command line" >&2
	@mkdir -p $(VENV)/cdk && cp requirements/cdk/*.json $(VENV)/cdk
	@cd $(VENV)/cdk && npm ci --silent --no-audit --no-fund
	@touch $@
