/* A disk that fails below LMDB's map gives no error but SIGBUS, and would give it again after each restart.
 * The process cannot go on; but it tells that the index is damaged, so that the next who is alone makes it
 * anew in another place of the disk. */
#ifndef KV_LMDB_MAPPING_H
#define KV_LMDB_MAPPING_H

/* From now on SIGBUS, before it does what it did before, removes this file. The path must stay valid. */
void mapping_guard(const char *state);
void mapping_end_guard(void);

#endif
