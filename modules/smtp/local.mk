# The module smtp.
noinst_LTLIBRARIES += modules/smtp/libsmtp.la
modules_smtp_libsmtp_la_SOURCES = \
	modules/smtp/cmd_auth.c \
	modules/smtp/cmd_data.c \
	modules/smtp/cmd_hello.c \
	modules/smtp/cmd_mail.c \
	modules/smtp/cmd_other.c \
	modules/smtp/cmd_rcpt.c \
	modules/smtp/cmd_starttls.c \
	modules/smtp/commands.c \
	modules/smtp/commands.h \
	modules/smtp/complete.c \
	modules/smtp/complete.h \
	modules/smtp/dots.c \
	modules/smtp/dots.h \
	modules/smtp/hooks.c \
	modules/smtp/hooks.h \
	modules/smtp/message.c \
	modules/smtp/message.h \
	modules/smtp/parse.c \
	modules/smtp/parse.h \
	modules/smtp/profile.c \
	modules/smtp/profile.h \
	modules/smtp/receive.c \
	modules/smtp/receive.h \
	modules/smtp/reply.c \
	modules/smtp/reply.h \
	modules/smtp/session.c \
	modules/smtp/session.h \
	modules/smtp/smtp.c \
	modules/smtp/smtp.h \
	modules/smtp/trace.c \
	modules/smtp/trace.h
if BUILD_SMTP
pkglib_LTLIBRARIES += modules/smtp.la
endif
modules_smtp_la_SOURCES = modules/smtp/module.c
modules_smtp_la_LIBADD = modules/smtp/libsmtp.la
modules_smtp_la_LDFLAGS = $(MODULE_LDFLAGS)
EXTRA_DIST += modules/smtp/README.md
