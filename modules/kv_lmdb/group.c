/* A group's changes and blobs are one record of the journal: written, flushed, and only then is LMDB's
 * transaction committed, without a flush. Its write lock is held all the while, so the processes append one
 * after the other, and where LMDB says the journal ends is where it ends. While the group gathers, those who
 * are there are run, and their bytes are on their way to the disk.
 *
 * The functions of a group run one after the other in one LMDB transaction. A function that fails before it
 * wrote anything simply gets its code. One that fails after it wrote has spoilt the transaction: the group is
 * begun anew without it, and it is run again by itself. The same way out is taken when a group cannot be
 * committed: each of its updates is run alone, so that one that is too large, or whose draft is lost, fails
 * for itself, and on a full disk those that free space still get through. */
#include <config.h>

#include "group.h"

#include <string.h>

#include "draft.h"
#include "environment.h"
#include "file.h"
#include "index.h"
#include "journal.h"
#include "large.h"
#include "opening.h"
#include "queue.h"
#include "record.h"

static void (*committed)(uint64_t since_checkpoint);
static void (*full)(void);
static struct record record;

void group_start(void (*committed_)(uint64_t since_checkpoint), void (*full_)(void))
{
	committed = committed_;
	full = full_;
	record_init(&record);
}

void group_stop(void)
{
	record_free(&record);
}

static bool is_single(const struct ph_list *list)
{
	return list->next == list->prev;
}

/* Runs all functions of the group. One that failed after having written is moved to `apart`, and PH_E_STALE
 * tells that the transaction is spoilt. Else 0 or LMDB's code. */
static int run_updates(MDB_txn *txn, struct ph_list *group, struct ph_list *apart)
{
	PH_LIST_EACH (group, node) {
		struct update *update = ph_container_of(node, struct update, link);

		update->txn.mdb = txn;
		update->txn.record = &record;
		update->txn.changed = false;
		for (size_t i = 0; i < update->txn.draft_count; i++)
			kv_draft_begin(update->txn.drafts[i]);
		update->txn.failure = 0;
		update->result = transaction_run(&update->txn, update->run, update->arg);
		update->changed = update->txn.changed;
		if (update->txn.failure)
			return update->txn.failure;
		if (update->result == 0 || !update->changed)
			continue;
		ph_list_remove(node);
		ph_list_append(apart, node);
		return PH_E_STALE;
	}
	return 0;
}

/* Runs the group, and those who join it while it gathers. */
static int run_group(MDB_txn *txn, struct ph_list *group, struct ph_list *apart, const struct position *end)
{
	struct ph_list joined;
	int rc = run_updates(txn, group, apart);

	ph_list_init(&joined);
	while (!rc && queue_is_gathering(journal_room(end))) {
		rc = journal_write_ahead(end, &record);
		if (rc)
			break;
		queue_take_more(&joined);
		rc = run_updates(txn, &joined, apart);
		queue_move_all(&joined, group);
	}
	queue_gathered();
	return rc;
}

/* Bytes of blobs that may come into the record; and its effect at best. */
static uint64_t group_bytes(const struct ph_list *group, enum effect *effect_r)
{
	uint64_t bytes = 0;

	*effect_r = EFFECT_FREES;
	PH_LIST_EACH (group, node) {
		const struct update *update = ph_container_of(node, struct update, link);

		bytes += update->bytes;
		if (update->txn.draft_count > 0 || update->bytes > 0)
			*effect_r = EFFECT_BRINGS;
	}
	return bytes;
}

/* In the index, and at the end of the journal. */
static int make_room(struct position *end, uint64_t bytes, enum effect effect)
{
	int rc = environment_make_room(effect);

	return rc ? rc : journal_prepare(end, bytes, effect);
}

/* Begins the record at the end of the journal. */
static int begin_record(
	MDB_txn *txn, const struct ph_list *group, struct position *began_r, struct position *end_r)
{
	enum effect effect;
	uint64_t bytes = group_bytes(group, &effect);
	int rc = index_get_end(txn, began_r);

	*end_r = *began_r;
	if (!rc)
		rc = make_room(end_r, bytes, effect);
	if (!rc)
		record_begin(&record, end_r->segment, end_r->offset);
	return rc;
}

/* Makes the record durable, and the transaction tell of it. *before_r: where it lies. */
static int append_record(MDB_txn *txn, struct position *end, struct position *before_r)
{
	int rc = index_sweep(txn, &record.dropped);

	/* Now it is known what it does, and how large it is. Blobs keep it where it was to begin. */
	if (!rc)
		rc = environment_make_room(record_effect(&record));
	if (!rc && record.bytes == 0)
		rc = journal_prepare(end, record.operations.len, record_effect(&record));
	*before_r = *end;
	if (!rc)
		rc = journal_append(end, &record);
	if (rc)
		return rc;
	rc = index_put_end(txn, end);
	if (rc)
		journal_undo(before_r);
	return rc;
}

/* Behind the commit: files of large blobs that came, and went. */
static void settle_large(const struct ph_list *group)
{
	PH_LIST_EACH (group, node) {
		const struct update *update = ph_container_of(node, struct update, link);

		for (size_t i = 0; update->changed && i < update->txn.draft_count; i++)
			kv_draft_committed(update->txn.drafts[i]);
	}
	for (size_t at = 0; at < record.dropped.len; at += sizeof(struct ph_kv_blob_id)) {
		struct ph_kv_blob_id id;

		memcpy(&id, record.dropped.data + at, sizeof(id));
		large_remove(&id);
	}
}

static bool has_changes(const struct ph_list *group)
{
	PH_LIST_EACH (group, node)
		if (ph_container_of(node, struct update, link)->changed)
			return true;
	return false;
}

static void tell_committed(const struct position *end, const struct position *checkpoint)
{
	committed(end->written - checkpoint->written);
}

/* One attempt at a group. */
static int attempt(struct ph_list *group, struct ph_list *apart)
{
	struct position began = { 0 }, before = { 0 }, end = { 0 }, checkpoint = { 0 };
	MDB_txn *txn;
	bool append, commit;
	int rc = environment_write_begin(&txn);

	if (rc)
		return rc;
	rc = begin_record(txn, group, &began, &end);
	if (!rc)
		rc = run_group(txn, group, apart, &end);
	append = !rc && !record_is_empty(&record);
	commit = !rc && has_changes(group);
	if (commit)
		rc = index_get_checkpoint(txn, &checkpoint);
	if (!rc && append)
		rc = append_record(txn, &end, &before);
	if (!rc && commit) {
		rc = environment_write_commit(txn);
		if (rc && append)
			journal_undo(&before);
	} else {
		mdb_txn_abort(txn);
	}
	if ((rc || !commit) && end.segment != began.segment)
		journal_forget();
	if (rc || !commit)
		return rc;
	settle_large(group);
	tell_committed(&end, &checkpoint);
	return 0;
}

static void fail_all(struct ph_list *group, int failure)
{
	PH_LIST_EACH (group, node) {
		struct update *update = ph_container_of(node, struct update, link);

		update->result = environment_code(failure);
		update->failure = failure;
		update->changed = false;
	}
}

/* Commits the group as a whole. What must be run by itself is moved to `apart`. */
static void commit_together(struct ph_list *group, struct ph_list *apart)
{
	int rc;

	do {
		rc = attempt(group, apart);
	} while (rc == PH_E_STALE || (rc == MDB_MAP_FULL && environment_grow()));
	if (rc && !is_single(group))
		queue_move_all(group, apart);
	else if (rc)
		fail_all(group, rc);
	if (file_is_full(rc))
		full();
	if (rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND)
		opening_index_bad();
}

/* One that fails here, having written, keeps its code: nothing of it was committed. */
static void commit_alone(struct update *update, struct ph_list *done)
{
	struct ph_list group, apart;

	ph_list_init(&group);
	ph_list_init(&apart);
	ph_list_remove(&update->link);
	ph_list_append(&group, &update->link);
	commit_together(&group, &apart);
	if (!ph_list_empty(&apart))
		update->changed = false;
	queue_move_all(&group, done);
	queue_move_all(&apart, done);
}

void group_commit(struct ph_list *group)
{
	struct ph_list apart;

	ph_list_init(&apart);
	commit_together(group, &apart);
	PH_LIST_EACH (&apart, node)
		commit_alone(ph_container_of(node, struct update, link), group);
}
