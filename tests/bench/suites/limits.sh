# shellcheck shell=bash
# What the generator can send at most: Postfix's smtp-sink takes messages and stores nothing.

suite_limits() {
	local run connections sink port=$((PORT_BASE + 27))
	command -v smtp-sink >/dev/null || { log "no smtp-sink (it comes with Postfix)"; return 1; }
	smtp-sink -u nobody "127.0.0.1:$port" 1000 &
	sink=$!
	sleep 0.5
	for ((run = 1; run <= RUNS; run++)); do
		for connections in 1 10 100; do
			record limits smtp-sink "1k x$connections" "$run" "$("$MAILLOAD" smtp -p "$port" \
				-n "$(scaled 10000)" -c "$connections" -m 100 -S 1k)"
		done
	done
	kill "$sink"
	wait "$sink" 2>/dev/null
	return 0
}
