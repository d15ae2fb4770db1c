#!/usr/bin/env bash
# What a release is looked at with, from Debian, if it is not there; says so if it cannot be had.
set -euo pipefail
missing=()
while read -r command package; do
  command -v "$command" >/dev/null || missing+=("$package")
done <<'LIST'
readelf binutils
file file
unzip unzip
lintian lintian
rpm rpm
rpm2cpio rpm2cpio
cpio cpio
rpmlint rpmlint
qemu-aarch64-static qemu-user-static
LIST
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing ${missing[*]}"
  { apt-get update -qq && apt-get install -qq -y --no-install-recommends "${missing[@]}"; } >/dev/null || {
    echo "the packages are looked at with ${missing[*]}, which cannot be installed here: install it as root" >&2
    exit 1
  }
fi
