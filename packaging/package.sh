#!/usr/bin/env bash
# Makes the packages and archives from static programs: the same bytes from the same programs and the same commit.
#
#   TOOLS=VENV SOURCE_DATE_EPOCH=SECONDS package.sh PROGRAMS OUT
#
# PROGRAMS holds agent-x86_64, agent-aarch64, lambda-x86_64 and lambda-aarch64.
set -euo pipefail
programs=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
cd "$(dirname "$0")/.."
VERSION=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml)
export VERSION SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
umask 022
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

export GENERATED=$work/generated
packaging/generate.sh "$GENERATED"

for arch in x86_64 aarch64; do
  # Debian and AWS have other names for them.
  case $arch in
    x86_64) debian=amd64 aws=x86_64 ;;
    aarch64) debian=arm64 aws=arm64 ;;
  esac
  name=pulse-echo-$VERSION-linux-$arch

  install -m 755 "$programs/agent-$arch" "$out/$name"
  for packager in deb rpm; do
    ARCH=$debian BINARY=$programs/agent-$arch \
      "$TOOLS/bin/nfpm" package --config packaging/nfpm.yaml --packager "$packager" --target "$out/" >/dev/null
  done

  # nfpm's own xz makes a file that is a tenth larger. The tarball is what the deb installs: one list of files for all.
  mkdir "$work/$name" "$work/deb"
  (
    cd "$work/deb"
    deb=$(ls "$out"/pulse-echo_*_"$debian".deb)
    ar x "$deb"
    tar -xf data.tar -C "$work/$name" --no-same-owner
    xz -9e --threads=1 data.tar
    rm "$deb"
    ar rcD "$deb" debian-binary control.tar.gz data.tar.xz
  )
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --format=ustar \
    -C "$work" -cf - "$name" | gzip -n -9 >"$out/$name.tar.gz"
  rm -r "$work/deb"

  install -D -m 755 "$programs/lambda-$arch" "$work/$aws/bootstrap"
  touch -d "@$SOURCE_DATE_EPOCH" "$work/$aws/bootstrap"
  rm -f "$out/pulse-echo-lambda-$VERSION-$aws.zip"
  (cd "$work/$aws" && zip -X -q -9 "$out/pulse-echo-lambda-$VERSION-$aws.zip" bootstrap)
done

cd "$out"
sha256sum -- pulse-echo* >SHA256SUMS
