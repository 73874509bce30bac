# The module kv_lmdb.
if BUILD_KV_LMDB
noinst_LTLIBRARIES += modules/kv_lmdb/libkv_lmdb.la
pkglib_LTLIBRARIES += modules/kv_lmdb.la
endif
modules_kv_lmdb_libkv_lmdb_la_SOURCES = \
	modules/kv_lmdb/admin.c modules/kv_lmdb/admin.h \
	modules/kv_lmdb/archive.c modules/kv_lmdb/archive.h \
	modules/kv_lmdb/backup.c modules/kv_lmdb/backup.h \
	modules/kv_lmdb/blob.c modules/kv_lmdb/blob.h \
	modules/kv_lmdb/checkpoint.c modules/kv_lmdb/checkpoint.h \
	modules/kv_lmdb/checksum.c modules/kv_lmdb/checksum.h \
	modules/kv_lmdb/commit.c modules/kv_lmdb/commit.h \
	modules/kv_lmdb/compact.c modules/kv_lmdb/compact.h \
	modules/kv_lmdb/damage.c modules/kv_lmdb/damage.h \
	modules/kv_lmdb/draft.c modules/kv_lmdb/draft.h \
	modules/kv_lmdb/environment.c modules/kv_lmdb/environment.h \
	modules/kv_lmdb/file.c modules/kv_lmdb/file.h \
	modules/kv_lmdb/group.c modules/kv_lmdb/group.h \
	modules/kv_lmdb/index.c modules/kv_lmdb/index.h \
	modules/kv_lmdb/journal.c modules/kv_lmdb/journal.h \
	modules/kv_lmdb/keeper.c modules/kv_lmdb/keeper.h \
	modules/kv_lmdb/large.c modules/kv_lmdb/large.h \
	modules/kv_lmdb/mapping.c modules/kv_lmdb/mapping.h \
	modules/kv_lmdb/opening.c modules/kv_lmdb/opening.h \
	modules/kv_lmdb/queue.c modules/kv_lmdb/queue.h \
	modules/kv_lmdb/record.c modules/kv_lmdb/record.h \
	modules/kv_lmdb/recover.c modules/kv_lmdb/recover.h \
	modules/kv_lmdb/restore.c modules/kv_lmdb/restore.h \
	modules/kv_lmdb/segment.c modules/kv_lmdb/segment.h \
	modules/kv_lmdb/source.c modules/kv_lmdb/source.h \
	modules/kv_lmdb/tool.c modules/kv_lmdb/tool.h \
	modules/kv_lmdb/transaction.c modules/kv_lmdb/transaction.h \
	modules/kv_lmdb/walk.c modules/kv_lmdb/walk.h \
	modules/kv_lmdb/watch.c modules/kv_lmdb/watch.h \
	modules/kv_lmdb/kv_lmdb.h \
	modules/kv_lmdb/service.c
modules_kv_lmdb_libkv_lmdb_la_CFLAGS = $(AM_CFLAGS) $(LMDB_CFLAGS)
modules_kv_lmdb_libkv_lmdb_la_LIBADD = $(LMDB_LIBS)
modules_kv_lmdb_la_SOURCES = modules/kv_lmdb/module.c
modules_kv_lmdb_la_LIBADD = modules/kv_lmdb/libkv_lmdb.la
modules_kv_lmdb_la_LDFLAGS = $(MODULE_LDFLAGS)
EXTRA_DIST += modules/kv_lmdb/README.md
