# Each target is one command on a fresh machine. They need cargo (with rustfmt and clippy) and a C compiler.

CARGO ?= cargo

.PHONY: help demo test lint bench

help:
	@echo "make demo              a real pulse to its echo, a broken service to its fault, on this machine alone"
	@echo "make demo URL=https://example.com/ BODY='...'    the same for an address of yours"
	@echo "make test              format, lints, documentation, all tests"
	@echo "make bench             what is measured, as ratios within one run"

# Empty values are not given: the demo then has a service of its own.
demo:
	@echo "building the agent and the local system (minutes at first, seconds later)"
	@$(CARGO) build --locked --quiet -p pulse-echo
	@$(CARGO) build --locked --quiet -p pulse-echo-local
	@target/debug/pulse-echo-local demo $(if $(URL),--url '$(URL)') $(if $(BODY),--body '$(BODY)')

test: lint
	$(CARGO) test --locked --workspace

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets --all-features -- -D warnings
	$(CARGO) clippy --locked -p pulse-echo -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps --all-features --quiet

bench:
	$(CARGO) bench --locked --workspace
