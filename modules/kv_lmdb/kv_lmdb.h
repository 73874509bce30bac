/* The provider of "kv/1" that keeps everything in an LMDB environment of this machine. */
#ifndef KV_LMDB_H
#define KV_LMDB_H

#include <stdint.h>

#include <posthorn/kv.h>
#include <posthorn/kv_backup.h>
#include <posthorn/kv_damage.h>

struct kv_lmdb_config {
	int64_t map_size;
	int64_t map_max;
	int64_t group_updates;
	int64_t group_size;
	int64_t segment_size;     /* 0: the usual */
	int64_t write_ahead;      /* bytes that are written before their group is complete; 0: the usual */
	int64_t checkpoint_after; /* 0: the usual */
	int64_t checkpoint_step;  /* bytes that are written from one snapshot; 0: the usual */
	int64_t compact_percent;
};

extern const struct ph_kv_service kv_lmdb_service;
extern const struct ph_kv_backup_service kv_lmdb_backup_service;
extern const struct ph_kv_damage_service kv_lmdb_damage_service;

/* Opens the store in this folder, which is made if need be, for this process, behind fork and with the loop
 * there. `processes`: how many may have it open at once. */
int kv_lmdb_open(const char *directory, const struct kv_lmdb_config *config, unsigned processes,
	struct ph_error *error);
/* Nothing of the service may be in use any more. */
void kv_lmdb_close(void);

#endif
