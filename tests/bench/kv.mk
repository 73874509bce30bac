# What the store's kv makes durable, beside other ways.
if HAVE_CHECK
if BUILD_KV_LMDB
EXTRA_PROGRAMS += tests/bench/kv_bench
endif
endif
tests_bench_kv_bench_SOURCES = tests/bench/kv_bench.c tests/unit/temporary.h
tests_bench_kv_bench_CFLAGS = $(TEST_CFLAGS) $(LMDB_CFLAGS)
tests_bench_kv_bench_LDADD = modules/kv_lmdb/libkv_lmdb.la $(TEST_LIBS) $(LMDB_LIBS)
CLEANFILES += tests/bench/kv_bench

bench-kv: tests/bench/kv_bench
	tests/bench/kv_bench
.PHONY: bench-kv
