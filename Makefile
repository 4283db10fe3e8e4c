# Two commands matter: `make book` and `make test`. What they do is written in .ci/environment.py.
pythons := python3 python3.14 python3.13 python3.12 python3.11 python
found = $(shell for p in $(pythons); do { $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	&& echo $$p && break; } 2>/dev/null; done)
PYTHON ?= $(or $(found),$(error Python 3.11 or newer is needed, and none of $(pythons) is that. \
	Install it (python.org, or your system's packages), then run make again))

.PHONY: help book test lab notebooks sweeps bench-pages clean

help:
	@echo "make book       install what is needed, build the book, say where its first page is"
	@echo "make test       the same, then run every test"
	@echo "make lab        open the chapters in JupyterLab"
	@echo "make notebooks  run all chapters again and store their outputs"
	@echo "make sweeps     measure again what chapters show as bands (minutes; carries on if stopped)"
	@echo "make bench-pages  compare the pages with those of an unconfigured Jupyter Book"
	@echo "make clean      remove all that the other commands made"

book test lab notebooks sweeps bench-pages:
	@$(PYTHON) .ci/environment.py $@

clean:
	rm -rf _build .sweeps .venv node_modules build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find .ci book lecture_code tests \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
