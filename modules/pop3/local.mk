# The module pop3.
noinst_LTLIBRARIES += modules/pop3/libpop3.la
if BUILD_POP3
pkglib_LTLIBRARIES += modules/pop3.la
endif
modules_pop3_libpop3_la_SOURCES = \
	modules/pop3/commands_login.c \
	modules/pop3/commands_mail.c \
	modules/pop3/maildrop.c modules/pop3/maildrop.h \
	modules/pop3/parse.c modules/pop3/parse.h \
	modules/pop3/session.c modules/pop3/session.h \
	modules/pop3/transfer.c modules/pop3/transfer.h
modules_pop3_la_SOURCES = modules/pop3/module.c
modules_pop3_la_LIBADD = modules/pop3/libpop3.la
modules_pop3_la_LDFLAGS = $(MODULE_LDFLAGS)
EXTRA_DIST += modules/pop3/README.md
