#!/bin/bash
# mime_linear.sh BUILD: counts the instructions of parsing worst cases at two sizes, one five times the other (of the
# nesting: within the limit; beyond it nothing is looked into). Fails where the work grows clearly faster than the
# input. Counts, unlike times, do not depend on what else runs. Needs valgrind.
set -u
bench=$1/tests/bench/bench_mime
failed=0

count() {
	valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=parse "$bench" "$1" "$2" 2>&1 |
		awk '/Collected/ { print $4 }'
}

while read -r name small large; do
	few=$(count "$name" "$small") many=$(count "$name" "$large")
	awk -v name="$name" -v small="$small" -v large="$large" -v few="$few" -v many="$many" 'BEGIN {
		growth = many / few; factor = large / small
		printf "%-10s %9d: %13d instructions   %9d: %13d   %.2f times for %.0f times the input\n",
			name, small, few, large, many, growth, factor
		exit growth > factor * 1.2
	}' || failed=1
done <<CASES
headers 20000 100000
parts 2000 10000
nesting 20 100
header 10000000 50000000
addresses 20000 100000
html 20000 100000
CASES
exit $failed
