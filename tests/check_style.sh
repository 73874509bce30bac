#!/bin/bash
# Holds the invariants of the tree that a compiler does not. Run from anywhere; prints each breach and fails.
# Where BUILD names a build folder, its modules are looked at as well.
set -u
cd "$(dirname "$0")/.." || exit 1
[ -e .git ] || { echo "not a checkout: nothing to hold" && exit 77; }
breaches=0

breach() {
	printf '%s\n' "$*"
	breaches=$((breaches + 1))
}

# none TEXT LINES: every line is a breach of TEXT.
none() {
	[ -z "$2" ] && return
	breach "$1:"
	printf '%s\n' "$2" | head -n 20 | sed 's/^/    /'
}

sources() { find core modules tests -name '*.[ch]' "$@"; }

none "core/ knows no protocol" "$(grep -rniE 'smtp|imap|pop3|lmtp|mailbox|rcpt' core/ --include='*' || true)"
none "ev.h belongs in core/loop.c only" "$(grep -rnE '#include <ev(\.h|/)' core modules | grep -v '^core/loop\.c:' || true)"
none "openssl/ssl.h belongs in core/layer_tls.c only" \
	"$(grep -rn '#include <openssl/ssl.h>' core modules | grep -v '^core/layer_tls\.c:' || true)"
none "lmdb.h belongs in modules/kv_lmdb only" "$(grep -rn '#include <lmdb.h>' core modules | grep -v '^modules/kv_lmdb/' || true)"
none "threads belong in core/offload.c, core/loop.c and modules/kv_lmdb only" \
	"$(grep -rnE '\bpthread_|<threads.h>' core modules --include='*.[ch]' |
		grep -vE '^(core/(offload|loop)\.c|modules/kv_lmdb/)' || true)"
none "banned functions" \
	"$(grep -rnE '\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|alloca)\(' core modules tests --include='*.[ch]' |
		grep -vE '^[^:]*:[0-9]*:[ 	]*(/?\*)' || true)"
none "assert() belongs in tests only" \
	"$(grep -rnE '\bassert\(' core modules --include='*.[ch]' |
		grep -vE '_assert|static_assert|^[^:]*:[0-9]*:[ 	]*(/?\*)' || true)"

for folder in modules/*/; do
	name=$(basename "$folder")
	[ "$name" = include ] && continue
	[ -f "$folder/README.md" ] || breach "$folder has no README.md"
done
none "a module includes another's private header" \
	"$(grep -roE '#include "[^"]+"' modules --include='*.[ch]' | awk -F'[:"]' '{
		split($1, folder, "/")
		path = $1
		sub("[^/]*$", $3, path)
		while (sub("[^/]+/[.][.]/", "", path));
		if (index(path, "modules/" folder[2] "/") != 1) print $1 ": " $3
	}')"

# Every hook point has help, a failure rule where it decides, and a test that names it.
for hook in $(grep -rhoE '\.name = "[a-z]+\.[a-z_]+"' core modules --include='*.c' | sed 's/.*"\(.*\)"/\1/' | sort -u); do
	grep -rqF "$hook" tests || breach "the hook $hook has no test"
done

# Long functions hide a missing type.
none "functions of more than 100 lines" "$(sources -name '*.c' -print0 | xargs -0 awk '
	FNR == 1 { start = 0 }
	/^\{/ { start = FNR }
	/^\}/ { if (start && FNR - start > 100) print FILENAME ":" start ": " FNR - start " lines"; start = 0 }')"

none "paths of somebody's machine" "$(git grep -nE '(/work|/tmp/b-|/root)/' -- ':!tests/check_style.sh' || true)"

includes="-Icore/include -Imodules/include $(pkg-config --cflags lua5.4 2>/dev/null)"
for header in core/include/posthorn/*.h modules/include/posthorn/*.h; do
	# shellcheck disable=SC2086
	echo "#include \"$header\"" | ${CC:-cc} -std=c17 -D_GNU_SOURCE -I. $includes -fsyntax-only -x c - 2>/dev/null ||
		breach "$header does not compile alone"
done

if [ -n "${BUILD:-}" ]; then
	for object in "$BUILD"/modules/.libs/*.so; do
		symbols=$(nm -D --defined-only "$object" | awk '$2 != "w" && $3 !~ /^(__|_init|_fini|_edata|_end)/ { print $3 }')
		[ "$symbols" = ph_module ] || breach "$object exports more than ph_module: $(echo $symbols | cut -c1-200)"
	done
fi

if command -v clang-format >/dev/null; then
	none "not in the house format (make format)" \
		"$(clang-format --dry-run $(git ls-files '*.c' '*.h') 2>&1 | grep -E 'warning:' | cut -d: -f1 | sort -u)"
elif [ "${CLANG_FORMAT:-}" = required ]; then
	breach "clang-format is missing"
fi

[ "$breaches" = 0 ] && echo "style: no breach"
[ "$breaches" = 0 ]
