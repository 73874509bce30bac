# Fuzz targets of the core.
FUZZ_TARGETS += tests/fuzz/fuzz_line tests/fuzz/fuzz_proxy
tests_fuzz_fuzz_line_SOURCES = tests/fuzz/fuzz_line.c $(FUZZ_MAIN)
tests_fuzz_fuzz_line_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_line_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_line_LDADD = core/libcore.la
tests_fuzz_fuzz_proxy_SOURCES = tests/fuzz/fuzz_proxy.c $(FUZZ_MAIN)
tests_fuzz_fuzz_proxy_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_proxy_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_proxy_LDADD = core/libcore.la
