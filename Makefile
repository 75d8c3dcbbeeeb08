# Every target makes the environment it needs; nothing has to be installed by hand but Python 3.11, make and a package index.
PYTHON ?= python3
VENV := .venv
TESTERS ?= 2
BIN := $(VENV)/bin
MODEL := .cache/models/all-MiniLM-L6-v2
E5 := .cache/models/multilingual-e5-small

.PHONY: demo console-demo examples test lint bench serve docs site dist rust clean

demo: $(VENV)/.base $(E5)
	$(BIN)/python demo/run.py

console-demo: $(VENV)/.base $(E5)
	$(BIN)/python demo/console.py

test: $(VENV)/.test $(MODEL) $(E5)
	$(BIN)/python -m pytest --numprocesses $(TESTERS) --dist loadgroup $(ARGS)

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	scripts/console_types || [ $$? -eq 3 ]

# Each example in the environment of its framework, which scripts/integrations makes.
examples: $(VENV)/.test $(MODEL)
	$(BIN)/python scripts/client_packages.py --examples

bench: $(VENV)/.test $(MODEL)
	$(BIN)/python benchmarks/run.py $(ARGS)

serve: $(VENV)/.base
	$(BIN)/ai-memory serve $(ARGS)

rust: $(VENV)/.base $(MODEL)
	scripts/rust check

docs: $(VENV)/.test
	$(BIN)/python scripts/generate.py

site: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "the documentation is in build/site/index.html"
# The wheels and sdists of both distributions, each wheel built from its sdist.
dist: $(VENV)/.test
	rm -rf dist
	$(BIN)/python -m build --outdir dist client
	$(BIN)/python -m build --outdir dist .

clean:
	rm -rf $(VENV) .cache build dist

$(VENV)/.base: pyproject.toml constraints.txt scripts/build_backend.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[mcp]'
	touch $@

$(VENV)/.test: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group test
	touch $@

$(VENV)/.lint: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group lint
	touch $@

$(VENV)/.docs: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group docs
	touch $@

$(MODEL): | $(VENV)/.base
	$(BIN)/ai-memory --data-dir .cache model fetch minilm

$(E5): | $(VENV)/.base
	$(BIN)/ai-memory --data-dir .cache model fetch e5
