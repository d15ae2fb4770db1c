#!/usr/bin/env bash
# One static program, the same bytes wherever the checkout and the home lie:
#
#   TOOLS=VENV CARGO_TARGET_DIR=DIR build.sh agent|lambda|local x86_64|aarch64 OUTPUT
#
# OUTPUT.notices gets the licences and notices of its crates. TOOLS is the folder that tools.sh made. README.md beside
# this file says what each step saves.
set -euo pipefail
program=$1 output=$3
export TOOLS ARCH=$2
here=$(cd "$(dirname "$0")" && pwd)
cargo=${CARGO:-cargo}
target=$ARCH-unknown-linux-musl
sysroot=$(rustc --print sysroot)
host=$(rustc -vV | sed -n 's/^host: //p')
export RUST_LLD=$sysroot/lib/rustlib/$host/bin/rust-lld
export "CC_${target//-/_}=$here/zig-cc.sh"
export ZIG_GLOBAL_CACHE_DIR=$CARGO_TARGET_DIR/zig ZIG_LOCAL_CACHE_DIR=$CARGO_TARGET_DIR/zig

# Built through links to the checkout, with a Cargo.lock of its own: cargo has one lock for the workspace, but only the
# agent leaves out the tables of the world's letters.
source=$CARGO_TARGET_DIR/$program-source
rm -rf "$source"
mkdir -p "$source"
ln -s "$(dirname "$here")"/* "$source"
cp --remove-destination "$here/../Cargo.lock" "$source"
cd "$source"
if [ "$program" = agent ]; then
  "$cargo" update --quiet --package idna_adapter --precise 1.0.0
fi
"$cargo" fetch --quiet --locked

flags=(
  -C "linker=$here/lld.sh" -C linker-flavor=ld.lld -C link-self-contained=yes
  # A static PIE, on Arm too, where rustc does not make one by itself.
  -C relocation-model=pie -C link-arg=-pie -C link-arg=--no-dynamic-linker -C link-arg=-ztext
  # Relocations in a hundredth of the bytes; functions of equal code only once.
  -C link-arg=--pack-dyn-relocs=relr -C link-arg=--icf=all
  # Both compilers write source paths into the program.
  "--remap-path-prefix=$source=pulse-echo" "--remap-path-prefix=$sysroot/lib/rustlib/src/rust=rust"
)
c_flags=()
for crates in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do
  flags+=("--remap-path-prefix=$crates=")
  c_flags+=("-ffile-prefix-map=$crates/=")
done

options=(--locked --quiet --target "$target")
case $program in
  agent)
    package=pulse-echo
    # It never unwinds: a panic ends it.
    c_flags+=(-fno-unwind-tables -fno-asynchronous-unwind-tables)
    "$here/zig-cc.sh" -Os "${c_flags[@]}" -c "$here/no-unwinder.c" -o "$source/no-unwinder.o"
    flags+=(-C force-unwind-tables=no -Z "pre-link-arg=$source/no-unwinder.o")
    # Inlined as if all crates were one: else the border between core/ and src/ costs 5 KB, and other borders 23 KB.
    flags+=(-Z cross-crate-inline-threshold=always)
    # No text for people is a library's debug text: of its values nothing but their names is kept.
    flags+=(-Z fmt-debug=shallow)
    # std is built again, for size. -Z is for nightly; this variable makes the stable compiler take it.
    export RUSTC_BOOTSTRAP=1
    options+=(--release -p "$package" -Z "build-std=std,panic_abort" -Z build-std-features=optimize_for_size)
    built=release/pulse-echo
    ;;
  lambda)
    package=pulse-echo-lambda
    options+=(--profile lambda -p "$package")
    built=lambda/bootstrap
    ;;
  local)
    package=pulse-echo-local
    options+=(--profile server -p "$package" --bin "$package")
    built=server/pulse-echo-local
    ;;
esac
separated=$(printf '%s\x1f' "${flags[@]}")
# A folder may have a space in its name.
export CC_SHELL_ESCAPED_FLAGS=1 "CFLAGS_${target//-/_}=$(printf '%q ' "${c_flags[@]}")"
CARGO_INCREMENTAL=0 CARGO_ENCODED_RUSTFLAGS=${separated%$'\x1f'} "$cargo" build "${options[@]}"
install -D -m 755 "$CARGO_TARGET_DIR/$target/$built" "$output"
"$here/notices.py" "$package" "$source" "$output.notices"
