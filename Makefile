# What a newcomer needs is `make demo` and `make test`; each does its own set-up.
.PHONY: demo test test-kernel test-jobs race soak check install uninstall bench lock clean
.DEFAULT_GOAL := demo
BIN := .venv/bin

demo: ## the main job, told as a story on a virtual drive
	@./setup.sh run
	@$(BIN)/tapekey demo

test: ## every check and every test
	@./setup.sh test
	@$(MAKE) --no-print-directory check
	$(BIN)/pytest -n 2 --dist worksteal

test-kernel: ## the cases that need a real Linux kernel, in a guest under QEMU (needs root to build it)
	@./setup.sh test
	@./setup.sh kernel
	@$(BIN)/python -m tests.kernel --ignore=tests/kernel/cases/agent_jobs

test-jobs: ## jobs of Bacula and Amanda with the agent beside them, and its restarts under a backup, in the guest
	@./setup.sh test
	@./setup.sh kernel
	@$(BIN)/python -m tests.kernel -k agent_jobs

race: ## real writers against every guard in the guest, 1,000 loads on two kernels: an hour and a half on two cores
	@./setup.sh test
	@./setup.sh kernel
	@$(BIN)/python -m tests.kernel.race --runs $(or $(RUNS),1000) --seconds $(or $(SECONDS),7200) --keep build/race

soak: ## the long form of the crash, agreement and fuzz tests (hours)
	@./setup.sh test
	TAPEKEY_SOAK=1 $(BIN)/pytest -n 2 --dist worksteal tests/crash tests/keys tests/model \
		tests/iscsi tests/target/test_medium_log.py tests/target/test_library_robot.py \
		tests/target/test_connection_stream.py tests/real/test_iscsi_rubbish.py

check: ## style and types only
	@./setup.sh test
	$(BIN)/ruff format --check --quiet agent tests docs
	$(BIN)/ruff check --quiet agent tests docs
	$(BIN)/mypy

install: ## to PREFIX (/usr/local) below DESTDIR; other variables: install.sh
	@DESTDIR='$(DESTDIR)' PREFIX='$(or $(PREFIX),/usr/local)' ./install.sh

uninstall: ## refuses while drives are closed or a keystore exists, and says what to do; OPTIONS: see uninstall.sh
	@DESTDIR='$(DESTDIR)' PREFIX='$(or $(PREFIX),/usr/local)' ./uninstall.sh $(OPTIONS)

bench: ## figures against named peers and limits, also to build/bench.json
	@./setup.sh test
	@$(BIN)/python -m tests.benchmarks

lock: ## rewrite the locked dependencies from pyproject.toml (needs uv)
	echo 'setuptools>=77' | uv pip compile -q -U --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml - -o requirements/run.txt
	echo 'setuptools>=77' | uv pip compile -q -U --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --extra test pyproject.toml - -o requirements/test.txt

clean:
	rm -rf .venv build .pytest_cache .mypy_cache .ruff_cache .hypothesis agent/tapekey.egg-info
