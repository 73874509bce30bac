/* The committer. A group's changes and blobs are one record of the journal: written, flushed, and only then
 * is LMDB's transaction committed, without a flush. Its write lock is held all the while, so the processes
 * append one after the other, and where LMDB says the journal ends is where it ends. While one group is being
 * flushed the next one gathers: a single writer waits for one flush and no timer, and many writers share it.
 * Those whom the last group woke mostly come again at once. When some of them are there, the others are
 * waited for, for a fraction of the time that the last flush took: else two halves would take turns.
 * Meanwhile those who are there are run, and their bytes are on their way to the disk.
 *
 * The functions of a group run one after the other in one LMDB transaction. A function that fails before it
 * wrote anything simply gets its code. One that fails after it wrote has spoilt the transaction: the group is
 * begun anew without it, and it is run again by itself. The same way out is taken when a group cannot be
 * committed: each of its updates is run alone, so that one that is too large, or whose draft is lost, fails
 * for itself, and on a full disk those that free space still get through. */
#include <config.h>

#include "commit.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include <posthorn/fiber.h>
#include <posthorn/loop.h>

#include "draft.h"
#include "environment.h"
#include "file.h"
#include "index.h"
#include "journal.h"
#include "large.h"
#include "opening.h"
#include "record.h"
#include "transaction.h"
#include "watch.h"

#define SECOND INT64_C(1000000000)
/* How long a group may gather, as a part of what the last flush took, and at most. */
#define GATHER_FRACTION 4
#define GATHER_NANOSECONDS 2000000
/* So many of those who are waited for are worth waking up for. */
#define GATHER_PART 16

struct update {
	struct ph_list link;
	struct ph_kv_txn txn;
	ph_kv_run *run;
	void *arg;
	uint64_t bytes;
	int result;
	int failure; /* LMDB's, behind `result`, or 0 */
	bool changed;
	struct ph_wait wait;
	bool from_thread, finished;
};

static struct commit_limits limits;
static pthread_t committer;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work; /* its clock is the monotonic one */
static pthread_cond_t thread_finished = PTHREAD_COND_INITIALIZER;
/* Under the lock. */
static struct ph_list waiting, finished;
static bool stopping;
static size_t waiting_count;
/* How many waiting updates wake the committer. */
static size_t wake_count;
/* The committer's own. */
static struct record record;
/* Whom a group gathers: how many, how many came, what bytes they may bring and brought, and until when. */
static struct {
	size_t wanted, count;
	uint64_t room, bytes;
	struct timespec until, ended;
} gathering;

/* --- the committer's thread --- */

static bool is_single(const struct ph_list *list)
{
	return list->next == list->prev;
}

static void move_all(struct ph_list *from, struct ph_list *to)
{
	PH_LIST_EACH (from, node) {
		ph_list_remove(node);
		ph_list_append(to, node);
	}
}

/* Under the lock: takes as many as may come into the group, which is complete when one may not. */
static void take_waiting(struct ph_list *group)
{
	while (!ph_list_empty(&waiting) && gathering.count < limits.group_updates) {
		struct update *update = ph_container_of(waiting.next, struct update, link);

		if (gathering.count > 0 && gathering.bytes + update->bytes > gathering.room) {
			gathering.wanted = 0;
			return;
		}
		ph_list_remove(&update->link);
		ph_list_append(group, &update->link);
		gathering.bytes += update->bytes;
		gathering.count++;
		waiting_count--;
	}
}

static bool is_past(const struct timespec *time)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > time->tv_sec || (now.tv_sec == time->tv_sec && now.tv_nsec >= time->tv_nsec);
}

/* Are there others to wait for? */
static bool is_gathering(void)
{
	return gathering.count < gathering.wanted && gathering.count < limits.group_updates &&
	       gathering.bytes < gathering.room && !is_past(&gathering.until);
}

/* Under the lock: waits until a good part of those who are missing is there, or gathering ends. */
static void wait_for_part(void)
{
	size_t missing = gathering.wanted > gathering.count ? gathering.wanted - gathering.count : 0;

	wake_count = missing < GATHER_PART ? missing : GATHER_PART;
	while (!stopping && waiting_count < wake_count)
		if (pthread_cond_timedwait(&work, &lock, &gathering.until))
			break;
}

static void take_more(struct ph_list *joined)
{
	pthread_mutex_lock(&lock);
	wait_for_part();
	take_waiting(joined);
	pthread_mutex_unlock(&lock);
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
	gathering.room = journal_room(end, limits.group_bytes);
	while (!rc && is_gathering()) {
		rc = journal_write_ahead(end, &record);
		if (rc)
			break;
		take_more(&joined);
		rc = run_updates(txn, &joined, apart);
		move_all(&joined, group);
	}
	clock_gettime(CLOCK_MONOTONIC, &gathering.ended);
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
	limits.committed(end->written - checkpoint->written);
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
		move_all(group, apart);
	else if (rc)
		fail_all(group, rc);
	if (file_is_full(rc))
		limits.full();
	if (rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND)
		opening_index_bad();
}

/* One that fails here, having written, keeps its code: nothing of it was committed. */
static void commit_alone(struct update *update, struct ph_list *done)
{
	struct ph_list group, apart;

	gathering.wanted = 0;
	ph_list_init(&group);
	ph_list_init(&apart);
	ph_list_remove(&update->link);
	ph_list_append(&group, &update->link);
	commit_together(&group, &apart);
	if (!ph_list_empty(&apart))
		update->changed = false;
	move_all(&group, done);
	move_all(&apart, done);
}

static void commit_group(struct ph_list *group)
{
	struct ph_list apart;

	ph_list_init(&apart);
	commit_together(group, &apart);
	PH_LIST_EACH (&apart, node)
		commit_alone(ph_container_of(node, struct update, link), group);
}

/* Waits for work and takes as much as there is. False: this is the end. */
static bool take_group(struct ph_list *group)
{
	bool go_on;

	gathering.count = 0;
	gathering.bytes = 0;
	gathering.room = limits.group_bytes;
	pthread_mutex_lock(&lock);
	wait_for_part();
	wake_count = 1;
	while (ph_list_empty(&waiting) && !stopping)
		pthread_cond_wait(&work, &lock);
	go_on = !stopping || !ph_list_empty(&waiting);
	take_waiting(group);
	pthread_mutex_unlock(&lock);
	return go_on;
}

/* Under the lock. */
static void add_waiting(struct update *update)
{
	ph_list_append(&waiting, &update->link);
	if (++waiting_count >= wake_count)
		pthread_cond_signal(&work);
}

/* Under the lock: whom the next group waits for, and how long. `count` were woken. */
static void plan_gathering(size_t count)
{
	struct timespec now;
	int64_t nanoseconds;

	clock_gettime(CLOCK_MONOTONIC, &now);
	nanoseconds = (now.tv_sec - gathering.ended.tv_sec) * SECOND + now.tv_nsec - gathering.ended.tv_nsec;
	nanoseconds /= GATHER_FRACTION;
	gathering.until = now;
	gathering.until.tv_nsec += nanoseconds < GATHER_NANOSECONDS ? nanoseconds : GATHER_NANOSECONDS;
	if (gathering.until.tv_nsec >= SECOND) {
		gathering.until.tv_sec++;
		gathering.until.tv_nsec -= SECOND;
	}
	gathering.wanted = waiting_count + count;
}

static void wake_finished(void *arg);

/* Under the lock: hands the updates to those who wait for them. */
static size_t finish(struct ph_list *group)
{
	size_t count = 0;

	PH_LIST_EACH (group, node) {
		struct update *update = ph_container_of(node, struct update, link);

		count++;
		ph_list_remove(node);
		if (update->from_thread)
			update->finished = true;
		else
			ph_list_append(&finished, node);
	}
	pthread_cond_broadcast(&thread_finished);
	return count;
}

static void *run_committer(void *arg)
{
	struct ph_list group;

	(void)arg;
	ph_list_init(&group);
	while (take_group(&group)) {
		environment_check_readers();
		commit_group(&group);
		pthread_mutex_lock(&lock);
		plan_gathering(finish(&group));
		pthread_mutex_unlock(&lock);
		ph_loop_post_from_thread(wake_finished, NULL);
	}
	return NULL;
}

/* --- the loop's thread --- */

static void wake_finished(void *arg)
{
	struct ph_list done;

	(void)arg;
	ph_list_init(&done);
	pthread_mutex_lock(&lock);
	move_all(&finished, &done);
	pthread_mutex_unlock(&lock);
	PH_LIST_EACH (&done, node) {
		struct update *update = ph_container_of(node, struct update, link);

		for (size_t i = 0; update->changed && i < update->txn.count; i++)
			kv_watch_changed(update->txn.partitions[i]);
		ph_wake(update->wait, 0);
	}
	kv_watch_tell();
}

int commit_start(const struct commit_limits *limits_)
{
	pthread_condattr_t attributes;
	sigset_t all, before;
	int rc;

	limits = *limits_;
	stopping = false;
	waiting_count = 0;
	wake_count = 1;
	gathering.wanted = 0;
	record_init(&record);
	ph_list_init(&waiting);
	ph_list_init(&finished);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&work, &attributes);
	pthread_condattr_destroy(&attributes);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&committer, NULL, run_committer, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

void commit_stop(void)
{
	pthread_mutex_lock(&lock);
	stopping = true;
	pthread_cond_signal(&work);
	pthread_mutex_unlock(&lock);
	pthread_join(committer, NULL);
	wake_finished(NULL);
	pthread_cond_destroy(&work);
	record_free(&record);
}

/* May park: until the update was tried. */
static void submit(struct update *update)
{
	ph_list_init(&update->link);
	update->wait = ph_wait_begin();
	pthread_mutex_lock(&lock);
	add_waiting(update);
	pthread_mutex_unlock(&lock);
	ph_wait_park(update->wait, PH_FOREVER);
}

int commit_from_thread(ph_kv_run *run, void *arg, uint64_t bytes)
{
	struct update update = {
		.txn = { .writable = true }, .run = run, .arg = arg, .from_thread = true, .bytes = bytes
	};

	ph_list_init(&update.link);
	pthread_mutex_lock(&lock);
	add_waiting(&update);
	while (!update.finished)
		pthread_cond_wait(&thread_finished, &lock);
	pthread_mutex_unlock(&lock);
	return update.result;
}

static int report(int code, int failure, struct ph_error *error)
{
	if (failure)
		return ph_error_set(error, code,
			code == PH_E_FULL ? "the server has no space left"
					  : "the server cannot store this now",
			"kv_lmdb: %s", mdb_strerror(failure));
	return ph_error_set(error, code, ph_code_name(code), NULL);
}

int commit_update(const struct ph_kv_partition *partitions, size_t count, struct ph_kv_draft *const *drafts,
	size_t draft_count, ph_kv_run *run, void *arg, struct ph_error *error)
{
	struct update update = {
		.txn = { .partitions = partitions,
			.count = count,
			.drafts = drafts,
			.draft_count = draft_count,
			.writable = true },
		.run = run,
		.arg = arg,
	};

	for (size_t i = 0; i < draft_count; i++) {
		int rc = kv_draft_prepare(drafts[i]);

		if (rc)
			return report(environment_code(rc), rc, error);
		if (kv_draft_in_memory(drafts[i]))
			update.bytes += kv_draft_size(drafts[i]);
	}
	submit(&update);
	return update.result ? report(update.result, update.failure, error) : 0;
}

static int do_nothing(struct ph_kv_txn *txn, void *arg)
{
	(void)txn;
	(void)arg;
	return 0;
}

int commit_read_begin(MDB_txn **txn_r)
{
	int rc = environment_read_begin(txn_r);

	if (rc == MDB_MAP_RESIZED || rc == MDB_PANIC) {
		struct update nothing = { .run = do_nothing };

		submit(&nothing);
		rc = environment_read_begin(txn_r);
	}
	return rc;
}

int commit_read(const struct ph_kv_partition *partitions, size_t count, ph_kv_run *run, void *arg,
	struct ph_error *error)
{
	struct ph_kv_txn txn = { .partitions = partitions, .count = count };
	int code, rc = commit_read_begin(&txn.mdb);

	if (rc)
		return report(environment_code(rc), rc, error);
	code = transaction_run(&txn, run, arg);
	environment_read_end();
	return code ? report(code, txn.failure, error) : 0;
}
