/* Making the index anew, from the newest checkpoint that reads back and the journal behind it. */
#ifndef KV_LMDB_RECOVER_H
#define KV_LMDB_RECOVER_H

#include <posthorn/error.h>

/* Into an empty environment that is open; on the loop's thread, with nobody else using the store. 0, an errno
 * or LMDB's code. */
int recover_index(const char *checkpoints);

#endif
