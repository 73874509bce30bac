# The load generator, and the rig that runs it against Posthorn and other servers.
MAILLOAD = tests/bench/mailload/mailload
tests_bench_mailload_mailload_SOURCES = \
	tests/bench/mailload/commands.h \
	tests/bench/mailload/connection.c tests/bench/mailload/connection.h \
	tests/bench/mailload/imap.c tests/bench/mailload/imap.h \
	tests/bench/mailload/imap_fetch.c \
	tests/bench/mailload/imap_fill.c \
	tests/bench/mailload/imap_idle.c \
	tests/bench/mailload/imap_mix.c \
	tests/bench/mailload/imap_script.c \
	tests/bench/mailload/imap_wait.c \
	tests/bench/mailload/main.c \
	tests/bench/mailload/message.c tests/bench/mailload/message.h \
	tests/bench/mailload/options.c tests/bench/mailload/options.h \
	tests/bench/mailload/pop3.c \
	tests/bench/mailload/smtp.c tests/bench/mailload/smtp.h \
	tests/bench/mailload/smtp_command.c \
	tests/bench/mailload/stream.c tests/bench/mailload/stream.h \
	tests/bench/mailload/tools.c tests/bench/mailload/tools.h
tests_bench_mailload_mailload_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS)
tests_bench_mailload_mailload_LDADD = core/libcore.la $(OPENSSL_LIBS)
EXTRA_PROGRAMS += $(MAILLOAD)
CLEANFILES += $(MAILLOAD)

if HAVE_PYTHON3
check_PROGRAMS += $(MAILLOAD)
TESTS += tests/bench/test_mailload.py
endif
EXTRA_DIST += tests/bench/test_mailload.py tests/bench/run tests/bench/table.py tests/bench/processes.py \
	tests/bench/syscalls tests/bench/peers/dovecot tests/bench/peers/postfix tests/bench/peers/posthorn \
	tests/bench/suites/big.sh tests/bench/suites/client.sh tests/bench/suites/fetch.sh \
	tests/bench/suites/idle.sh tests/bench/suites/ingest.sh tests/bench/suites/limits.sh

# BENCH: what to run, such as `make bench BENCH="ingest --quick"`.
BENCH = ingest --quick
bench: all $(MAILLOAD)
	$(srcdir)/tests/bench/run $(BENCH)
.PHONY: bench
