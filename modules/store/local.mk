# The module store.
noinst_LTLIBRARIES += modules/store/libstore.la
modules_store_libstore_la_SOURCES = \
	modules/store/account.c modules/store/account.h \
	modules/store/change.c modules/store/change.h \
	modules/store/changes.c \
	modules/store/check.c modules/store/check.h \
	modules/store/check_messages.c \
	modules/store/check_records.c \
	modules/store/check_threads.c \
	modules/store/check_tool.c modules/store/check_tool.h \
	modules/store/copy.c \
	modules/store/losses.c modules/store/losses.h \
	modules/store/deliver.c \
	modules/store/draft.c \
	modules/store/expunge.c \
	modules/store/export.c modules/store/export.h \
	modules/store/export_maildir.c \
	modules/store/export_mbox.c \
	modules/store/flag.c \
	modules/store/give_threads.c \
	modules/store/import.c modules/store/import.h \
	modules/store/import_maildir.c \
	modules/store/import_mbox.c \
	modules/store/import_use.c \
	modules/store/iterate.c \
	modules/store/keyword.c modules/store/keyword.h \
	modules/store/lines.c modules/store/lines.h \
	modules/store/list.c \
	modules/store/mailbox.c modules/store/mailbox.h \
	modules/store/maildir.c modules/store/maildir.h \
	modules/store/maildrop.c modules/store/maildrop.h \
	modules/store/mbox.c modules/store/mbox.h \
	modules/store/message.h \
	modules/store/message_bytes.c modules/store/message_bytes.h \
	modules/store/name.c modules/store/name.h \
	modules/store/naming.c modules/store/naming.h \
	modules/store/record.c modules/store/record.h \
	modules/store/remove.c modules/store/remove.h \
	modules/store/quota_tool.c \
	modules/store/rename.c \
	modules/store/restore.c modules/store/restore.h \
	modules/store/restore_copies.c modules/store/restore_copies.h \
	modules/store/restore_messages.c \
	modules/store/restore_store.c \
	modules/store/restore_tool.c \
	modules/store/service.c \
	modules/store/session.c modules/store/session.h \
	modules/store/siphash.c modules/store/siphash.h \
	modules/store/store.c modules/store/store.h \
	modules/store/thread.c modules/store/thread.h \
	modules/store/tool.c modules/store/tool.h \
	modules/store/transfer_tool.c \
	modules/store/uid_index.c modules/store/uid_index.h \
	modules/store/uid_set.c modules/store/uid_set.h \
	modules/store/usage.c modules/store/usage.h \
	modules/store/view.c modules/store/view.h
if BUILD_STORE
pkglib_LTLIBRARIES += modules/store.la
endif
modules_store_la_SOURCES = modules/store/module.c
modules_store_la_LIBADD = modules/store/libstore.la
modules_store_la_LDFLAGS = $(MODULE_LDFLAGS)
EXTRA_DIST += modules/store/README.md
