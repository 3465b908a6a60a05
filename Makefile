# tools/machine installs what a machine needs, and keeps what already exists.

## PYTHON  the Python, 3.11 or newer, that creates .venv
PYTHON ?= python3
## ARGS    more arguments for deployer (up, down), pytest (test, test-fast), bench, soak (--kills, --seed), pictures (views)
ARGS ?=
## WORKERS number of parallel test processes (test, test-fast)
WORKERS ?=

MACHINE := $(PYTHON) -m tools.machine
BIN := .venv/bin
# tests/support/order.py puts the tests in order and in groups.
PYTEST = $(BIN)/pytest --no-loadscope-reorder -n $(or $(WORKERS),$(1))
CORES := $(shell getconf _NPROCESSORS_ONLN)
# With an engine, most tests wait for it most of the time.
TWICE := $(shell echo $$(($(CORES) < 4 ? 2 * $(CORES) : 8)))
SCRIPTS = $(shell find templates tools -name '*.sh')
PAGE_TESTS = $(wildcard tests/page/*.js tests/page/*.mjs)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help environment development up down check page test test-fast golden docs bench soak pictures wheel lock clean

help: ## List the targets (the default of `make`)
	@echo 'Targets:'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@echo 'Variables, as in `make up ARGS="--port 5001"`:'
	@awk '/^## / { sub("## ", ""); print "  " $$0 }' Makefile

environment: ## Create or update .venv with what deployer needs
	@$(MACHINE) environment

up: environment ## Start the registry and its web page; installs an engine if none responds
	@$(MACHINE) engine
	@$(BIN)/deployer up --install $(ARGS)

down: environment ## Stop the registry and keep its images
	@$(BIN)/deployer down $(ARGS)

test: development check page ## Check everything: style, types, and all tests, with a real engine and browser
	@$(MACHINE) browser
	@$(MACHINE) busybox
	@$(MACHINE) clients
	@$(MACHINE) run -- $(call PYTEST,$(TWICE)) $(ARGS)

test-fast: development page ## Run tests/unit and the page's tests, in a minute or two, without an engine
	@$(call PYTEST,$(CORES)) tests/unit $(ARGS)

check: development ## Check style, spelling and types, of Python, shell and JavaScript
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/shellcheck .ci/run $(SCRIPTS)
	$(BIN)/codespell
	@$(MACHINE) typescript
	.build/node/node_modules/.bin/tsc --project tests/page

golden: development ## Update tests/golden from the templates; look at the difference before you commit
	@UPDATE_GOLDEN=1 $(BIN)/pytest -q tests/unit/rendering/test_deployment.py

docs: development ## Write docs/reference/cli.md and settings.md from the commands and settings
	@$(BIN)/python -m tools.reference

bench: development ## Measure against plain Docker, Compose, crane and nginx
	@$(MACHINE) wrk
	@$(MACHINE) browser
	@$(MACHINE) run -- $(BIN)/python -m benchmarks $(ARGS)

soak: development ## Kill commands, services and an engine a thousand times while images are pushed; nothing may be lost
	@$(MACHINE) run -- $(BIN)/python -m tests.soak $(ARGS)

pictures: development ## Take the README's pictures, and one of every view into .build/pictures
	@$(MACHINE) browser
	@$(MACHINE) run -- $(BIN)/python -m tests.support.pictures $(ARGS)

wheel: development ## Build the wheel into dist/
	@$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	@ls dist/*.whl

lock: ## Update constraints.txt to the newest versions
	@$(MACHINE) lock

clean: ## Remove .venv, dist/ and every cache; a running registry is kept
	rm -rf .venv dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name .git -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +

development:
	@$(MACHINE) environment --dev

page:
ifneq ($(PAGE_TESTS),)
	@$(MACHINE) node
	node --test $(PAGE_TESTS)
endif
