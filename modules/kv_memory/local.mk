# The module kv_memory.
if BUILD_KV_MEMORY
noinst_LTLIBRARIES += modules/kv_memory/libkv_memory.la
pkglib_LTLIBRARIES += modules/kv_memory.la
endif
modules_kv_memory_libkv_memory_la_SOURCES = \
	modules/kv_memory/blob.c modules/kv_memory/blob.h \
	modules/kv_memory/partition.c modules/kv_memory/partition.h \
	modules/kv_memory/room.c modules/kv_memory/room.h \
	modules/kv_memory/transaction.c modules/kv_memory/transaction.h \
	modules/kv_memory/watch.c modules/kv_memory/watch.h \
	modules/kv_memory/kv_memory.h \
	modules/kv_memory/service.c
modules_kv_memory_la_SOURCES = modules/kv_memory/module.c
modules_kv_memory_la_LIBADD = modules/kv_memory/libkv_memory.la
modules_kv_memory_la_LDFLAGS = $(MODULE_LDFLAGS)
EXTRA_DIST += modules/kv_memory/README.md
