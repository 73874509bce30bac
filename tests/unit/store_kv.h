/* The kvs that the store's tests run over, one after the other. */
#ifndef STORE_KV_H
#define STORE_KV_H

#include <stdio.h>

#include "../../modules/kv_lmdb/kv_lmdb.h"
#include "../../modules/kv_memory/kv_memory.h"
#include "../contract/kv_faulty.h"
#include "fiber_main.h"

struct store_kv {
	const char *name;
	const struct ph_kv_service *service;
	bool atomic_partitions;
	bool lasts;  /* beyond close and open */
	bool strict; /* behind kv_faulty.h */
};

static const struct store_kv store_kvs[] = {
	{ "kv_lmdb", &kv_lmdb_service, true, true, false },
	{ "kv_memory, strict", &kv_memory_service, true, false, true },
	{ "kv_memory, strict, one partition at a time", &kv_memory_service, false, false, true },
};
static const struct store_kv *store_kv = &store_kvs[0];

static inline int store_kv_open(const char *path)
{
	static const struct kv_lmdb_config config = {
		.map_size = 1 << 20, .map_max = INT64_C(1) << 34, .group_updates = 100, .group_size = 1 << 25
	};
	const struct kv_memory_config memory = { store_kv->atomic_partitions, INT64_C(1) << 30 };

	if (store_kv->lasts)
		return kv_lmdb_open(path, &config, 16, NULL);
	kv_memory_open(&memory);
	return 0;
}

static inline void store_kv_close(void)
{
	if (store_kv->lasts)
		kv_lmdb_close();
	else
		kv_memory_close();
}

/* The service as it is to be used, once it is open. */
static inline struct ph_kv_service store_kv_service(void)
{
	return store_kv->strict ? *kv_faulty(store_kv->service) : *store_kv->service;
}

/* The body of main(): the tests over each kv. */
static inline int store_main(Suite *(*make)(void))
{
	int result = EXIT_SUCCESS;

	for (size_t i = 0; i < sizeof(store_kvs) / sizeof(*store_kvs); i++) {
		store_kv = &store_kvs[i];
		printf("Over %s:\n", store_kv->name);
		fflush(stdout);
		result |= fiber_main(make());
	}
	return result;
}

#endif
