# What working on a large mailbox costs.
EXTRA_PROGRAMS += tests/bench/store_bench
tests_bench_store_bench_SOURCES = tests/bench/store_bench.c
tests_bench_store_bench_LDADD = modules/store/libstore.la modules/kv_lmdb/libkv_lmdb.la \
	modules/mime/libmime.la modules/address/libaddress.la core/libcore.la

# What working on a large mailbox costs for each message.
bench-store: tests/bench/store_bench
	tests/bench/store_bench
.PHONY: bench-store
