#!/usr/bin/env bash
# `make deploy`: the zip of the functions for one processor, built if need be.
#
#   lambda-zip.sh arm64|x86_64 OUT
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
target=$(realpath -m "${CARGO_TARGET_DIR:-$here/../target}")
case $1 in arm64) arch=aarch64 ;; *) arch=$1 ;; esac
export TOOLS=$target/dist-tools
"$here/tools.sh" "$TOOLS"
CARGO_TARGET_DIR=$target/deploy-build "$here/build.sh" lambda "$arch" "$target/deploy-build/lambda-$arch"
# One date for all commits: the same program is then the same zip, and a deployment of it changes nothing.
SOURCE_DATE_EPOCH=315532800 "$here/zip.sh" "$target/deploy-build/lambda-$arch" "$2"
