# What a newcomer needs is `make demo` and `make test`; each does its own set-up.
.PHONY: demo test soak check lock clean
.DEFAULT_GOAL := demo
BIN := .venv/bin

demo: ## the main job, told as a story on a virtual drive
	@./setup.sh run
	@$(BIN)/tapekey demo

test: ## every check and every test
	@./setup.sh test
	@$(MAKE) --no-print-directory check
	$(BIN)/pytest -n 2 --dist worksteal

soak: ## crashes only, twenty times as many as in `make test` (about an hour)
	@./setup.sh test
	TAPEKEY_SOAK=1 $(BIN)/pytest -n 2 --dist worksteal tests/crash

check: ## style and types only
	@./setup.sh test
	$(BIN)/ruff format --check --quiet agent tests docs
	$(BIN)/ruff check --quiet agent tests docs
	$(BIN)/mypy

lock: ## rewrite the locked dependencies from pyproject.toml (needs uv)
	echo 'setuptools>=77' | uv pip compile -q -U --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml - -o requirements/run.txt
	echo 'setuptools>=77' | uv pip compile -q -U --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --extra test pyproject.toml - -o requirements/test.txt

clean:
	rm -rf .venv build .pytest_cache .mypy_cache .ruff_cache .hypothesis agent/tapekey.egg-info
