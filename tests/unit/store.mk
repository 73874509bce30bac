# The contract of the kv service, held against each provider; and the store.
if HAVE_CHECK
if BUILD_KV_LMDB
store_tests = tests/contract/test_kv_lmdb tests/contract/test_kv_lmdb_traps tests/contract/test_kv_memory tests/unit/test_store_sets \
	tests/unit/test_store_mailboxes tests/unit/test_store tests/unit/test_store_model \
	tests/unit/test_store_quota tests/unit/test_store_changes tests/unit/test_store_check \
	tests/unit/test_store_import tests/unit/test_store_scale tests/unit/test_store_faults \
	tests/unit/test_store_threads tests/unit/test_store_rights
check_PROGRAMS += $(store_tests)
TESTS += $(store_tests)
endif
endif
KV_CONTRACT_SOURCES = tests/contract/kv.c tests/contract/kv.h tests/contract/kv_faulty.c tests/contract/kv_faulty.h \
	tests/contract/kv_faulty_contract.c tests/contract/kv_process.c tests/contract/kv_process.h \
	tests/unit/fiber_main.h tests/unit/temporary.h
tests_contract_test_kv_lmdb_SOURCES = tests/contract/test_kv_lmdb.c \
	tests/contract/kv_lmdb_journal.c tests/contract/kv_lmdb_journal.h $(KV_CONTRACT_SOURCES)
tests_contract_test_kv_lmdb_CFLAGS = $(TEST_CFLAGS)
tests_contract_test_kv_lmdb_LDADD = modules/kv_lmdb/libkv_lmdb.la $(TEST_LIBS)
tests_contract_test_kv_lmdb_traps_SOURCES = tests/contract/test_kv_lmdb_traps.c tests/unit/fiber_main.h \
	tests/unit/temporary.h
tests_contract_test_kv_lmdb_traps_CFLAGS = $(TEST_CFLAGS)
tests_contract_test_kv_lmdb_traps_LDADD = modules/kv_lmdb/libkv_lmdb.la $(TEST_LIBS)
tests_contract_test_kv_memory_SOURCES = tests/contract/test_kv_memory.c $(KV_CONTRACT_SOURCES)
tests_contract_test_kv_memory_CFLAGS = $(TEST_CFLAGS)
tests_contract_test_kv_memory_LDADD = modules/kv_memory/libkv_memory.la $(TEST_LIBS)
# The store is tested over each kv.
STORE_TEST_SOURCES = tests/unit/store_fixture.h tests/unit/store_kv.h tests/contract/kv_faulty.c tests/contract/kv_faulty.h \
	tests/unit/fiber_main.h tests/unit/temporary.h
STORE_TEST_LIBS = modules/store/libstore.la modules/kv_lmdb/libkv_lmdb.la modules/kv_memory/libkv_memory.la \
	modules/mime/libmime.la modules/address/libaddress.la $(TEST_LIBS)
tests_unit_test_store_sets_SOURCES = tests/unit/test_store_sets.c
tests_unit_test_store_sets_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_store_sets_LDADD = $(STORE_TEST_LIBS)
tests_unit_test_store_SOURCES = tests/unit/test_store.c $(STORE_TEST_SOURCES)
tests_unit_test_store_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_store_LDADD = $(STORE_TEST_LIBS)
tests_unit_test_store_model_SOURCES = tests/unit/test_store_model.c $(STORE_TEST_SOURCES)
tests_unit_test_store_model_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_store_model_LDADD = $(STORE_TEST_LIBS)
tests_unit_test_store_quota_SOURCES = tests/unit/test_store_quota.c $(STORE_TEST_SOURCES)
tests_unit_test_store_quota_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_store_quota_LDADD = $(STORE_TEST_LIBS)
tests_unit_test_store_changes_SOURCES = tests/unit/test_store_changes.c $(STORE_TEST_SOURCES)
tests_unit_test_store_changes_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_store_changes_LDADD = $(STORE_TEST_LIBS)
tests_unit_test_store_check_SOURCES = tests/unit/test_store_check.c $(STORE_TEST_SOURCES)
tests_unit_test_store_check_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_store_check_LDADD = $(STORE_TEST_LIBS)
tests_unit_test_store_import_SOURCES = tests/unit/test_store_import.c $(STORE_TEST_SOURCES)
tests_unit_test_store_import_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_store_import_LDADD = $(STORE_TEST_LIBS)
tests_unit_test_store_scale_SOURCES = tests/unit/test_store_scale.c $(STORE_TEST_SOURCES)
tests_unit_test_store_scale_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_store_scale_LDADD = $(STORE_TEST_LIBS)
tests_unit_test_store_faults_SOURCES = tests/unit/test_store_faults.c tests/unit/store_census.h \
	tests/unit/store_operations.h $(STORE_TEST_SOURCES)
tests_unit_test_store_faults_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_store_faults_LDADD = $(STORE_TEST_LIBS)
tests_unit_test_store_mailboxes_SOURCES = tests/unit/test_store_mailboxes.c $(STORE_TEST_SOURCES)
tests_unit_test_store_mailboxes_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_store_mailboxes_LDADD = $(STORE_TEST_LIBS)
tests_unit_test_store_threads_SOURCES = tests/unit/test_store_threads.c $(STORE_TEST_SOURCES)
tests_unit_test_store_threads_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_store_threads_LDADD = $(STORE_TEST_LIBS)
tests_unit_test_store_rights_SOURCES = tests/unit/test_store_rights.c $(STORE_TEST_SOURCES)
tests_unit_test_store_rights_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_store_rights_LDADD = $(STORE_TEST_LIBS)
