# The module imap.
if HAVE_CHECK
check_PROGRAMS += tests/unit/test_imap_parse tests/unit/test_imap_names tests/unit/test_imap_items \
	tests/unit/test_imap_session tests/unit/test_imap_client
TESTS += tests/unit/test_imap_parse tests/unit/test_imap_names tests/unit/test_imap_items \
	tests/unit/test_imap_session tests/unit/test_imap_client
endif
tests_unit_test_imap_parse_SOURCES = tests/unit/test_imap_parse.c
tests_unit_test_imap_parse_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_imap_parse_LDADD = modules/imap/libimap.la $(TEST_LIBS)
tests_unit_test_imap_names_SOURCES = tests/unit/test_imap_names.c
tests_unit_test_imap_names_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_imap_names_LDADD = modules/imap/libimap.la $(TEST_LIBS)
tests_unit_test_imap_items_SOURCES = tests/unit/test_imap_items.c
tests_unit_test_imap_items_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_imap_items_LDADD = modules/imap/libimap.la $(TEST_LIBS)
tests_unit_test_imap_session_SOURCES = tests/unit/test_imap_session.c tests/unit/conn_client.h
tests_unit_test_imap_session_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_imap_session_LDADD = modules/imap/libimap.la $(TEST_LIBS)
tests_unit_test_imap_client_SOURCES = tests/unit/test_imap_client.c
tests_unit_test_imap_client_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_imap_client_LDADD = modules/imap/libimap.la $(TEST_LIBS)
