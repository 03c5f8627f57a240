#!/usr/bin/env bash
# golden.sh VERSION [--accept]: does this crate still read and write what the official classes of that version do?
#
# Makes the golden files anew and compares them with those in rocketmq-remoting/tests/golden (--accept replaces these),
# runs the golden tests, and lets the official classes read what the tests wrote. Needs java 17 and mvn; see `apache`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
version=${1:?5.4.0 or 4.9.7}
golden=$root/rocketmq-remoting/tests/golden/$version
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

java_with_jars() { # FILE.java ARGS...: the libraries' debug lines, which have no configuration to silence them, are dropped
  "$here/apache" java "$version" "$@" > "$work/log" 2>&1 || { grep -v DEBUG "$work/log" >&2; return 1; }
}

java_with_jars "$here/java/golden/Golden.java" "$version" "$work/java"
if [ "${2:-}" = --accept ]; then
  rm -rf "$golden"
  cp -r "$work/java" "$golden"
fi
diff -r "$golden" "$work/java"
GOLDEN_OUT=$work/ours cargo test --quiet --manifest-path "$root/Cargo.toml" -p rocketmq-remoting --test golden
java_with_jars "$here/java/golden/Verify.java" "$version" "$golden" "$work/ours/$version"
tail -1 "$work/log"
