# The module imap.
FUZZ_TARGETS += tests/fuzz/fuzz_imap_command tests/fuzz/fuzz_imap_response tests/fuzz/fuzz_utf7
tests_fuzz_fuzz_imap_command_SOURCES = tests/fuzz/fuzz_imap_command.c $(FUZZ_MAIN)
tests_fuzz_fuzz_imap_command_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_imap_command_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_imap_command_LDADD = modules/imap/libimap.la core/libcore.la
tests_fuzz_fuzz_utf7_SOURCES = tests/fuzz/fuzz_utf7.c $(FUZZ_MAIN)
tests_fuzz_fuzz_utf7_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_utf7_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_utf7_LDADD = modules/imap/libimap.la core/libcore.la
tests_fuzz_fuzz_imap_response_SOURCES = tests/fuzz/fuzz_imap_response.c $(FUZZ_MAIN)
tests_fuzz_fuzz_imap_response_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_imap_response_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_imap_response_LDADD = modules/imap/libimap.la core/libcore.la
