# The workbench's chores; every target sets up what it needs. A machine with Python 3.11, 3.12 or 3.13 is enough.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
RUN := $(VENV)/bin/python
IN_TWO := OMP_NUM_THREADS=1 $(RUN) -m pytest -n 2
QUICK := $(IN_TWO) --dist worksteal -m "not slow"
ALONE := tests/app tests/hostile
BIOME := npx --yes @biomejs/biome@2.6.8
ARGS ?=

.PHONY: demo test test-all lint bench load audit screenshots clean chromium
.DELETE_ON_ERROR:

demo: $(VENV)/.demo  ## start the app; then open the address it prints
	$(RUN) app.py $(ARGS)

test: $(VENV)/.dev chromium  ## what every change must pass, core behaviour and one walk through the app: about a minute
	$(QUICK) --hypothesis-profile quick $(ARGS)

test-all: $(VENV)/.dev chromium  ## everything, with hostile input, attacks on the app and long trainings; or the tests that ARGS names
ifeq ($(ARGS),)
	$(QUICK)
	$(IN_TWO) --dist loadfile -m slow $(ALONE:%=--ignore=%)
	$(RUN) -m pytest -m slow $(ALONE)
else
	$(RUN) -m pytest $(ARGS)
endif

lint: $(VENV)/.dev  ## Python, its types, and JS and CSS where there is npm
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	@if $(BIOME) --version > /dev/null 2>&1; then $(BIOME) lint --config-path=.ci --error-on-warnings analysis; \
		else echo "JS and CSS are not linted: that takes npm, and its registry once."; fi

# What it measures instead of latency, load and start, in ARGS: --full, --many, --serving or --tabs; all options: --help.
bench: $(VENV)/.dev  ## how fast this machine tags, loads and starts: make bench ARGS="--repeats 20"
	$(RUN) -m tests.bench $(ARGS)

# In ARGS: --kill, or --hostile and the names of attacks; all options: --help.
load: $(VENV)/.dev  ## many visitors at once against the app: make load ARGS="--visitors 20 --seconds 60"
	$(RUN) -m tests.load $(ARGS)

audit: $(VENV)/.demo  ## known holes in the installed versions, where the database of them can be reached
	./.ci/audit.sh

screenshots: $(VENV)/.dev chromium  ## writes .screenshots/ and the screenshot in README.md
	$(RUN) -m tests.app.screenshots $(ARGS)
	cp .screenshots/tag-1280-light.png analysis/views/screenshot.png

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis .pytest_cache .screenshots
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "Python 3.11 to 3.13 is needed; name it with: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The stamps make a second call start at once; a changed list of packages installs what is new.
$(VENV)/.demo: requirements.txt | $(VENV)/bin/python
	$(RUN) -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.demo
	$(RUN) -c "import tomllib; extras = tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']; print(*sum(extras.values(), []), sep='\n')" > $(VENV)/dev.txt
	$(RUN) -m pip install --quiet --disable-pip-version-check --requirement $(VENV)/dev.txt
	@touch $@

chromium:
	@command -v chromium > /dev/null || if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; \
		then export DEBIAN_FRONTEND=noninteractive; apt-get update --quiet --quiet && apt-get install --yes --quiet --quiet --no-install-recommends chromium; \
		else echo "The browser tests need chromium; install it, for example: sudo apt-get install chromium"; exit 1; fi
