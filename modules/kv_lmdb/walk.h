/* Going over a database of the index on a thread of its own, in many short snapshots: pages that updates free
 * are not used again while a snapshot can see them, so one that lasted would let the index grow without end.
 * An entry is seen as it is when it is come to. Functions return LMDB's codes. */
#ifndef KV_LMDB_WALK_H
#define KV_LMDB_WALK_H

#include <lmdb.h>

#include <posthorn/buf.h>

struct walk {
	MDB_dbi dbi;
	MDB_txn *txn; /* NULL while it rests */
	MDB_cursor *cursor;
	struct ph_buf last; /* the key that it rests behind; empty before the first */
};

void walk_begin(struct walk *walk, MDB_dbi dbi);
/* The next entry, valid until the walk rests or ends. MDB_NOTFOUND behind the last. */
int walk_next(struct walk *walk, MDB_val *key_r, MDB_val *value_r);
/* Gives up the snapshot; walk_next() goes on in another. */
void walk_rest(struct walk *walk);
void walk_end(struct walk *walk);

#endif
