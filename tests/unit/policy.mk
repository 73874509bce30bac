# Test programs of hooks and of the Lua host.
if HAVE_CHECK
policy_tests = tests/unit/test_hook tests/unit/test_verdict tests/unit/test_command tests/unit/test_lua_host \
	tests/unit/test_lua_session
check_PROGRAMS += $(policy_tests)
TESTS += $(policy_tests)
endif
tests_unit_test_hook_SOURCES = tests/unit/test_hook.c tests/unit/fiber_main.h
tests_unit_test_hook_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_hook_LDADD = $(TEST_LIBS)
tests_unit_test_verdict_SOURCES = tests/unit/test_verdict.c
tests_unit_test_verdict_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_verdict_LDADD = $(TEST_LIBS)
tests_unit_test_command_SOURCES = tests/unit/test_command.c
tests_unit_test_command_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_command_LDADD = $(TEST_LIBS)

# The scripts lie in the source folder, also when it is not the one that is built in.
lua_host_folders = -DTEST_LUA='"$(abs_srcdir)/tests/lua"' -DTEST_SCRIPTS='"$(abs_srcdir)/scripts"'
lua_host_sources = tests/unit/lua_host_run.c tests/unit/lua_host_run.h tests/unit/fiber_main.h
tests_unit_test_lua_host_SOURCES = tests/unit/test_lua_host.c $(lua_host_sources)
tests_unit_test_lua_host_CPPFLAGS = $(AM_CPPFLAGS) $(lua_host_folders)
tests_unit_test_lua_host_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_lua_host_LDADD = $(TEST_LIBS)
tests_unit_test_lua_session_SOURCES = tests/unit/test_lua_session.c tests/unit/conn_client.h $(lua_host_sources)
tests_unit_test_lua_session_CPPFLAGS = $(AM_CPPFLAGS) $(lua_host_folders)
tests_unit_test_lua_session_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_lua_session_LDADD = $(TEST_LIBS)
