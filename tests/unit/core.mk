# The core's own parts: memory and text, fibers, the loop, connections.
if HAVE_CHECK
core_tests = tests/unit/test_mem tests/unit/test_str tests/unit/test_buf tests/unit/test_map \
	tests/unit/test_fiber tests/unit/test_loop tests/unit/test_conn tests/unit/test_proxy \
	tests/unit/test_tls tests/unit/test_stream
check_PROGRAMS += $(core_tests)
TESTS += $(core_tests)
endif
tests_unit_test_mem_SOURCES = tests/unit/test_mem.c
tests_unit_test_mem_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_mem_LDADD = $(TEST_LIBS)
tests_unit_test_str_SOURCES = tests/unit/test_str.c
tests_unit_test_str_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_str_LDADD = $(TEST_LIBS)
tests_unit_test_buf_SOURCES = tests/unit/test_buf.c
tests_unit_test_buf_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_buf_LDADD = $(TEST_LIBS)
tests_unit_test_map_SOURCES = tests/unit/test_map.c
tests_unit_test_map_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_map_LDADD = $(TEST_LIBS)
tests_unit_test_fiber_SOURCES = tests/unit/test_fiber.c
tests_unit_test_fiber_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_fiber_LDADD = $(TEST_LIBS)
tests_unit_test_loop_SOURCES = tests/unit/test_loop.c
tests_unit_test_loop_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_loop_LDADD = $(TEST_LIBS)
tests_unit_test_conn_SOURCES = tests/unit/test_conn.c tests/unit/conn_client.h
tests_unit_test_conn_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_conn_LDADD = $(TEST_LIBS)
tests_unit_test_proxy_SOURCES = tests/unit/test_proxy.c
tests_unit_test_proxy_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_proxy_LDADD = $(TEST_LIBS)
tests_unit_test_stream_SOURCES = tests/unit/test_stream.c tests/unit/conn_client.h tests/unit/temporary.h
tests_unit_test_stream_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_stream_LDADD = $(TEST_LIBS)
tests_unit_test_tls_SOURCES = tests/unit/test_tls.c tests/unit/conn_client.h
tests_unit_test_tls_CFLAGS = $(TEST_CFLAGS) $(OPENSSL_CFLAGS)
tests_unit_test_tls_LDADD = $(TEST_LIBS) $(OPENSSL_LIBS)
