# Messages and addresses.
FUZZ_TARGETS += tests/fuzz/fuzz_mime tests/fuzz/fuzz_summary tests/fuzz/fuzz_header tests/fuzz/fuzz_build tests/fuzz/fuzz_edit \
	tests/fuzz/fuzz_address
tests_fuzz_fuzz_mime_SOURCES = tests/fuzz/fuzz_mime.c $(FUZZ_MAIN)
tests_fuzz_fuzz_mime_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_mime_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_mime_LDADD = modules/mime/libmime.la core/libcore.la
tests_fuzz_fuzz_summary_SOURCES = tests/fuzz/fuzz_summary.c $(FUZZ_MAIN)
tests_fuzz_fuzz_summary_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_summary_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_summary_LDADD = modules/mime/libmime.la core/libcore.la
tests_fuzz_fuzz_header_SOURCES = tests/fuzz/fuzz_header.c $(FUZZ_MAIN)
tests_fuzz_fuzz_header_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_header_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_header_LDADD = modules/mime/libmime.la core/libcore.la
tests_fuzz_fuzz_build_SOURCES = tests/fuzz/fuzz_build.c $(FUZZ_MAIN)
tests_fuzz_fuzz_build_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_build_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_build_LDADD = modules/mime/libmime.la core/libcore.la
tests_fuzz_fuzz_edit_SOURCES = tests/fuzz/fuzz_edit.c $(FUZZ_MAIN)
tests_fuzz_fuzz_edit_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_edit_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_edit_LDADD = modules/mime/libmime.la core/libcore.la
tests_fuzz_fuzz_address_SOURCES = tests/fuzz/fuzz_address.c $(FUZZ_MAIN)
tests_fuzz_fuzz_address_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_address_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_address_LDADD = modules/address/libaddress.la core/libcore.la
