# What working on a large mailbox costs.
EXTRA_PROGRAMS += tests/bench/store_bench
tests_bench_store_bench_SOURCES = tests/bench/store_bench.c
tests_bench_store_bench_LDADD = modules/store/libstore.la modules/kv_lmdb/libkv_lmdb.la \
	modules/mime/libmime.la modules/address/libaddress.la core/libcore.la

# What working on a large mailbox costs for each message.
bench-store: tests/bench/store_bench
	tests/bench/store_bench
.PHONY: bench-store

# A mailbox of a million messages, and a hundred thousand mailboxes.
bench-large: all
	POSTHORN_BUILD=. $(PYTHON3) $(srcdir)/tests/bench/large_store.py mailbox
	POSTHORN_BUILD=. $(PYTHON3) $(srcdir)/tests/bench/large_store.py mailboxes
.PHONY: bench-large
EXTRA_DIST += tests/bench/large_store.py
