#!/bin/bash
# run.sh BUILD SECONDS [SEED]: builds the fuzz targets in a folder configured with --enable-fuzz, and runs each for so
# many seconds from its corpus; with a seed other than 0, every time alike. What it finds lies in BUILD/fuzz-finds; the
# corpus itself is not changed.
set -u
build=$1 seconds=$2 seed=${3:-0}
source=$(cd "$(dirname "$0")/../.." && pwd)
make --no-print-directory -C "$build" fuzz-targets || exit 1
mkdir -p "$build/fuzz-finds"
failed=0 ran=0
for target in "$build"/tests/fuzz/fuzz_*; do
	[ -f "$target" ] && [ -x "$target" ] || continue
	name=${target##*/fuzz_}
	scratch=$(mktemp -d)
	echo "fuzzing $name for $seconds s"
	if ! "$target" -seed="$seed" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=0 -verbosity=0 \
		-artifact_prefix="$build/fuzz-finds/$name-" "$scratch" "$source/tests/fuzz/corpus/$name" \
		>"$build/fuzz-finds/$name.log" 2>&1; then
		tail -n 40 "$build/fuzz-finds/$name.log"
		failed=$((failed + 1))
	fi
	ran=$((ran + 1))
	rm -rf "$scratch"
done
echo "fuzzing: $ran targets, $failed with finds"
[ "$failed" = 0 ] && [ "$ran" -gt 0 ]
