# shellcheck shell=bash
# Connections in IDLE: their memory, how fast they log in, and how soon they learn of a message.

# per_connection BEFORE AFTER CONNECTIONS: what grew, of two lines of processes.py.
per_connection() {
	awk -v before="$1" -v after="$2" -v n="$3" '
	function read_line(line, figures,    words, i, pair) {
		split(line, words)
		for (i in words) { split(words[i], pair, "="); figures[pair[1]] = pair[2] }
	}
	BEGIN {
		read_line(before, was)
		read_line(after, is)
		printf "pss_per=%.0f private_per=%.0f kernel_per=%.0f procs=%d", (is["pss"] - was["pss"]) / n, \
			(is["private"] - was["private"]) / n, (is["kernel"] - was["kernel"]) / n, is["procs"]
	}'
}

# idle_case PEER RUN PORT PID CASE CONNECTIONS SETTLE LMTP-PORT [OPTIONS]
idle_case() {
	local peer=$1 run=$2 port=$3 pid=$4 name=$5 connections=$6 settle=$7 lmtp=$8 before after out
	shift 8
	before=$(python3 "$here/processes.py" mem "$pid")
	after=$(mktemp "$BENCH_DIR/memory.XXXXXX")
	out=$("$MAILLOAD" idle -p "$port" "$@" -c "$connections" -U 100 -T 300 \
		-x "sleep $settle; python3 '$here/processes.py' mem $pid >'$after'" \
		-J 100 -d "127.0.0.1:$lmtp" -L -R user%d@bench.test)
	record idle "$peer" "$name" "$run" "$(echo "$out" | grep 'RESULT idle') $(per_connection "$before" \
		"$(cat "$after")" "$connections")"
	record push "$peer" "$name" "$run" "$(echo "$out" | grep 'RESULT push')"
	rm -f "$after"
}

# idle_round PROFILE RUN CONNECTIONS TLS
idle_round() {
	local profile=$1 run=$2 connections=$3 tls=$4 options=() port=$IMAP our_port=$OUR_IMAP settle=2
	if [ "$tls" = tls ]; then
		options=(-s) port=$IMAPS our_port=$OUR_IMAPS
	fi
	[ "$profile" != hibernate ] || settle=8
	start_peers maildir "$profile" || return 1
	"$MAILLOAD" fill -p "$OUR_IMAP" -n 1 -U 100 -c 2 >/dev/null || return 1
	idle_case posthorn "$run" "$our_port" "$ours" "idle $connections $tls" "$connections" 2 "$OUR_LMTP" \
		"${options[@]}"
	has_dovecot || return 0
	"$MAILLOAD" fill -p "$IMAP" -n 1 -U 100 -c 2 >/dev/null || return 1
	idle_case "dovecot-$profile" "$run" "$port" "$dovecot" "idle $connections $tls" "$connections" "$settle" \
		"$LMTP" "${options[@]}"
}

suite_idle() {
	local profile connections tls run old
	# Dovecot takes one inotify instance for each process; Debian's limit of 128 is too low for it.
	old=$(cat /proc/sys/fs/inotify/max_user_instances)
	! has_dovecot || echo 30000 >/proc/sys/fs/inotify/max_user_instances
	for profile in tuned hibernate; do
		for connections in 500 2000; do
			for tls in plain tls; do
				for ((run = 1; run <= RUNS; run++)); do
					idle_round "$profile" "$run" "$(scaled "$connections")" "$tls" || return 1
				done
			done
		done
	done
	! has_dovecot || echo "$old" >/proc/sys/fs/inotify/max_user_instances
}
