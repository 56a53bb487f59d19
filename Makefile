# Copydesk. `make` alone lists what there is; nothing here asks a question.

PORT ?= 8000
TEST_DATABASE_URL ?= postgres://root@127.0.0.1:5432/test
TEST_CACHE_URL ?= redis://127.0.0.1:6379/9
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python
TESTED := DJANGO_SETTINGS_MODULE=tests.settings
AUDITS := $(VENV)/audits
SERVICES := TEST_DATABASE_URL="$(TEST_DATABASE_URL)" TEST_CACHE_URL="$(TEST_CACHE_URL)" CHROMIUM="$(CHROMIUM)" AUDITS="$(AUDITS)"
PRODUCTION := ENV_FILE=/dev/null DEBUG=off SECRET_KEY="$$($(RUN) -c 'import secrets; print(secrets.token_urlsafe(60))')" \
	ALLOWED_HOSTS=news.example SITE_URL=https://news.example DATABASE_URL=sqlite://:memory:

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test check lint types imports migrations templates deploy services test-services test-browser \
	bench audits format clean venv venv-run venv-dev

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: venv-run .env ## The demo site with its content and an editor's login, on 127.0.0.1 (PORT=8000)
	@$(RUN) manage.py migrate --verbosity 0
	@$(RUN) manage.py import_frontmatter fixtures/demo
	@echo
	@echo "  The site:   http://127.0.0.1:$(PORT)/"
	@echo "  The admin:  http://127.0.0.1:$(PORT)/admin/"
	@$(RUN) manage.py demo_login
	@echo
	@grep -q '^SITE_URL=' .env || export SITE_URL="http://127.0.0.1:$(PORT)"; \
		LOG_LEVEL=WARNING $(RUN) manage.py worker & worker=$$!; \
		$(RUN) manage.py runserver 127.0.0.1:$(PORT) & site=$$!; \
		trap 'kill $$worker $$site 2>/dev/null; wait' EXIT; trap exit INT TERM; wait $$site

test: venv-dev ## The tests, on SQLite
	env -u TEST_DATABASE_URL -u TEST_CACHE_URL $(RUN) -m pytest -n auto

check: venv-dev services lint types imports migrations templates deploy test-services test-browser ## Lint, types, templates …, and the tests on PostgreSQL, Redis and Chromium
	@echo "All checks passed."

lint: venv-dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

types: venv-dev
	$(RUN) -m mypy

imports: venv-dev
	PYTHONPATH=. $(BIN)/lint-imports

migrations: venv-dev
	$(TESTED) $(RUN) manage.py makemigrations --check --dry-run

templates: venv-dev # tests/test_project.py compiles each of them
	find . -path ./$(VENV) -prune -o -path '*/templates/*.html' -print0 | xargs -0r $(BIN)/djade --check

deploy: venv-dev
	$(PRODUCTION) $(RUN) manage.py check --deploy --fail-level WARNING

services: venv-dev
	$(SERVICES) $(RUN) -m tests.services

test-services: services
	$(SERVICES) $(RUN) -m pytest -n auto

test-browser: services audits
	$(SERVICES) $(RUN) -m pytest -m browser

audits: venv # Lighthouse, axe and the Nu HTML checker
	@cmp -s tests/audits/package.json $(AUDITS)/package.json || { \
		command -v npm >/dev/null || { echo "The checks of pages need Node.js with npm." >&2; exit 1; }; \
		echo "Installing what pages are checked with …"; \
		mkdir -p $(AUDITS) && \
		npm install --prefix $(AUDITS) --no-save --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error \
			$$($(RUN) -c 'import json; print(*(f"{n}@{v}" for n, v in json.load(open("tests/audits/package.json"))["dependencies"].items()))') && \
		cp tests/audits/package.json $(AUDITS)/package.json; \
	}

bench: venv-dev ## Every benchmark; ONLY="import" for some of them
	$(RUN) -m benchmarks $(ONLY)

format: venv-dev ## Put code and templates into shape
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .
	find . -path ./$(VENV) -prune -o -path '*/templates/*.html' -print0 | xargs -0r $(BIN)/djade || true # 1 means: it changed something

clean: ## Remove the environment and caches; var/ and .env stay
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- The virtual environment ------------------------------------------------------------------------

# Fit: starts, is new enough, has pip. Its scripts name this very folder, or else the project has been moved.
FIT := import sys; sys.exit(sys.version_info < (3, 11))
venv:
	@$(RUN) -c 'import pip; $(FIT)' 2>/dev/null && grep -qF "$(CURDIR)/$(VENV)/bin/python" $(BIN)/pip || { \
		for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python); do \
			"$$python" -c 'import ensurepip, venv; $(FIT)' 2>/dev/null && break; \
			python=; \
		done; \
		test -n "$$python" || { \
			echo "Copydesk needs Python 3.11 or newer with its venv module (Debian: apt-get install python3-venv)." >&2; \
			echo "If there is one that was not found: make PYTHON=/path/to/python …" >&2; \
			exit 1; \
		}; \
		echo "Making $(VENV) with $$python …"; \
		rm -rf $(VENV); \
		"$$python" -m venv $(VENV); \
	}

venv-run: venv
	$(call install,requirements.txt)

venv-dev: venv
	$(call install,requirements-dev.txt)

# Installs a requirements file unless what it holds is what was installed last time.
define install
@cat requirements*.txt | cmp -s - $(VENV)/installed-$(1) || { \
	echo "Installing $(1) …"; \
	$(RUN) -m pip install -qq --disable-pip-version-check -r $(1) && cat requirements*.txt > $(VENV)/installed-$(1); \
}
endef

.env: | venv
	@umask 077; { \
		echo "# Made by \`make run\` for a local demo on this machine. Never use it for a public site: docs/settings.md"; \
		echo "DEBUG=on"; \
		echo "SECRET_KEY=$$($(RUN) -c 'import secrets; print(secrets.token_urlsafe(50))')"; \
	} > $@.new && mv $@.new $@
