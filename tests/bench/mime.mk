# How fast messages are read: make tests/bench/bench_mime. With GMime it compares.
EXTRA_PROGRAMS += tests/bench/bench_mime
tests_bench_bench_mime_SOURCES = tests/bench/bench_mime.c
tests_bench_bench_mime_CFLAGS = $(AM_CFLAGS)
tests_bench_bench_mime_LDADD = modules/mime/libmime.la core/libcore.la
if HAVE_GMIME
tests_bench_bench_mime_CFLAGS += $(GMIME_CFLAGS) -DHAVE_GMIME
tests_bench_bench_mime_LDADD += $(GMIME_LIBS)
endif
EXTRA_DIST += tests/bench/mime_linear.sh tests/bench/README.md
