# The module store.
noinst_LTLIBRARIES += modules/store/libstore.la
modules_store_libstore_la_SOURCES = \
	modules/store/account.c modules/store/account.h \
	modules/store/change.c modules/store/change.h \
	modules/store/changes.c \
	modules/store/check/check.c modules/store/check/check.h \
	modules/store/check/check_messages.c \
	modules/store/check/check_records.c \
	modules/store/check/check_threads.c \
	modules/store/check/check_tool.c modules/store/check/check_tool.h \
	modules/store/copy.c \
	modules/store/check/losses.c modules/store/check/losses.h \
	modules/store/deliver.c \
	modules/store/draft.c \
	modules/store/expunge.c \
	modules/store/transfer/export.c modules/store/transfer/export.h \
	modules/store/transfer/export_maildir.c \
	modules/store/transfer/export_mbox.c \
	modules/store/flag.c \
	modules/store/check/give_threads.c \
	modules/store/transfer/import.c modules/store/transfer/import.h \
	modules/store/transfer/import_maildir.c \
	modules/store/transfer/import_mbox.c \
	modules/store/transfer/import_use.c \
	modules/store/iterate.c \
	modules/store/keyword.c modules/store/keyword.h \
	modules/store/transfer/lines.c modules/store/transfer/lines.h \
	modules/store/list.c \
	modules/store/mailbox.c modules/store/mailbox.h \
	modules/store/transfer/maildir.c modules/store/transfer/maildir.h \
	modules/store/maildrop.c modules/store/maildrop.h \
	modules/store/transfer/mbox.c modules/store/transfer/mbox.h \
	modules/store/message.h \
	modules/store/message_bytes.c modules/store/message_bytes.h \
	modules/store/name.c modules/store/name.h \
	modules/store/naming.c modules/store/naming.h \
	modules/store/record.c modules/store/record.h \
	modules/store/remove.c modules/store/remove.h \
	modules/store/quota_tool.c \
	modules/store/rename.c \
	modules/store/restore/restore.c modules/store/restore/restore.h \
	modules/store/restore/restore_copies.c modules/store/restore/restore_copies.h \
	modules/store/restore/restore_messages.c \
	modules/store/restore/restore_store.c \
	modules/store/restore/restore_tool.c \
	modules/store/service.c \
	modules/store/session.c modules/store/session.h \
	modules/store/siphash.c modules/store/siphash.h \
	modules/store/transfer/source_file.c modules/store/transfer/source_file.h \
	modules/store/store.c modules/store/store.h \
	modules/store/thread.c modules/store/thread.h \
	modules/store/tool.c modules/store/tool.h \
	modules/store/transfer/transfer_tool.c \
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
