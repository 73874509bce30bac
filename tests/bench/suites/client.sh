# shellcheck shell=bash
# What mail clients do: 100 mailboxes of 100 messages of 10 KB.

# pop3_case PEER RUN PORT PID SESSIONS CONNECTIONS
pop3_case() {
	local before after out
	before=$(cpu "$4")
	out=$("$MAILLOAD" pop3 -p "$3" -n "$5" -c "$6" -U 100 | head -n 1)
	after=$(cpu "$4")
	record pop3 "$1" "pop3 x$6" "$2" "$out cpu_ms_sess=$(calc "($after - $before) * 1000 / $5")"
}

# imap_case PEER RUN PORT PID SESSIONS CONNECTIONS
imap_case() {
	local before after out line name count extra
	before=$(cpu "$4")
	out=$("$MAILLOAD" imap -p "$3" -n "$5" -c "$6" -k 50 -S 10k -U 100 -z "$2")
	after=$(cpu "$4")
	count=$(echo "$out" | grep op=total | field n)
	while read -r line; do
		name=$(echo "$line" | field op)
		extra=
		[ "$name" != total ] || extra=" cpu_ms_cmd=$(calc "($after - $before) * 1000 / $count")"
		record imap "$1" "imap x$6 $name" "$2" "$line$extra"
	done <<<"$out"
}

# client_cases PEER RUN POP3-PORT IMAP-PORT PID
client_cases() {
	local connections sessions
	for connections in 1 10 50; do
		sessions=$(scaled $((connections == 1 ? 40 : 200)))
		pop3_case "$1" "$2" "$3" "$5" "$sessions" "$connections"
		imap_case "$1" "$2" "$4" "$5" "$sessions" "$connections"
	done
}

suite_client() {
	local format run
	for format in maildir mdbox; do
		start_peers "$format" || return 1
		"$MAILLOAD" fill -p "$OUR_IMAP" -U 100 -n 100 -c 20 -S 10k >&2 || return 1
		! has_dovecot || "$MAILLOAD" fill -p "$IMAP" -U 100 -n 100 -c 4 -B 20 -S 10k >&2 || return 1
		for ((run = 1; run <= RUNS; run++)); do
			client_cases posthorn "$run" "$OUR_POP3" "$OUR_IMAP" "$ours"
			! has_dovecot || client_cases "dovecot-$format" "$run" "$POP3" "$IMAP" "$dovecot"
		done
	done
}
