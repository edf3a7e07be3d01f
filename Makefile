# Every target does its own set-up first: .ci/set-up makes .venv and is done at once where nothing has changed.
# ARGS="..." is passed on: make run ARGS=text.txt, make test ARGS="-k softmax".
PYTHON ?=
ARGS ?=
export PYTHON
python := .venv/bin/python

.PHONY: run test lint format bench

run:
	@sh .ci/set-up run
	@sh .ci/start $(ARGS)

test:
	@sh .ci/set-up tools
	QT_QPA_PLATFORM=offscreen $(python) -m pytest -n 2 --dist worksteal $(ARGS)

lint:
	@sh .ci/set-up tools
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	$(python) -m mypy
	.venv/bin/lint-imports

format:
	@sh .ci/set-up tools
	$(python) -m ruff format .
	$(python) -m ruff check --fix .

bench:
	@sh .ci/set-up tools
	QT_QPA_PLATFORM=offscreen $(python) tests/benchmarks/run.py $(ARGS)
