# Fuzz targets. With --enable-fuzz they are built for libFuzzer (make check-fuzz); otherwise with a main() that
# feeds them the corpus once, as a test.
if FUZZ
FUZZ_MAIN =
FUZZ_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
else
FUZZ_MAIN = tests/fuzz/replay.c
FUZZ_LDFLAGS = $(AM_LDFLAGS)
endif
FUZZ_CFLAGS = $(AM_CFLAGS)
# Each part appends its targets here and to TESTS, as tests/fuzz/fuzz_NAME; corpus in tests/fuzz/corpus/NAME/.
FUZZ_TARGETS =
EXTRA_DIST += tests/fuzz/corpus tests/fuzz/run.sh tests/fuzz/README.md

# A target is declared so, in a fragment included below:
#   FUZZ_TARGETS += tests/fuzz/fuzz_line
#   tests_fuzz_fuzz_line_SOURCES = tests/fuzz/fuzz_line.c $(FUZZ_MAIN)
#   tests_fuzz_fuzz_line_CFLAGS = $(FUZZ_CFLAGS)
#   tests_fuzz_fuzz_line_LDFLAGS = $(FUZZ_LDFLAGS)
#   tests_fuzz_fuzz_line_LDADD = core/libcore.la

include $(srcdir)/tests/fuzz/core.mk
include $(srcdir)/tests/fuzz/program.mk
include $(srcdir)/tests/fuzz/mime.mk
include $(srcdir)/tests/fuzz/imap.mk
include $(srcdir)/tests/fuzz/pop3.mk
include $(srcdir)/tests/fuzz/smtp.mk
include $(srcdir)/tests/fuzz/store.mk

check_PROGRAMS += $(FUZZ_TARGETS)
if !FUZZ
TESTS += $(FUZZ_TARGETS)
endif
fuzz-targets: $(FUZZ_TARGETS)
.PHONY: fuzz-targets
