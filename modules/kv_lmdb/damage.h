/* What damaged parts of the journal held. See kv_damage.h. */
#ifndef KV_LMDB_DAMAGE_H
#define KV_LMDB_DAMAGE_H

#include <stdint.h>

#include <posthorn/kv_damage.h>

#include "segment.h"

/* In the store's folder, whose path must stay valid. */
void damage_open(const char *store);
/* Looks at this part of a segment, and remembers what it held. `header`: of the segment, or NULL where that
 * is damaged. */
void damage_found(int fd, uint64_t segment, const struct segment_header *header, uint64_t from, uint64_t end);

int damage_each(void (*tell)(void *arg, const struct ph_kv_damage *damage), void *arg);
int damage_forget(void);

#endif
