# Killing the server under load. `make check` does a short run, `make check-crash` a long one.
if HAVE_PYTHON3
TESTS += tests/crash/load.py
endif
EXTRA_DIST += tests/crash/load.py

check_LTLIBRARIES += tests/crash/failing_calls.la tests/crash/starved.la
tests_crash_failing_calls_la_SOURCES = tests/crash/failing_calls.c
tests_crash_failing_calls_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_crash_starved_la_SOURCES = tests/crash/starved.c
tests_crash_starved_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)

if HAVE_CHECK
if BUILD_KV_LMDB
crash_tests = tests/crash/test_allocation tests/crash/test_kv_crash tests/crash/test_kv_disk
check_PROGRAMS += $(crash_tests)
TESTS += $(crash_tests)
endif
endif
tests_crash_test_kv_crash_SOURCES = tests/crash/test_kv_crash.c tests/crash/recorder.c tests/crash/recorder.h \
	tests/crash/work.c tests/crash/work.h tests/contract/kv.h tests/contract/kv_process.c \
	tests/contract/kv_process.h tests/unit/fiber_main.h tests/unit/temporary.h
tests_crash_test_kv_crash_CFLAGS = $(TEST_CFLAGS)
tests_crash_test_kv_crash_LDADD = modules/kv_lmdb/libkv_lmdb.la $(TEST_LIBS)
tests_crash_test_kv_disk_SOURCES = tests/crash/test_kv_disk.c tests/unit/fiber_main.h tests/unit/temporary.h
tests_crash_test_kv_disk_CFLAGS = $(TEST_CFLAGS)
tests_crash_test_kv_disk_LDADD = modules/kv_lmdb/libkv_lmdb.la $(TEST_LIBS)

tests_crash_test_allocation_SOURCES = tests/crash/test_allocation.c tests/crash/failing_allocation.c \
	tests/crash/failing_allocation.h tests/contract/kv.h tests/contract/kv_process.c tests/contract/kv_process.h \
	tests/unit/fiber_main.h tests/unit/temporary.h
tests_crash_test_allocation_CFLAGS = $(TEST_CFLAGS)
tests_crash_test_allocation_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=calloc,--wrap=realloc
tests_crash_test_allocation_LDADD = modules/kv_lmdb/libkv_lmdb.la $(TEST_LIBS)

check-crash: all tests/crash/test_kv_crash tests/crash/test_allocation tests/crash/starved.la
	$(srcdir)/tests/crash/load.py --messages 5000 --starved 5000
	KV_CRASH_STATES=5000 KV_KILL_ROUNDS=200 KV_FAULTS=1000 tests/crash/test_kv_crash
	ALLOCATION_ROUNDS=500 tests/crash/test_allocation
.PHONY: check-crash
