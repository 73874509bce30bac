/* The service "kv_damage/1" of providers of "kv/1" that may find, when they begin, that some of what was
 * stored does not read back: which changes that cost, as far as it can still be seen. */
#ifndef POSTHORN_KV_DAMAGE_H
#define POSTHORN_KV_DAMAGE_H

#include <posthorn/kv.h>

#define PH_KV_DAMAGE_SERVICE "kv_damage/1"

/* A key whose change is lost. It may have been changed again since, and be as it should. */
struct ph_kv_damage {
	bool is_new;   /* this process found it */
	bool is_known; /* else nothing of what follows, but the place */
	bool was_deleted;
	struct ph_kv_partition partition;
	struct ph_str key;
	struct ph_str place; /* for an administrator: where in the files */
};

struct ph_kv_damage_service {
	/* Tells of all that is remembered; the texts are valid during the call. 0 or a negative code. */
	int (*each)(void (*tell)(void *arg, const struct ph_kv_damage *damage), void *arg);
	/* Forgets it, for all processes. 0 or a negative code. */
	int (*forget)(void);
};

#endif
