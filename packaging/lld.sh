#!/usr/bin/env bash
# The linker: the lld that comes with rustc. For Arm rustc takes the start-up code of a program that lies where it was
# linked to; a static PIE has to move itself first, which is what rcrt1.o does. Without it, it links and then crashes.
set -euo pipefail
arguments=()
for argument; do
  case $argument in
    */crt1.o) arguments+=("${argument%crt1.o}rcrt1.o") ;;
    *) arguments+=("$argument") ;;
  esac
done
exec "$RUST_LLD" "${arguments[@]}"
