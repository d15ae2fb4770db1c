#!/usr/bin/env bash
# The C compiler for $ARCH with musl, for what `ring` has in C: zig's, whose names of targets are not Rust's.
set -euo pipefail
arguments=()
for argument; do
  case $argument in
    --target=*) ;;
    *) arguments+=("$argument") ;;
  esac
done
exec "$TOOLS/bin/python" -m ziglang cc -target "$ARCH-linux-musl" "${arguments[@]}"
