# Each target is one command on a fresh machine with cargo (with rustfmt and clippy) and a C compiler.

CARGO ?= cargo

# How many seconds `make fuzz` gives each target.
SECONDS ?= 60

.PHONY: help demo test lint dist deploy e2e e2e-all bench fuzz

help:
	@echo "make demo              from a pulse to the messages that people read, on this machine; half a minute"
	@echo "make demo URL=https://example.com/ BODY='...'    the same for your address"
	@echo "make test              format, lints, documentation, all tests (tests/tools.sh installs what some need)"
	@echo "make lint              format, lints, documentation and the crates' licences alone"
	@echo "make dist              target/dist: static programs, deb, rpm, tarballs, Lambda zips, for x86-64 and Arm"
	@echo "make deploy BUCKET=my-pulses    to AWS, or changes what is there; docs/aws.md has the other settings"
	@echo "make e2e               checks and installs what dist made; tries the agent on other S3 servers (in target/e2e)"
	@echo "make e2e-all           the same, a Debian that boots in an emulated machine, and AWS by aws-cli 2.9"
	@echo "make bench             the benchmarks, as ratios within one run"
	@echo "make fuzz SECONDS=60   each parser of outside input for a minute; installs cargo-fuzz, needs a C++ compiler"

# An empty value is not passed on: the demo then has a service of its own. The values go through the environment as they
# were typed: make and the shell would split what has quotes or dollars.
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
	$(CARGO) clippy --locked --workspace --all-features --test e2e --test packages --test install --test aws_e2e \
		--test page_e2e -- \
		-D warnings
	$(CARGO) clippy --locked -p pulse-echo -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps --all-features --quiet
	@if $(CARGO) deny --version >/dev/null 2>&1; then \
		$(CARGO) deny --workspace --locked --log-level warn check --hide-inclusion-graph licenses bans sources; \
	elif [ -n "$$CI" ]; then echo "make lint: cargo-deny is missing; tests/tools.sh installs it" >&2; exit 1; \
	else echo "the licences of the crates are not looked at: cargo-deny is missing; tests/tools.sh installs it"; fi
	@find . -name target -prune -o \( -name '*.rs' -o -name '*.sh' -o -name Makefile \) -print0 | \
		if LC_ALL=C.UTF-8 xargs -0 grep -nE '.{121}'; then echo "make lint: these lines have over 120 columns" >&2; exit 1; fi

# It adds missing targets and tools; Debian's packages as root.
dist:
	@CARGO="$(CARGO)" packaging/dist.sh

# The settings reach the script by the environment, as they were typed; what has no name there is in PARAMETERS.
deploy:
	@CARGO="$(CARGO)" packaging/aws/deploy.sh $(PARAMETERS)

# The whole workspace, as in `test`: else everything is built again with other features. The packages' agent is built in
# another way than the tests' own, so it has to pass their tests: TLS, proxies, faults, the whole walk.
e2e: dist
	PULSE_ECHO_AGENT=$$(realpath $${CARGO_TARGET_DIR:-target}/dist/pulse-echo-*-linux-x86_64) \
		$(CARGO) test --locked --workspace --quiet \
		--test bad_input --test check --test credentials --test credentials_services --test doctor --test faults \
		--test init --test names --test packaging --test proxies --test status --test steer --test store \
		--test store_learns --test walk
	$(CARGO) test --locked --workspace --no-fail-fast --test packages --test install --test e2e --test aws_e2e \
		--test page_e2e
	@if $(CARGO) fuzz --version >/dev/null 2>&1 || $(CARGO) install --locked --quiet cargo-fuzz; then \
		$(MAKE) --no-print-directory fuzz SECONDS=5; \
	elif [ -n "$$CI" ]; then echo "cargo-fuzz cannot be installed, see above" >&2; exit 1; \
	else echo "fuzzing is left out: cargo-fuzz cannot be installed, see above"; fi

e2e-all: export E2E_ALL = 1
e2e-all: e2e

bench:
	$(CARGO) bench --locked --workspace

# New inputs are kept apart from the corpus, so that a run does not change the checkout.
fuzz:
	@$(CARGO) fuzz --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-fuzz || \
		{ echo "cargo-fuzz is needed and cannot be installed: see above" >&2; exit 1; }
	@cd fuzz && for target in $$($(CARGO) fuzz list); do \
		echo "fuzzing $$target for $(SECONDS) s"; \
		mkdir -p target/found/$$target; \
		RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run $$target target/found/$$target corpus/$$target -- \
			-max_total_time=$(SECONDS) -max_len=4096 -verbosity=0 -print_final_stats=1 || exit 1; \
	done
