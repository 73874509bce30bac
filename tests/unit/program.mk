# The program around the core: configuration, modules, log, metrics, bus; and small modules to load.
if HAVE_CHECK
program_tests = tests/unit/test_conf tests/unit/test_module tests/unit/test_log tests/unit/test_progress tests/unit/test_metric tests/unit/test_bus
check_PROGRAMS += $(program_tests)
TESTS += $(program_tests)
endif
tests_unit_test_conf_SOURCES = tests/unit/test_conf.c
tests_unit_test_conf_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_conf_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/core -DTEST_MODULES='"$(abs_builddir)/tests/modules/.libs"'
tests_unit_test_conf_LDADD = $(TEST_LIBS)
tests_unit_test_conf_LDFLAGS = $(posthorn_LDFLAGS)
tests_unit_test_module_SOURCES = tests/unit/test_module.c
tests_unit_test_module_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_module_CPPFLAGS = $(tests_unit_test_conf_CPPFLAGS)
tests_unit_test_module_LDADD = $(TEST_LIBS)
tests_unit_test_module_LDFLAGS = $(posthorn_LDFLAGS)
tests_unit_test_progress_SOURCES = tests/unit/test_progress.c
tests_unit_test_progress_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_progress_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/core
tests_unit_test_progress_LDADD = $(TEST_LIBS)
tests_unit_test_log_SOURCES = tests/unit/test_log.c
tests_unit_test_log_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_log_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/core
tests_unit_test_log_LDADD = $(TEST_LIBS)
tests_unit_test_metric_SOURCES = tests/unit/test_metric.c
tests_unit_test_metric_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_metric_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/core
tests_unit_test_metric_LDADD = $(TEST_LIBS)
tests_unit_test_bus_SOURCES = tests/unit/test_bus.c
tests_unit_test_bus_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_bus_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/core
tests_unit_test_bus_LDADD = $(TEST_LIBS)

# libtool makes a shared object of what is not installed only when told some place for it.
TEST_MODULE_LDFLAGS = $(MODULE_LDFLAGS) -rpath /nowhere
check_LTLIBRARIES += tests/modules/fine.la tests/modules/needy.la tests/modules/circle.la tests/modules/circle_too.la \
	tests/modules/twin.la tests/modules/accounts.la tests/modules/foreign.la tests/modules/foreign_name.la tests/modules/foreign_number.la \
	tests/modules/foreign_size.la tests/modules/foreign_signature.la
tests_modules_fine_la_SOURCES = tests/modules/fine.c
tests_modules_fine_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_modules_needy_la_SOURCES = tests/modules/needy.c
tests_modules_needy_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_modules_circle_la_SOURCES = tests/modules/circle.c
tests_modules_circle_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_modules_circle_too_la_SOURCES = tests/modules/circle.c
tests_modules_circle_too_la_CPPFLAGS = $(AM_CPPFLAGS) -DCIRCLE_TOO
tests_modules_circle_too_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_modules_accounts_la_SOURCES = tests/modules/accounts.c
tests_modules_accounts_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_modules_twin_la_SOURCES = tests/modules/twin.c
tests_modules_twin_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_modules_foreign_la_SOURCES = tests/modules/foreign.c
tests_modules_foreign_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_modules_foreign_name_la_SOURCES = tests/modules/foreign.c
tests_modules_foreign_name_la_CPPFLAGS = $(AM_CPPFLAGS) -DFOREIGN_NAME
tests_modules_foreign_name_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_modules_foreign_number_la_SOURCES = tests/modules/foreign.c
tests_modules_foreign_number_la_CPPFLAGS = $(AM_CPPFLAGS) -DFOREIGN_NUMBER
tests_modules_foreign_number_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_modules_foreign_size_la_SOURCES = tests/modules/foreign.c
tests_modules_foreign_size_la_CPPFLAGS = $(AM_CPPFLAGS) -DFOREIGN_SIZE
tests_modules_foreign_size_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_modules_foreign_signature_la_SOURCES = tests/modules/foreign.c
tests_modules_foreign_signature_la_CPPFLAGS = $(AM_CPPFLAGS) -DFOREIGN_SIGNATURE
tests_modules_foreign_signature_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
