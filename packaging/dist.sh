#!/usr/bin/env bash
# `make dist`: the static programs, the packages and the archives for both processors, in target/dist.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
dist=$target/dist

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)} || {
  echo "make dist: every date in a package is its commit's, and there is none here: set SOURCE_DATE_EPOCH" >&2
  exit 1
}
export SOURCE_DATE_EPOCH

# Runs a step; says what it is and how long it took.
step() {
  local what=$1 start=$SECONDS
  shift
  echo "$what"
  "$@"
  echo "    $((SECONDS - start)) s"
}

export TOOLS=$target/dist-tools
step "looking for targets and tools, adding what is missing" packaging/tools.sh "$TOOLS"

# Removed afterwards: cargo's cache for the next time is a gigabyte.
export CARGO_TARGET_DIR=$target/dist-build
rm -rf "$dist"
trap 'rm -rf "$CARGO_TARGET_DIR"' EXIT
for program in agent lambda local; do
  for arch in x86_64 aarch64; do
    step "building the $program for $arch" packaging/build.sh "$program" "$arch" "$CARGO_TARGET_DIR/$program-$arch"
  done
done

step "packaging" packaging/package.sh "$CARGO_TARGET_DIR" "$dist"
(cd "$dist" && wc -c -- *)
