# Messages and addresses.
if HAVE_CHECK
MIME_TESTS = tests/unit/test_mime tests/unit/test_mime_header tests/unit/test_mime_body tests/unit/test_mime_object \
	tests/unit/test_mime_text tests/unit/test_mime_sort tests/unit/test_mime_list tests/unit/test_mime_build \
	tests/unit/test_address
check_PROGRAMS += $(MIME_TESTS)
TESTS += $(MIME_TESTS)
endif
tests_unit_test_mime_SOURCES = tests/unit/test_mime.c
tests_unit_test_mime_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_mime_LDADD = modules/mime/libmime.la $(TEST_LIBS)
tests_unit_test_mime_header_SOURCES = tests/unit/test_mime_header.c
tests_unit_test_mime_header_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_mime_header_LDADD = modules/mime/libmime.la $(TEST_LIBS)
tests_unit_test_mime_body_SOURCES = tests/unit/test_mime_body.c
tests_unit_test_mime_body_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_mime_body_LDADD = modules/mime/libmime.la $(TEST_LIBS)
tests_unit_test_mime_object_SOURCES = tests/unit/test_mime_object.c tests/unit/lua_host_run.c tests/unit/lua_host_run.h
tests_unit_test_mime_object_CPPFLAGS = $(AM_CPPFLAGS) -DTEST_SCRIPTS='"$(abs_srcdir)/scripts"'
tests_unit_test_mime_object_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_mime_object_LDADD = modules/mime/libmime.la $(TEST_LIBS)
tests_unit_test_mime_text_SOURCES = tests/unit/test_mime_text.c
tests_unit_test_mime_text_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_mime_text_LDADD = modules/mime/libmime.la $(TEST_LIBS)
tests_unit_test_mime_sort_SOURCES = tests/unit/test_mime_sort.c
tests_unit_test_mime_sort_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_mime_sort_LDADD = modules/mime/libmime.la $(TEST_LIBS)
tests_unit_test_mime_list_SOURCES = tests/unit/test_mime_list.c
tests_unit_test_mime_list_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_mime_list_LDADD = modules/mime/libmime.la $(TEST_LIBS)
tests_unit_test_mime_build_SOURCES = tests/unit/test_mime_build.c
tests_unit_test_mime_build_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_mime_build_LDADD = modules/mime/libmime.la $(TEST_LIBS)
tests_unit_test_address_SOURCES = tests/unit/test_address.c
tests_unit_test_address_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_address_LDADD = modules/address/libaddress.la $(TEST_LIBS)
EXTRA_DIST += tests/unit/data/mime
