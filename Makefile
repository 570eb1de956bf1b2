# Two commands do everything on a fresh machine with Python 3.11+ and make:
#   make demo        find bugs in a hand-written loop and in two real frameworks, one of them killed
#   make test        the test suite; make test-fast leaves out what takes more than some seconds,
#                    and make test-all tries each pair of faults of each story, and all else there is
# And for who changes agentfuzz:
#   make check       format, lint, types, floors, circles, what is generated
#   make house       the rooms of the package, their floors, and what points the wrong way
#   make catalogue   show every row of the catalogue, and how loops and frameworks fare in its story
#   make frameworks  put every framework to the test, each in its environment; reports/frameworks/
#   make gauntlet    look for known bugs of released frameworks; reports/frameworks/gauntlet.md
#   make examples    run agentfuzz on applications that others wrote, each in its environment
#   make screenshots take the pictures of docs/reports.md, in Chromium; docs/screenshots/
#   make docs        build the documentation site into build/docs/
#   make generate    write what is told in one file and read in another
#   make core        the core tests on every further Python; PYTHONS="3.12 3.13" says which
#   make mutants     change laws, search and world in 60 places, and see what the tests notice
#   make wheel-test  the first pages from the wheel, word for word, outside of the checkout
#   make release-check  build both archives, look at them, and try them on every Python
PYTHON ?= python3
PYTHONS ?=
VENV = .venv
BIN = $(VENV)/bin
READY = $(VENV)/.ready
export PYTHONDONTWRITEBYTECODE =  # compiled once, not in each of a thousand processes

.PHONY: demo examples frameworks gauntlet test test-all test-fast core mutants screenshots wheel-test release-check check house docs \
  catalogue generate generate-check format bench wheel lock clean

demo: $(READY)
	$(BIN)/python -m tests.demo

test: $(READY)
	$(BIN)/python -m pytest -q -n 3 --dist worksteal

test-all: $(READY)
	AGENTFUZZ_TEST_ALL=1 $(BIN)/python -m pytest -q -n 3 --dist worksteal

test-fast: $(READY)
	$(BIN)/python -m pytest -q -n 3 --dist worksteal -m "not slow"

core: $(READY)
	$(BIN)/python tools/core.py $(PYTHONS)

mutants: $(READY)
	$(BIN)/python tools/mutants.py

wheel-test: $(READY)
	$(BIN)/python tools/wheel.py

release-check: $(READY)
	$(BIN)/python tools/release.py $(PYTHONS)

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) --no-print-directory house generate-check

house: $(READY)
	$(BIN)/python tools/house.py

docs: $(READY)
	rm -rf build/docs
	$(BIN)/python -m sphinx -q -E -W --keep-going -c docs -d build/doctrees . build/docs
	@echo "site: build/docs/index.html"

catalogue: $(READY)
	PYTHONPATH=examples $(BIN)/python tools/catalogue.py

examples: $(READY)
	$(BIN)/python tools/examples.py

frameworks: $(READY)
	$(BIN)/python tools/frameworks.py

gauntlet: $(READY)
	$(BIN)/python tools/gauntlet.py

screenshots: $(READY)
	$(BIN)/python tools/screenshots.py

generate: $(READY)
	$(BIN)/python tools/generate.py

generate-check: $(READY)
	$(BIN)/python tools/generate.py --check

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)
	for each in benchmarks/*.py; do $(BIN)/python $$each || exit 1; done

wheel: $(READY)
	$(BIN)/python -m build --no-isolation

lock:
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --no-header --no-annotate -o requirements-dev.lock

$(READY): requirements-dev.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements-dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	touch $(READY)

clean:
	rm -rf $(VENV) build dist reports/agentfuzz .agentfuzz
