#!/bin/sh
# Prints the closing line of the test runs in the given build folders: how many tests passed, failed, were skipped.
set -eu
passed=0 failed=0 skipped=0
count() {
	awk -v word="# $2:" 'index($0, word) == 1 { sum += $3 } END { print sum + 0 }' "$1/test-suite.log"
}
for build in "$@"; do
	if [ ! -f "$build/test-suite.log" ]; then
		echo "$build: no tests ran"
		failed=$((failed + 1))
		continue
	fi
	passed=$((passed + $(count "$build" PASS)))
	failed=$((failed + $(count "$build" FAIL) + $(count "$build" ERROR)))
	skipped=$((skipped + $(count "$build" SKIP)))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
