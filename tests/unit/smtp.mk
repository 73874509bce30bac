# SMTP and delivery.
if HAVE_CHECK
check_PROGRAMS += tests/unit/test_smtp tests/unit/test_smtp_dots tests/unit/test_delivery
TESTS += tests/unit/test_smtp tests/unit/test_smtp_dots tests/unit/test_delivery
endif
tests_unit_test_smtp_SOURCES = tests/unit/test_smtp.c
tests_unit_test_smtp_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_smtp_LDADD = modules/smtp/libsmtp.la modules/address/libaddress.la $(TEST_LIBS)
tests_unit_test_smtp_dots_SOURCES = tests/unit/test_smtp_dots.c
tests_unit_test_smtp_dots_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_smtp_dots_LDADD = modules/smtp/libsmtp.la $(TEST_LIBS)
tests_unit_test_delivery_SOURCES = tests/unit/test_delivery.c
tests_unit_test_delivery_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_delivery_LDADD = modules/delivery/libdelivery.la modules/address/libaddress.la $(TEST_LIBS)
