/* A fast checksum of 64 bits, for what lies on the disk. */
#ifndef KV_LMDB_CHECKSUM_H
#define KV_LMDB_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

uint64_t checksum(uint64_t seed, const void *data, size_t size);

#endif
