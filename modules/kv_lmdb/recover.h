/* Making the index from the newest checkpoint and the journal behind it. */
#ifndef KV_LMDB_RECOVER_H
#define KV_LMDB_RECOVER_H

#include <lmdb.h>

#include "record.h"

struct recovery {
	const char *journal, *checkpoints; /* folders */
	MDB_env *env;                      /* where to; NULL: the environment of this process */
	/* What was found. */
	struct position checkpoint, end;
	unsigned damages; /* each is logged */
};

/* Fills an empty index from files that are only read. 0, an errno, LMDB's code; PH_E_CORRUPT: parts of the
 * journal are missing. */
int recover_from(struct recovery *recovery);
/* The same for the store of this process, whose environment is empty; its journal goes on in a new segment.
 */
int recover_index(const char *checkpoints);

#endif
