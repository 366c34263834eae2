# make run: a working archive in the browser · make test: everything that CI runs · make bench: the figures
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt

# The programs that independent checks are made with, the optional parts that the tests try for real, and the fonts
# that names with rare characters need. Where one cannot be had its tests are skipped and say so.
TOOLS := chromium qpdf pdfinfo mutool clamd softhsm2-util ffmpeg soffice 7z bsdtar
PACKAGES := chromium qpdf poppler-utils mupdf-tools fonts-noto-cjk clamav-daemon softhsm2 ffmpeg p7zip-full libarchive-tools \
	libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui
FONTS := /usr/share/fonts/opentype/noto

.PHONY: run test bench clean debian tools
.DEFAULT_GOAL := run

run: $(VENV)/.run
	@$(BIN)/muniment serve --sample

test: $(VENV)/.test tools
	@$(BIN)/python -m compileall -q archive indexer retention access web tests  # else each of the tests' processes does it again
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

bench: $(VENV)/.test
	@$(BIN)/python -m bench

clean:
	rm -rf $(VENV)

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Muniment needs Python 3.11 or newer."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(MAKE) --no-print-directory debian WANTED=python3-venv
	@echo "Making $(VENV) …"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml constraints.txt | $(VENV)/bin/pip
	@echo "Installing …"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/bin/pip
	@echo "Installing, with what the tests need …"
	@$(PIP) --editable '.[ocr,test]'
	@touch $@ $(VENV)/.run

tools:
	@PATH="$$PATH:/usr/sbin"; for tool in $(TOOLS); do command -v $$tool >/dev/null || missing=1; done; [ -d $(FONTS) ] || missing=1; \
	[ -z "$$missing" ] || $(MAKE) --no-print-directory debian WANTED="$(PACKAGES)"

# Debian's packages: installed where we may, else said.
debian:
	@if [ "$$(id -u)" = 0 ]; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(WANTED) >/dev/null; \
	elif sudo -n true 2>/dev/null; then sudo apt-get update -qq && sudo DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(WANTED) >/dev/null; \
	else echo "Please run: sudo apt-get install $(WANTED)"; exit 1; fi
