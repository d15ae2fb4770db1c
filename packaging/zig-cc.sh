#!/usr/bin/env bash
# zig's C compiler for $ARCH with musl, for the C code in `ring`. zig's target names differ from Rust's.
set -euo pipefail
arguments=()
for argument; do
  case $argument in
    --target=*) ;;
    *) arguments+=("$argument") ;;
  esac
done
exec "$TOOLS/bin/python" -m ziglang cc -target "$ARCH-linux-musl" "${arguments[@]}"
