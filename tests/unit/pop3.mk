# Logins and POP3.
if HAVE_CHECK
check_PROGRAMS += tests/unit/test_pop3
TESTS += tests/unit/test_pop3
if BUILD_AUTH
check_PROGRAMS += tests/unit/test_auth
TESTS += tests/unit/test_auth
endif
endif
tests_unit_test_auth_SOURCES = tests/unit/test_auth.c
tests_unit_test_auth_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_auth_LDADD = modules/auth/libauth.la $(TEST_LIBS)
tests_unit_test_pop3_SOURCES = tests/unit/test_pop3.c
tests_unit_test_pop3_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_pop3_LDADD = modules/pop3/libpop3.la $(TEST_LIBS)
