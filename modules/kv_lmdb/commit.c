/* The committer. While one group is being flushed the next one gathers: a single writer waits for one flush
 * and no timer, and many writers share it.
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

#include <posthorn/fiber.h>
#include <posthorn/loop.h>

#include "blob.h"
#include "draft.h"
#include "environment.h"
#include "transaction.h"
#include "watch.h"

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
};

static struct commit_limits limits;
static pthread_t committer;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
/* Under the lock. */
static struct ph_list waiting, finished;
static bool stopping;
/* The committer's own: there may be dropped blobs left to delete. */
static bool collect_more;

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

/* Runs all functions of the group. One that failed after having written is moved to `apart`, and PH_E_STALE
 * tells that the transaction is spoilt. Else 0 or LMDB's code. */
static int run_updates(MDB_txn *txn, struct ph_list *group, struct ph_list *apart)
{
	PH_LIST_EACH (group, node) {
		struct update *update = ph_container_of(node, struct update, link);

		update->txn.mdb = txn;
		update->txn.changed = false;
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

/* One attempt at a group. */
static int attempt(struct ph_list *group, struct ph_list *apart)
{
	MDB_txn *txn;
	int rc = environment_write_begin(&txn);

	if (rc)
		return rc;
	rc = run_updates(txn, group, apart);
	if (!rc)
		rc = blob_collect(txn, &collect_more);
	if (rc)
		mdb_txn_abort(txn);
	else
		rc = environment_write_commit(txn);
	blob_collected();
	/* What failed now is tried again behind the next update, not at once and without end. */
	if (rc)
		collect_more = false;
	return rc;
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

/* Waits for work and takes as much as makes a group; perhaps nothing, when only dropped blobs are left to
 * delete. False: this is the end. */
static bool take_group(struct ph_list *group)
{
	uint64_t bytes = 0;
	size_t count = 0;
	bool go_on;

	pthread_mutex_lock(&lock);
	while (ph_list_empty(&waiting) && !stopping && !collect_more)
		pthread_cond_wait(&work, &lock);
	go_on = !stopping || !ph_list_empty(&waiting);
	while (!ph_list_empty(&waiting) && count < limits.group_updates && bytes <= limits.group_bytes) {
		struct update *update = ph_container_of(waiting.next, struct update, link);

		ph_list_remove(&update->link);
		ph_list_append(group, &update->link);
		bytes += update->bytes;
		count++;
	}
	pthread_mutex_unlock(&lock);
	return go_on;
}

static void wake_finished(void *arg);

static void *run_committer(void *arg)
{
	struct ph_list group;

	(void)arg;
	ph_list_init(&group);
	while (take_group(&group)) {
		bool empty = ph_list_empty(&group);

		collect_more = false;
		environment_check_readers();
		commit_group(&group);
		if (empty)
			continue;
		pthread_mutex_lock(&lock);
		move_all(&group, &finished);
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
	sigset_t all, before;
	int rc;

	limits = *limits_;
	stopping = false;
	collect_more = true;
	ph_list_init(&waiting);
	ph_list_init(&finished);
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
}

/* May park: until the update was tried. */
static void submit(struct update *update)
{
	ph_list_init(&update->link);
	update->wait = ph_wait_begin();
	pthread_mutex_lock(&lock);
	ph_list_append(&waiting, &update->link);
	pthread_cond_signal(&work);
	pthread_mutex_unlock(&lock);
	ph_wait_park(update->wait, PH_FOREVER);
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

	for (size_t i = 0; i < draft_count; i++)
		update.bytes += kv_draft_size(drafts[i]);
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
