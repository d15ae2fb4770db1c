#!/usr/bin/env bash
# The zip for Lambda's functions from one static program and its PROGRAM.notices: the same bytes from the same files and
# the same date.
#
#   SOURCE_DATE_EPOCH=SECONDS zip.sh PROGRAM OUT
set -euo pipefail
mkdir -p "$(dirname "$2")"
out=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
install -m 755 "$1" "$work/bootstrap"
install -m 644 "$1.notices" "$work/THIRD-PARTY"
touch -d "@$SOURCE_DATE_EPOCH" "$work"/*
rm -f "$out"
cd "$work"
TZ=UTC zip -X -q -9 "$out" bootstrap THIRD-PARTY
