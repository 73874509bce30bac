# SMTP.
FUZZ_TARGETS += tests/fuzz/fuzz_smtp_data tests/fuzz/fuzz_smtp_command
tests_fuzz_fuzz_smtp_data_SOURCES = tests/fuzz/fuzz_smtp_data.c $(FUZZ_MAIN)
tests_fuzz_fuzz_smtp_data_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_smtp_data_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_smtp_data_LDADD = modules/smtp/libsmtp.la core/libcore.la
tests_fuzz_fuzz_smtp_command_SOURCES = tests/fuzz/fuzz_smtp_command.c $(FUZZ_MAIN)
tests_fuzz_fuzz_smtp_command_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_fuzz_smtp_command_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_smtp_command_LDADD = modules/smtp/libsmtp.la modules/address/libaddress.la core/libcore.la
