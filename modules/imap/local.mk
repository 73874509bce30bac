# The module imap.
noinst_LTLIBRARIES += modules/imap/libimap.la
modules_imap_libimap_la_SOURCES = \
	modules/imap/body.c \
	modules/imap/body.h \
	modules/imap/capability.c \
	modules/imap/client/client.c \
	modules/imap/client/client.h \
	modules/imap/client/client_login.c \
	modules/imap/client/client_response.c \
	modules/imap/client/client_response.h \
	modules/imap/cmd_any.c \
	modules/imap/cmd_append.c \
	modules/imap/cmd_copy.c \
	modules/imap/cmd_expunge.c \
	modules/imap/cmd_fetch.c \
	modules/imap/cmd_list.c \
	modules/imap/cmd_login.c \
	modules/imap/cmd_mailbox.c \
	modules/imap/cmd_search.c \
	modules/imap/cmd_select.c \
	modules/imap/cmd_status.c \
	modules/imap/cmd_store.c \
	modules/imap/commands.c \
	modules/imap/dates.c \
	modules/imap/dates.h \
	modules/imap/fetch_items.c \
	modules/imap/fetch_items.h \
	modules/imap/hooks.c \
	modules/imap/idle.c \
	modules/imap/client/import.h \
	modules/imap/client/import_mailboxes.c \
	modules/imap/client/import_messages.c \
	modules/imap/client/import_tool.c \
	modules/imap/parse.c \
	modules/imap/parse.h \
	modules/imap/pattern.c \
	modules/imap/pattern.h \
	modules/imap/print.c \
	modules/imap/print.h \
	modules/imap/reader.c \
	modules/imap/reply.c \
	modules/imap/search_keys.c \
	modules/imap/search_keys.h \
	modules/imap/selection.c \
	modules/imap/sequence_set.c \
	modules/imap/sequence_set.h \
	modules/imap/session.c \
	modules/imap/session.h \
	modules/imap/sync.c \
	modules/imap/utf7.c \
	modules/imap/utf7.h
if BUILD_IMAP
pkglib_LTLIBRARIES += modules/imap.la
endif
modules_imap_la_SOURCES = modules/imap/module.c
modules_imap_la_LIBADD = modules/imap/libimap.la
modules_imap_la_LDFLAGS = $(MODULE_LDFLAGS)
EXTRA_DIST += modules/imap/README.md
