/* The committer's thread, and the way to it: fibers hand it their updates and are woken when these are
 * durable. While one group is being flushed the next one gathers: a single writer waits for one flush and no
 * timer, and many writers share it. */
#include <config.h>

#include "commit.h"

#include <pthread.h>
#include <signal.h>

#include <posthorn/fiber.h>
#include <posthorn/loop.h>

#include "draft.h"
#include "environment.h"
#include "group.h"
#include "queue.h"
#include "transaction.h"
#include "watch.h"

#define MENDING_TRIES 8

static pthread_t committer;

/* On the loop's thread. */
static void wake_finished(void *arg)
{
	struct ph_list done;

	(void)arg;
	ph_list_init(&done);
	queue_take_finished(&done);
	PH_LIST_EACH (&done, node) {
		struct update *update = ph_container_of(node, struct update, link);

		for (size_t i = 0; update->changed && i < update->txn.count; i++)
			kv_watch_changed(update->txn.partitions[i]);
		ph_wake(update->wait, 0);
	}
	kv_watch_tell();
}

static void *run_committer(void *arg)
{
	struct ph_list group;

	(void)arg;
	ph_list_init(&group);
	while (queue_take_group(&group)) {
		environment_check_readers();
		group_commit(&group);
		queue_finish(&group);
		ph_loop_post_from_thread(wake_finished, NULL);
	}
	return NULL;
}

int commit_start(const struct commit_limits *limits)
{
	sigset_t all, before;
	int rc;

	queue_start(limits->group_updates, limits->group_bytes);
	group_start(limits->committed, limits->full);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&committer, NULL, run_committer, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

void commit_stop(void)
{
	queue_end();
	pthread_join(committer, NULL);
	wake_finished(NULL);
	queue_free();
	group_stop();
}

/* May park: until the update was tried. */
static void submit(struct update *update)
{
	update->wait = ph_wait_begin();
	queue_add(update);
	ph_wait_park(update->wait, PH_FOREVER);
}

int commit_from_thread(ph_kv_run *run, void *arg, uint64_t bytes)
{
	struct update update = { .txn = { .writable = true }, .run = run, .arg = arg, .bytes = bytes };

	queue_add_and_block(&update);
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

/* Does the committer's next transaction mend it? What another process grows, it may grow again. */
static bool can_be_mended(int rc, unsigned tries)
{
	return tries < MENDING_TRIES && (rc == MDB_MAP_RESIZED || rc == MDB_PANIC);
}

int commit_read_begin(MDB_txn **txn_r)
{
	int rc = environment_read_begin(txn_r);

	for (unsigned tries = 0; can_be_mended(rc, tries); tries++) {
		struct update nothing = { .run = do_nothing };

		submit(&nothing);
		rc = environment_read_begin(txn_r);
	}
	return rc;
}

int commit_snapshot_begin(MDB_txn **txn_r)
{
	int rc = environment_snapshot_begin(txn_r);

	for (unsigned tries = 0; can_be_mended(rc, tries); tries++) {
		(void)commit_from_thread(do_nothing, NULL, 0);
		rc = environment_snapshot_begin(txn_r);
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
