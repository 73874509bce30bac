# shellcheck shell=bash
# Taking mail in. Each case is measured with all servers one after the other, so that what else the machine does
# meets all of them.

queue_is_empty() {
	local try
	for ((try = 0; try < 1800; try++)); do
		[ "$("$POSTFIX" queued)" = 0 ] && return 0
		sleep 0.1
	done
	log "the queue did not become empty"
}

# ingest_case PEER CASE RUN COUNT PID... -- MAILLOAD-OPTIONS. `thru_s` counts until the message is in its mailbox.
ingest_case() {
	local peer=$1 name=$2 run=$3 count=$4 pids=() cpu_before cpu_after accepted_at ended_at out
	shift 4
	while [ "$1" != -- ]; do
		pids+=("$1")
		shift
	done
	shift
	cpu_before=$(cpu "${pids[@]}")
	out=$("$MAILLOAD" smtp -n "$count" -m 10 -u user%d@bench.test -U 100 -T 240 "$@")
	accepted_at=$(now)
	[[ $peer != postfix* ]] || queue_is_empty
	ended_at=$(now)
	cpu_after=$(cpu "${pids[@]}")
	record ingest "$peer" "$name" "$run" "$out thru_s=$(calc \
		"$count / ($(echo "$out" | field secs) + $ended_at - $accepted_at)") cpu_ms_msg=$(calc \
		"($cpu_after - $cpu_before) * 1000 / $count")"
}

# How many messages make a figure: Posthorn needs more for the same time.
count_for() {
	case $1 in
	5m) echo $((8 + $2)) ;;
	100k) echo $((100 + 4 * $2)) ;;
	*) echo $((200 + 50 * ($2 < 30 ? $2 : 30))) ;;
	esac
}

# ingest_round FORMAT SIZE CONNECTIONS RUN
ingest_round() {
	local format=$1 size=$2 connections=$3 run=$4 name="$2 x$3" count many
	count=$(scaled "$(count_for "$size" "$connections")")
	many=$count
	[ "$size" = 5m ] || many=$((count * 5))
	set -- -c "$connections" -S "$size"
	ingest_case posthorn-smtp "$name" "$run" "$many" "$ours" -- -p "$OUR_SMTP" "$@"
	if has_postfix; then
		ingest_case "postfix-dovecot-$format" "$name" "$run" "$count" "$postfix" "$dovecot" -- \
			-p "$SMTP" "$@"
	fi
	ingest_case posthorn-lmtp "$name" "$run" "$many" "$ours" -- -L -p "$OUR_LMTP" "$@"
	if has_dovecot; then
		ingest_case "dovecot-lmtp-$format" "$name" "$run" "$count" "$dovecot" -- -L -p "$LMTP" "$@"
	fi
}

# burst_case PEER RUN COUNT SMTP-PORT IMAP-PORT: until the last of so many messages is in its mailbox.
burst_case() {
	local peer=$1 run=$2 count=$3 smtp=$4 imap=$5 pipe began out waiter
	# Each mailbox gets a message first: Dovecot's mdbox turns deliveries away that race to create one, and Postfix
	# retries those after five minutes.
	"$MAILLOAD" fill -p "$imap" -n 1 -U 100 -c 10 >/dev/null || return 1
	pipe=$(mktemp -u "$BENCH_DIR/pipe.XXXXXX") && mkfifo "$pipe" || return 1
	"$MAILLOAD" wait -p "$imap" -n $((count + 100)) -U 100 -T 240 >"$pipe" &
	waiter=$!
	exec 4<"$pipe"
	rm -f "$pipe"
	read -r _ <&4 # READY
	began=$(now)
	out=$("$MAILLOAD" smtp -p "$smtp" -n "$count" -c 20 -m 100 -S 4k -u user%d@bench.test -U 100 -T 600)
	cat <&4 >/dev/null
	exec 4<&-
	wait "$waiter" || return 1
	record burst "$peer" "burst" "$run" "$out count=$count last_s=$(calc "$count / ($(now) - $began)")"
}

suite_ingest() {
	local format size connections run
	for format in maildir mdbox; do
		for ((run = 1; run <= RUNS; run++)); do
			for size in 1k 10k 100k 5m; do
				start_peers "$format" || return 1
				for connections in 1 10 100; do
					ingest_round "$format" "$size" "$connections" "$run"
				done
			done
			start_peers "$format" || return 1
			burst_case posthorn "$run" "$(scaled 10000)" "$OUR_SMTP" "$OUR_IMAP" || return 1
			! has_postfix || burst_case "postfix-dovecot-$format" "$run" "$(scaled 10000)" "$SMTP" "$IMAP" ||
				return 1
		done
	done
}
