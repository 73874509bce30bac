/* Going over a database in short snapshots. See walk.h. */
#include <config.h>

#include "walk.h"

#include <stdint.h>
#include <string.h>

#include "commit.h"
#include "environment.h"

void walk_begin(struct walk *walk, MDB_dbi dbi)
{
	*walk = (struct walk){ .dbi = dbi };
	ph_buf_init(&walk->last, SIZE_MAX);
}

static int begin_snapshot(struct walk *walk)
{
	int rc = commit_snapshot_begin(&walk->txn);

	if (rc)
		walk->txn = NULL;
	return rc ? rc : mdb_cursor_open(walk->txn, walk->dbi, &walk->cursor);
}

/* To what comes behind the last key, which may be there no more. */
static int go_behind(struct walk *walk, MDB_val *key_r, MDB_val *value_r)
{
	int rc;

	*key_r = (MDB_val){ walk->last.len, walk->last.data };
	rc = mdb_cursor_get(walk->cursor, key_r, value_r, MDB_SET_RANGE);
	if (!rc && key_r->mv_size == walk->last.len &&
		memcmp(key_r->mv_data, walk->last.data, walk->last.len) == 0)
		rc = mdb_cursor_get(walk->cursor, key_r, value_r, MDB_NEXT);
	return rc;
}

int walk_next(struct walk *walk, MDB_val *key_r, MDB_val *value_r)
{
	int rc;

	if (walk->cursor)
		return mdb_cursor_get(walk->cursor, key_r, value_r, MDB_NEXT);
	rc = begin_snapshot(walk);
	if (rc)
		return rc;
	return walk->last.len > 0 ? go_behind(walk, key_r, value_r)
				  : mdb_cursor_get(walk->cursor, key_r, value_r, MDB_FIRST);
}

static void end_snapshot(struct walk *walk)
{
	if (walk->cursor)
		mdb_cursor_close(walk->cursor);
	if (walk->txn)
		environment_snapshot_end(walk->txn);
	walk->cursor = NULL;
	walk->txn = NULL;
}

void walk_rest(struct walk *walk)
{
	MDB_val key, value;

	if (walk->cursor && mdb_cursor_get(walk->cursor, &key, &value, MDB_GET_CURRENT) == 0) {
		ph_buf_reset(&walk->last);
		ph_buf_add(&walk->last, key.mv_data, key.mv_size);
	}
	end_snapshot(walk);
}

void walk_end(struct walk *walk)
{
	end_snapshot(walk);
	ph_buf_free(&walk->last);
}
