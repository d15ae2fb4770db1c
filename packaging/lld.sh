#!/usr/bin/env bash
# The linker is the lld that comes with rustc. For Arm, rustc picks the start-up code for a fixed address. A static PIE
# has to relocate itself first, which rcrt1.o does. With crt1.o it links, and crashes at its start.
set -euo pipefail
arguments=()
for argument; do
  case $argument in
    */crt1.o) arguments+=("${argument%crt1.o}rcrt1.o") ;;
    *) arguments+=("$argument") ;;
  esac
done
exec "$RUST_LLD" "${arguments[@]}"
