# The module store.
FUZZ_TARGETS += tests/fuzz/fuzz_mbox tests/fuzz/fuzz_maildir
tests_fuzz_fuzz_mbox_SOURCES = tests/fuzz/fuzz_mbox.c $(FUZZ_MAIN)
tests_fuzz_fuzz_mbox_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_mbox_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_mbox_LDADD = modules/store/libstore.la core/libcore.la
tests_fuzz_fuzz_maildir_SOURCES = tests/fuzz/fuzz_maildir.c $(FUZZ_MAIN)
tests_fuzz_fuzz_maildir_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_maildir_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_maildir_LDADD = modules/store/libstore.la core/libcore.la
