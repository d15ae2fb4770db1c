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
  echo "$what: $((SECONDS - start)) s"
}

export TOOLS=$target/dist-tools
step "looking for targets and tools, adding what is missing" packaging/tools.sh "$TOOLS"

# Builds all programs for a processor, in a folder of its own.
build() {
  local arch=$1 program
  export CARGO_TARGET_DIR=$builds/$arch
  for program in agent lambda local; do
    step "building the $program for $arch" packaging/build.sh "$program" "$arch" "$builds/programs/$program-$arch"
  done
}

# Removed afterwards: cargo's cache for the next time is a gigabyte.
export builds=$target/dist-build
rm -rf "$dist" "$builds"
trap 'rm -rf "$builds"' EXIT
# Both processors at once: the end of each build, which sees the whole program, has one thread.
export -f build step
printf '%s\n' x86_64 aarch64 | xargs -n 1 -P 2 bash -euo pipefail -c 'build "$1"' bash

step "packaging" packaging/package.sh "$builds/programs" "$dist"
(cd "$dist" && wc -c -- *)
