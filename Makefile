# Each target is one command on a fresh machine. They need cargo (with rustfmt and clippy) and a C compiler.

CARGO ?= cargo

# How long `make fuzz` gives each target.
SECONDS ?= 60

.PHONY: help demo test lint bench fuzz

help:
	@echo "make demo              a real pulse to its echo, a broken service to its fault, on this machine alone"
	@echo "make demo URL=https://example.com/ BODY='...'    the same for an address of yours"
	@echo "make test              format, lints, documentation, all tests"
	@echo "make bench             what is measured, as ratios within one run"
	@echo "make fuzz SECONDS=60   each parser of foreign input, for so long; installs cargo-fuzz, needs a C++ compiler"

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

# What is found new is kept apart from the corpus, so that a run leaves the checkout as it was.
fuzz:
	@$(CARGO) fuzz --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-fuzz || \
		{ echo "cargo-fuzz is needed and cannot be installed: see above" >&2; exit 1; }
	@cd fuzz && for target in $$($(CARGO) fuzz list); do \
		echo "fuzzing $$target for $(SECONDS) s"; \
		mkdir -p target/found/$$target; \
		RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run $$target target/found/$$target corpus/$$target -- \
			-max_total_time=$(SECONDS) -max_len=4096 -verbosity=0 -print_final_stats=1 || exit 1; \
	done
