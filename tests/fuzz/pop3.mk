# Logins and POP3.
FUZZ_TARGETS += tests/fuzz/fuzz_pop3
tests_fuzz_fuzz_pop3_SOURCES = tests/fuzz/fuzz_pop3.c $(FUZZ_MAIN)
tests_fuzz_fuzz_pop3_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_pop3_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_pop3_LDADD = modules/pop3/libpop3.la core/libcore.la
if BUILD_AUTH
FUZZ_TARGETS += tests/fuzz/fuzz_sasl
endif
tests_fuzz_fuzz_sasl_SOURCES = tests/fuzz/fuzz_sasl.c $(FUZZ_MAIN)
tests_fuzz_fuzz_sasl_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_sasl_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_sasl_LDADD = modules/auth/libauth.la core/libcore.la
