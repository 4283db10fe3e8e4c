# What these commands do is written in .ci/environment.py.
pythons := python3 python3.14 python3.13 python3.12 python3.11 python
found = $(shell for p in $(pythons); do { $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	&& echo $$p && break; } 2>/dev/null; done)
PYTHON ?= $(or $(found),$(error Python 3.11 or newer is needed, and none of $(pythons) is that. \
	Install it (python.org, or your system's packages), then run make again))

.PHONY: help book check test test-all lab lab-afresh notebooks sweeps clean

help:
	@echo "make book       install what is needed, build the book, say where its first page is"
	@echo "make check      install what is needed, then run the tests that need no pages"
	@echo "make check CHAPTER=ntk   only those of one chapter"
	@echo "make test       build the book, then run every test but the slowest"
	@echo "make test-all   run these too"
	@echo "make lab        open a copy of the chapters in JupyterLab; it is kept between runs"
	@echo "make lab-afresh  the same with a new copy"
	@echo "make notebooks  run all chapters again and store their outputs"
	@echo "make sweeps     measure again what chapters show as bands (minutes; carries on if stopped)"
	@echo "make clean      remove all that the other commands made"

book check test test-all lab lab-afresh notebooks sweeps:
	@$(PYTHON) .ci/environment.py $@ $(if $(filter check,$@),$(CHAPTER))

clean:
	rm -rf _build .sweeps .venv node_modules build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find .ci book lecture_code tests \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
