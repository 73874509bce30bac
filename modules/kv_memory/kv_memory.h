/* The provider of "kv/1" that keeps everything in the memory of this process. */
#ifndef KV_MEMORY_H
#define KV_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include <posthorn/kv.h>

struct kv_memory_config {
	bool atomic_partitions;
	int64_t size; /* bytes of keys, values and blobs */
};

/* Its atomic_partitions is set by kv_memory_open(). */
extern struct ph_kv_service kv_memory_service;

/* Empty, with the loop there. */
void kv_memory_open(const struct kv_memory_config *config);
/* Forgets everything. Nothing of the service may be in use any more. */
void kv_memory_close(void);

#endif
