#!/usr/bin/env bash
# What lints and tests need beside cargo, if it is not there: curl, openssl, strace, AWS's own command line with
# botocore, nginx, Caddy and cargo-deny. Says what cannot be had; those tests are then left out, and fail under CI.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=${CARGO_TARGET_DIR:-target}/test-tools
missing=()
for tool in curl openssl strace; do
  [ -x /usr/bin/$tool ] || missing+=("$tool")
done
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3 python3-venv)
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing ${missing[*]}"
  if [ "$(id -u)" != 0 ] || ! {
    apt-get update -qq && apt-get install -qq -y --no-install-recommends "${missing[@]}"
  } >/dev/null; then
    echo "some tests need ${missing[*]}, which cannot be installed here: install it as root" >&2
    exit 1
  fi
fi
if ! "$tools/bin/aws" --version >/dev/null 2>&1; then
  echo "installing AWS's command line and botocore"
  python3 -m venv --clear "$tools"
  "$tools/bin/pip" install --quiet --disable-pip-version-check awscli==1.45.11
fi
for proxy in usr/sbin/nginx usr/bin/caddy; do
  # Unpacked, not installed: as a package it would serve port 80 at once.
  [ ! -x "$tools/proxies/$proxy" ] || continue
  echo "fetching ${proxy##*/}"
  mkdir -p "$tools/proxies"
  if ! (
    cd "$tools/proxies"
    { apt-get download -qq "${proxy##*/}" || { apt-get update -qq && apt-get download -qq "${proxy##*/}"; }; } \
      >/dev/null 2>&1 && dpkg -x "${proxy##*/}"_*.deb .
  ); then
    echo "some tests need ${proxy##*/}, which cannot be fetched here" >&2
    exit 1
  fi
done
if ! cargo deny --version >/dev/null 2>&1; then
  echo "building cargo-deny (minutes)"
  # Without optimization it is built in half the time, and it has little to do.
  if ! env -u CARGO_TARGET_DIR CARGO_PROFILE_DEV_DEBUG=0 \
    cargo install --locked --quiet --debug --no-default-features cargo-deny@0.20.2; then
    echo "make lint looks at licences with cargo-deny, which cannot be installed here, see above" >&2
    exit 1
  fi
fi
