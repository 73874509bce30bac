# shellcheck shell=bash
# Download of one mailbox of 10,000 messages of 100 KB.

# fetch_case PEER RUN PORT PID CASE [OPTIONS]
fetch_case() {
	local peer=$1 run=$2 port=$3 pid=$4 name=$5 before after out
	shift 5
	before=$(cpu "$pid")
	out=$("$MAILLOAD" fetch -p "$port" -u user1 -n 1 "$@")
	after=$(cpu "$pid")
	record fetch "$peer" "fetch $name" "$run" "$out cpu_s_GB=$(calc \
		"($after - $before) * 1000 / $(echo "$out" | field MB)")"
}

# fetch_fill PORT BATCH
fetch_fill() {
	"$MAILLOAD" fill -p "$1" -u user1 -n "$(scaled 10000)" -B "$2" -S 100k -T 600 >&2
}

suite_fetch() {
	local format run
	for format in maildir mdbox; do
		start_peers "$format" || return 1
		fetch_fill "$OUR_IMAP" 1 || return 1
		! has_dovecot || fetch_fill "$IMAP" 100 || return 1
		for ((run = 1; run <= RUNS; run++)); do
			fetch_case posthorn "$run" "$OUR_IMAP" "$ours" plain
			! has_dovecot || fetch_case "dovecot-$format" "$run" "$IMAP" "$dovecot" plain
			fetch_case posthorn "$run" "$OUR_IMAPS" "$ours" tls -s
			! has_dovecot || fetch_case "dovecot-$format" "$run" "$IMAPS" "$dovecot" tls -s
		done
	done
}
