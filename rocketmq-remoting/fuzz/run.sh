#!/usr/bin/env bash
# run.sh [SECONDS [TARGET ...]]: each fuzz target (all of them by default) for that long (15), one after the other, seeded with
# what Java wrote. Needs a nightly toolchain and cargo-fuzz. Stops at the first finding, whose input lies in artifacts/.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-15}
shift || true
[ $# -gt 0 ] || set -- $(cargo +nightly fuzz list)
golden=../tests/golden

seed() { # TARGET: the files whose bytes the target takes as they are
  local corpus=corpus/$1 pattern
  mkdir -p "$corpus"
  case $1 in
    decode_frame) pattern='frame-*' ;;
    decode_record) pattern='record-*' ;;
    batch_body) pattern='batch-*' ;;
    properties) pattern='properties-*' ;;
    fastjson) pattern='[A-Z]*' ;;
    json_header) pattern='frame-*-json.bin' ;;
    binary_header) pattern='frame-*-rocketmq.bin' ;;
    *) return 0 ;;
  esac
  for file in $golden/*/$pattern; do
    case $1 in
      *_header) tail -c +9 "$file" ;; # without the two words before the header
      *) cat "$file" ;;
    esac > "$corpus/$(basename "$(dirname "$file")")-$(basename "$file")"
  done
}

for target; do
  seed "$target"
  echo "== $target"
  cargo +nightly fuzz run "$target" -- -max_total_time="$seconds" -rss_limit_mb=1024 -print_final_stats=1 2>&1 | grep -E 'ERROR|SUMMARY|panicked|Test unit|executed_units|peak_rss|assertion|left:|right:' || true
  if compgen -G "artifacts/$target/*" > /dev/null; then
    echo "finding: rocketmq-remoting/fuzz/artifacts/$target" >&2
    exit 1
  fi
done
