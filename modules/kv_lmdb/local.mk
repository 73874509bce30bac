# The module kv_lmdb.
if BUILD_KV_LMDB
noinst_LTLIBRARIES += modules/kv_lmdb/libkv_lmdb.la
pkglib_LTLIBRARIES += modules/kv_lmdb.la
endif
modules_kv_lmdb_libkv_lmdb_la_SOURCES = \
	modules/kv_lmdb/blob.c modules/kv_lmdb/blob.h \
	modules/kv_lmdb/commit.c modules/kv_lmdb/commit.h \
	modules/kv_lmdb/draft.c modules/kv_lmdb/draft.h \
	modules/kv_lmdb/environment.c modules/kv_lmdb/environment.h \
	modules/kv_lmdb/kv_lmdb.h \
	modules/kv_lmdb/pin.c modules/kv_lmdb/pin.h \
	modules/kv_lmdb/service.c \
	modules/kv_lmdb/transaction.c modules/kv_lmdb/transaction.h \
	modules/kv_lmdb/watch.c modules/kv_lmdb/watch.h
modules_kv_lmdb_libkv_lmdb_la_CFLAGS = $(AM_CFLAGS) $(LMDB_CFLAGS)
modules_kv_lmdb_libkv_lmdb_la_LIBADD = $(LMDB_LIBS)
modules_kv_lmdb_la_SOURCES = modules/kv_lmdb/module.c
modules_kv_lmdb_la_LIBADD = modules/kv_lmdb/libkv_lmdb.la
modules_kv_lmdb_la_LDFLAGS = $(MODULE_LDFLAGS)
EXTRA_DIST += modules/kv_lmdb/README.md
