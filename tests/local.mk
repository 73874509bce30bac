# Tests. Each part has its own fragment, so that a test is added where it lives.
TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
TEST_LIBS = core/libcore.la $(CHECK_LIBS)
include $(srcdir)/tests/unit/core.mk
include $(srcdir)/tests/unit/program.mk
include $(srcdir)/tests/unit/mime.mk
include $(srcdir)/tests/unit/store.mk
include $(srcdir)/tests/unit/smtp.mk
include $(srcdir)/tests/unit/imap.mk
include $(srcdir)/tests/unit/pop3.mk
include $(srcdir)/tests/fuzz/local.mk
include $(srcdir)/tests/dialogue/local.mk
include $(srcdir)/tests/lua/local.mk
include $(srcdir)/tests/interop/local.mk
