# make lab    install (first time only) and open the course in JupyterLab
# make test   install (first time only) and run every test and every notebook
# make check  the tests of the library alone: no lessons, nothing of the course, no browser; a few minutes
#
# Variables, all optional:
#   PYTHON=python3.12    the Python (3.11 or later) that makes the virtual environment
#   TORCH_INDEX=URL      a package index for torch alone, for instance the one with the small CPU wheels

PYTHON ?= $(or $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,\
	$(shell $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p)))),python3)
TORCH_INDEX ?=
VENV := .venv
RUN := $(VENV)/bin/python
STAMP := $(VENV)/.installed
PIP := $(RUN) -m pip --disable-pip-version-check --no-input
NBVAL := --nbval --nbval-current-env --nbval-sanitize-with tests/nbval_sanitize.cfg --nbval-cell-timeout 300
# Two workers share the files, in order; what measures runs alone afterwards.
SHARED := -n 2 --dist loadfile --no-loadscope-reorder -m "not alone"

# What `make check` leaves out of tests/.
COURSE := browser lessons exercises course test_tutorial.py test_tutorial_lesson.py

.PHONY: lab test check install clean
.DEFAULT_GOAL := lab

lab: $(STAMP)
	@$(RUN) -m mlcourse lab

test: $(STAMP)
	$(RUN) -m pytest $(NBVAL) $(SHARED) && $(RUN) -m pytest tests -m alone

check: $(STAMP)
	$(RUN) -m pytest tests $(COURSE:%=--ignore tests/%) $(SHARED) && $(RUN) -m pytest tests $(COURSE:%=--ignore tests/%) -m alone

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c '' 2>/dev/null || { \
	  echo "mlcourse: no Python found as '$(PYTHON)'; install Python 3.11 or later, or name one: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "mlcourse: '$(PYTHON)' is $$($(PYTHON) -V), but 3.11 or later is needed; name another: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "mlcourse: '$(PYTHON)' has no venv module; on Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	@echo "mlcourse: installing into $(VENV) (once; a few minutes, most of it torch)"
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
ifneq ($(TORCH_INDEX),)
	$(PIP) install --no-deps -c constraints.txt --index-url "$(TORCH_INDEX)" torch
endif
	$(PIP) install -c constraints.txt -e ".[test]"
	@touch $@

clean:
	rm -rf $(VENV) build *.egg-info
