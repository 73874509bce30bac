# What others read in the same messages.
check_PROGRAMS += tests/interop/mime_dump
tests_interop_mime_dump_SOURCES = tests/interop/mime_dump.c
tests_interop_mime_dump_CFLAGS = $(AM_CFLAGS)
tests_interop_mime_dump_LDADD = modules/mime/libmime.la core/libcore.la
if HAVE_GMIME
check_PROGRAMS += tests/interop/gmime_dump
endif
tests_interop_gmime_dump_SOURCES = tests/interop/gmime_dump.c
tests_interop_gmime_dump_CFLAGS = $(AM_CFLAGS) $(GMIME_CFLAGS)
tests_interop_gmime_dump_LDADD = $(GMIME_LIBS)
if HAVE_PYTHON3
TESTS += tests/interop/test_mime.py
endif
EXTRA_DIST += tests/interop/test_mime.py tests/interop/mime_readers.py tests/interop/mime_fields.py tests/interop/mime_values.py
