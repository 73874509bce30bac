# Tests. Each part has its own fragment, so that a test is added where it lives.
TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
TEST_LIBS = core/libcore.la $(CHECK_LIBS)

# What every test finds in its environment: where it was built, where its sources are. A busy machine is no failure.
AM_TESTS_ENVIRONMENT = \
	BUILD='$(abs_builddir)'; export BUILD; \
	SOURCE='$(abs_srcdir)'; export SOURCE; \
	PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE; \
	CK_DEFAULT_TIMEOUT=120; export CK_DEFAULT_TIMEOUT;
if SANITIZE
# A forked test would hide leaks from its parent's report.
AM_TESTS_ENVIRONMENT += CK_FORK=no; export CK_FORK;
endif

TESTS += tests/check_style.sh
dist_check_SCRIPTS = tests/check_style.sh tests/summary.sh
include $(srcdir)/tests/unit/core.mk
include $(srcdir)/tests/unit/program.mk
include $(srcdir)/tests/unit/policy.mk
include $(srcdir)/tests/unit/mime.mk
include $(srcdir)/tests/unit/store.mk
include $(srcdir)/tests/unit/smtp.mk
include $(srcdir)/tests/unit/imap.mk
include $(srcdir)/tests/unit/pop3.mk
include $(srcdir)/tests/fuzz/local.mk
include $(srcdir)/tests/dialogue/local.mk
include $(srcdir)/tests/lua/local.mk
include $(srcdir)/tests/interop/local.mk
include $(srcdir)/tests/crash/local.mk
include $(srcdir)/tests/interop/mime.mk
include $(srcdir)/tests/bench/kv.mk
include $(srcdir)/tests/bench/load.mk
include $(srcdir)/tests/bench/mime.mk
include $(srcdir)/tests/bench/store.mk
