# shellcheck shell=bash
# One mailbox of 100,000 messages of 2 KB.

big_commands=(
	'SELECT INBOX'
	'UID FETCH 1:* (FLAGS)'
	'UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)'
	'UID FETCH 1:* (ENVELOPE)'
	'UID SEARCH UNSEEN'
	'UID SEARCH FROM "bakeba"'
	'UID SEARCH SUBJECT "limono"'
	'UID SORT (REVERSE DATE) UTF-8 ALL'
	'UID SORT (SUBJECT) UTF-8 ALL'
	'UID THREAD REFERENCES UTF-8 ALL'
	'UID SEARCH TEXT "quiquiqui"'
	'UID STORE 1:* +FLAGS.SILENT (\Flagged)'
)

# big_case PEER RUN PORT WHEN: a command that the server does not know has no figure.
big_case() {
	local arguments=() command line
	for command in "${big_commands[@]}"; do
		arguments+=(-e "$command")
	done
	"$MAILLOAD" script -p "$3" -u user1 -T 600 "${arguments[@]}" | while read -r line; do
		[[ $line != *' ok=1 '* ]] || record big "$1" "$4 ${line#*cmd=}" "$2" "${line%cmd=*}"
	done
}

# big_fill PORT BATCH [OPTIONS]
big_fill() {
	"$MAILLOAD" fill -p "$1" -u user1 -n "$(scaled 100000)" -B "$2" -S 2k -T 1800 >&2
}

suite_big() {
	local format run
	for format in maildir mdbox; do
		start_peers "$format" || return 1
		big_fill "$OUR_IMAP" 1 || return 1
		! has_dovecot || big_fill "$IMAP" 1000 || return 1
		big_case posthorn 1 "$OUR_IMAP" first
		! has_dovecot || big_case "dovecot-$format" 1 "$IMAP" first
		for ((run = 1; run <= RUNS; run++)); do
			big_case posthorn "$run" "$OUR_IMAP" again
			! has_dovecot || big_case "dovecot-$format" "$run" "$IMAP" again
		done
	done
}
