# Two commands do everything on a machine with Python >= 3.11 and make:
#   make demo     the product at work on the files of this machine (EXIT=1 ends by itself)
#   make test     what a change must pass
# Every target installs what it needs, in exact versions, into .venv; a second run finds it there.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
LIGHT := $(VENV)/light
UV := $(BIN)/uv
# The system's certificates, so that a company's own package mirror is trusted as pip trusts it.
export UV_SYSTEM_CERTS := 1
export UV_NO_PROGRESS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

SOURCES := schema instrumentation collector attribution ui
SELECTS := $(wildcard attribution/tollbook_attribution/steps attribution/tollbook_attribution/work attribution/tollbook_attribution/bills/formats */*/queries */*/*/queries)
PYTEST_ARGS ?=
# A database per worker and a file per worker at a time; half a GB each.
PYTEST = $(BIN)/pytest -q -rs -n logical --maxprocesses 4 --dist loadfile $(PYTEST_ARGS)

# $(call install,VENV,REQUIREMENTS): exact versions and hashes; pip where uv cannot reach a package index that pip is set up for.
install = $(UV) pip install --quiet --python $(1)/bin/python --require-hashes -r $(2) || \
	$(1)/bin/python -m pip install --quiet --require-hashes -r $(2)
editable = $(UV) pip install --quiet --python $(1)/bin/python --no-deps --no-build-isolation --offline -e .

.DEFAULT_GOAL := help
.PHONY: help demo test check light fmt bench soak generate lock clean browser

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## Itemize a real workload of this machine; EXIT=1 ends when it has printed
	@$(BIN)/tollbook demo $(if $(EXIT),--exit)

test: check browser ## Everything a change must pass: check, every test, those that use the store on a server too
	$(PYTEST)
	$(PYTEST) --store server -m "not slow"

check: $(VENV)/.dev light ## Style, types, layers, SQL, generated files, the light install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(if $(SELECTS),$(BIN)/sqlfluff lint --disable-progress-bar $(SELECTS))
	$(BIN)/python -m tollbook_schema.generate --check

light: $(VENV)/.light ## Plain `tollbook` alone: imports, works, and brings nothing heavy
	@rm -rf $(LIGHT)/wheel
	@$(UV) build --quiet --wheel --offline --no-build-isolation --python $(BIN)/python --out-dir $(LIGHT)/wheel .
	@$(UV) pip install --quiet --python $(LIGHT)/bin/python --no-deps --offline --reinstall $(LIGHT)/wheel/*.whl
	@cd $(LIGHT) && bin/python -W error $(CURDIR)/tests/house/light.py

fmt: $(VENV)/.dev ## Format Python
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only .

bench: $(VENV)/.dev ## Measure against rotel, Phoenix and MLflow; prints the table (SUSTAINED=1 adds five minutes of load)
	@$(BIN)/python -m benchmarks $(if $(SUSTAINED),--sustained) $(BENCH_ARGS)

soak: $(VENV)/.dev ## Every fault at full size, a line and a figure for each, and the laws on large input; FAULTS=R1,R9 picks some
	$(BIN)/pytest -q -rs -p no:xdist -m "fault or long" --soak --faults=$(FAULTS) $(PYTEST_ARGS)

generate: $(VENV)/.dev ## Write what follows from the registry: constants, columns, ingest SQL, the vocabulary page
	$(BIN)/python -m tollbook_schema.generate

lock: $(VENV)/.uv ## Resolve requirements/*.txt again; UPGRADE=1 takes the newest
	@for extra in build:--group=build light: dashboard:--extra=dashboard all:--extra=all dev:--extra=all,--group=dev; do \
	  $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate $(if $(UPGRADE),--upgrade) \
	    --custom-compile-command "make lock" -o requirements/$${extra%%:*}.txt \
	    $$(test $${extra%%:*} = build || echo pyproject.toml) $$(echo $${extra#*:} | tr , ' ') > /dev/null || exit 1; \
	done
	@for peer in rotel:rotel phoenix:arize-phoenix mlflow:mlflow openlit:openlit traceloop:traceloop-sdk,httpx,setuptools logfire:logfire \
	    langfuse:langfuse phoenix_otel:arize-phoenix-otel \
	    mlflow_tracing:mlflow-tracing,opentelemetry-exporter-otlp-proto-http,sqlparse,pandas,pyyaml,requests; do \
	  echo "$${peer#*:}" | tr , '\n' | $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate $(if $(UPGRADE),--upgrade) \
	    --custom-compile-command "make lock" -o benchmarks/requirements/$${peer%%:*}.txt - > /dev/null || exit 1; \
	done

browser: $(VENV)/.dev
	@$(BIN)/python tests/house/browser.py

clean: ## Remove the environment and everything that was built
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(SOURCES) tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Tollbook needs Python 3.11 or newer; $(PYTHON) is: $$($(PYTHON) --version 2>&1). Name one: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "Python cannot make an environment. On Debian and Ubuntu: apt-get install python3-venv"; rm -rf $(VENV); exit 1; }
	@touch $@

$(VENV)/.uv: requirements/build.txt | $(VENV)/.python
	@echo "Preparing $(VENV)"
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/build.txt
	@touch $@

$(VENV)/.demo: requirements/all.txt pyproject.toml | $(VENV)/.uv
	@echo "Installing Tollbook and what it runs on (about 1.5 GB, once)"
	@$(call install,$(VENV),requirements/all.txt)
	@$(call editable,$(VENV))
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(VENV)/.uv
	@echo "Installing Tollbook and what it is developed with (about 1.7 GB, once)"
	@$(call install,$(VENV),requirements/dev.txt)
	@$(call editable,$(VENV))
	@touch $@ $(VENV)/.demo

$(VENV)/.light: requirements/light.txt | $(VENV)/.uv
	@rm -rf $(LIGHT) && $(PYTHON) -m venv $(LIGHT)
	@$(call install,$(LIGHT),requirements/light.txt)
	@touch $@
