#!/usr/bin/env bash
# One static program, the same bytes wherever the checkout and the home lie:
#
#   TOOLS=VENV build.sh agent|lambda x86_64|aarch64 OUTPUT
#
# TOOLS is what tools.sh made. It builds in CARGO_TARGET_DIR and leaves it to the caller.
set -euo pipefail
program=$1 output=$3
export TOOLS ARCH=$2
here=$(cd "$(dirname "$0")" && pwd)
target=$ARCH-unknown-linux-musl
cargo=${CARGO:-cargo}
sysroot=$(rustc --print sysroot)
host=$(rustc -vV | sed -n 's/^host: //p')
registry=${CARGO_HOME:-$HOME/.cargo}

cd "$here/.."
export RUST_LLD=$sysroot/lib/rustlib/$host/bin/rust-lld
export "CC_${target//-/_}=$here/zig-cc.sh"
# Both compilers write the places of sources into the program.
export "CFLAGS_${target//-/_}=-ffile-prefix-map=$registry=/cargo"
export ZIG_GLOBAL_CACHE_DIR=$CARGO_TARGET_DIR/zig ZIG_LOCAL_CACHE_DIR=$CARGO_TARGET_DIR/zig
flags=(
  "--remap-path-prefix=$PWD=/pulse-echo"
  "--remap-path-prefix=$registry=/cargo"
  "--remap-path-prefix=$sysroot=/rust"
  -C "linker=$here/lld.sh" -C linker-flavor=ld.lld -C link-self-contained=yes
  # A static PIE, on Arm too, where rustc does not make one by itself.
  -C relocation-model=pie -C link-arg=-pie -C link-arg=--no-dynamic-linker -C link-arg=-ztext
  # What moves the program when it starts, in a twelfth of the bytes; functions of equal code, once.
  -C link-arg=--pack-dyn-relocs=relr -C link-arg=--icf=all
)
options=(--locked --quiet --target "$target")
case $program in
  agent)
    # The agent never unwinds: its panics end it. std is built anew, for size.
    flags+=(-C force-unwind-tables=no)
    options+=(--release -p pulse-echo -Z "build-std=std,panic_abort" -Z build-std-features=optimize_for_size)
    # -Z is for nightly; this is how the stable one takes it.
    export RUSTC_BOOTSTRAP=1
    built=release/pulse-echo
    ;;
  lambda)
    options+=(--profile server -p pulse-echo-lambda)
    built=server/bootstrap
    ;;
esac
separated=$(printf '%s\x1f' "${flags[@]}")
CARGO_INCREMENTAL=0 CARGO_ENCODED_RUSTFLAGS=${separated%$'\x1f'} "$cargo" build "${options[@]}"
install -D -m 755 "$CARGO_TARGET_DIR/$target/$built" "$output"
