# Everything runs in a virtual environment of its own, made on first use and offline from then on.
VENV ?= .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PORT ?= 8000
STAMP := $(VENV)/.installed
# What goes into it; PINS="hatchling editables .[dev]" takes the newest versions instead.
PINS ?= -r requirements.txt
# Tests start the package in hundreds of processes: it is compiled once, whatever this machine wants.
export PYTHONDONTWRITEBYTECODE =

# The first interpreter that runs and is new enough.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

.DEFAULT_GOAL := help
.PHONY: help book serve pdf worksheets slides test package nightly lint notebooks atlas bench look \
	pictures kernels address release browser dist clean

help:  ## List these targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

book: $(STAMP)  ## Build the book's pages into _build/html; a warning is an error
	@rm -rf _build/html  # where the pictures of earlier builds would stay
	$(BIN)/jupyter-book build . -W --all

serve: book  ## Serve the book on this machine, so that its exercises run (PORT=8000)
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

pdf: book  ## Print all pages into one file, _build/adam-from-the-ground-up.pdf (needs Chromium)
	$(BIN)/python book/_tools/pdf.py

worksheets: book  ## Print all pages without solutions into _build/worksheets.pdf (needs Chromium)
	$(BIN)/python book/_tools/pdf.py --worksheets --output _build/worksheets.pdf

slides: book  ## Make slides of each chapter, _build/slides/momentum.pdf and so on (needs Chromium)
	$(BIN)/python book/_tools/slides.py

test: $(STAMP)  ## Run every test, and every notebook against its stored outputs
	$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile --nbval --nbval-kernel-name fresh

package: $(STAMP)  ## Run the package's own tests only: no pages, no notebooks, no browser
	$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile tests \
		-m "not browser and not pages and not nightly"

nightly: $(STAMP)  ## Run what is too long for every day: whole data sets, thousands of random sequences
	$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile tests -m nightly

kernels: $(STAMP)  ## Compare every notebook's outputs as three kinds of processors multiply matrices
	for kind in Nehalem Sandybridge Haswell; do \
		OPENBLAS_CORETYPE=$$kind $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile \
			--nbval --nbval-kernel-name fresh book tests/fresh_kernel.py || exit 1; done

lint: $(STAMP)  ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

notebooks: $(STAMP)  ## Re-execute what changed, and show what moved (NOTEBOOKS="book/one.ipynb" for some)
	$(BIN)/python book/_tools/notebooks.py $(NOTEBOOKS)

atlas: $(STAMP)  ## Measure other libraries anew, and say what moved (LIBRARY=river NEWEST=1 UPDATE=1)
	$(BIN)/python atlas/measure.py $(LIBRARY) $(if $(NEWEST),--newest) $(if $(UPDATE),--update) \
		$(if $(PART),--part $(PART))

bench: $(STAMP)  ## Run the timings against peers
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

look: book  ## Take screenshots of the pages, light and dark, wide and narrow (PAGES="notation")
	$(BIN)/python book/_tools/look.py $(PAGES)

pictures: book  ## Draw the README's pictures anew: a live figure, and a verdict of the checker
	$(BIN)/python book/_tools/pictures.py

address: $(STAMP)  ## Set the repository's address wherever it stands (URL=https://github.com/NAME/REPOSITORY)
	$(BIN)/python book/_tools/address.py $(URL)

release: $(STAMP)  ## Set the version of the package, and the tag that set-up cells install (VERSION=0.2.0)
	$(BIN)/python book/_tools/address.py --release "$(VERSION)"

browser: $(STAMP)  ## Install Chromium for the tests of pages, if none is there (needs a network)
	command -v chromium || $(BIN)/python -m playwright install --with-deps chromium

dist: $(STAMP)  ## Build the wheel and the source archive into dist/
	$(BIN)/python -m build --no-isolation

clean:  ## Remove what was built; the virtual environment stays
	rm -rf _build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis

OFFLINE = the libraries could not be installed: the first make needs a network (see the lines above)

$(STAMP): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name it with make PYTHON=..."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet $(PINS) || { echo "$(OFFLINE)"; exit 1; }
	@$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps -e . || { echo "$(OFFLINE)"; exit 1; }
	touch $@
