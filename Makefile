# Each target is one command on a fresh machine. They need cargo (with rustfmt and clippy) and a C compiler.

CARGO ?= cargo

.PHONY: help demo test lint e2e bench

help:
	@echo "make demo              a real pulse to its echo, a broken service to its fault, on this machine alone"
	@echo "make demo URL=https://example.com/ BODY='...'    the same for an address of yours"
	@echo "make test              format, lints, documentation, all tests"
	@echo "make e2e               the agent against S3 servers that others wrote, which it installs into target/e2e"
	@echo "make bench             what is measured, as ratios within one run"

# Empty values are not given: the demo then has a service of its own. They reach it by the environment, as they were
# typed: make and the shell would take apart what has quotes or dollars.
unexport URL BODY
demo: export DEMO_URL = $(value URL)
demo: export DEMO_BODY = $(value BODY)
demo:
	@if [ -n "$$DEMO_BODY" ] && [ -z "$$DEMO_URL" ]; then \
		echo "make demo: BODY is what URL is to answer: give URL too" >&2; exit 1; fi
	@echo "building the agent and the local system (minutes at first, seconds later)"
	@$(CARGO) build --locked --quiet -p pulse-echo
	@$(CARGO) run --locked --quiet -p pulse-echo-local -- demo \
		$${DEMO_URL:+--url "$$DEMO_URL"} $${DEMO_BODY:+--body "$$DEMO_BODY"}

test: lint
	$(CARGO) test --locked --workspace

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets --all-features -- -D warnings
	$(CARGO) clippy --locked --workspace --all-features --test e2e -- -D warnings
	$(CARGO) clippy --locked -p pulse-echo -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps --all-features --quiet

# The whole workspace, as `test` has it: else everything is built once more with other features.
e2e:
	$(CARGO) test --locked --workspace --test e2e

bench:
	$(CARGO) bench --locked --workspace
