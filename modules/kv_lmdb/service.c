/* The service's table, and its begin and end in a process. */
#include <config.h>

#include "kv_lmdb.h"

#include <stdlib.h>
#include <unistd.h>

#include <posthorn/mem.h>

#include "archive.h"
#include "blob.h"
#include "checkpoint.h"
#include "commit.h"
#include "damage.h"
#include "draft.h"
#include "environment.h"
#include "file.h"
#include "index.h"
#include "journal.h"
#include "keeper.h"
#include "large.h"
#include "mapping.h"
#include "opening.h"
#include "recover.h"
#include "restore.h"
#include "source.h"
#include "transaction.h"
#include "watch.h"

const struct ph_kv_service kv_lmdb_service = {
	.atomic_partitions = true,
	.update = commit_update,
	.read = commit_read,
	.get = transaction_get,
	.put = transaction_put,
	.del = transaction_del,
	.cursor = transaction_cursor,
	.seek = transaction_seek,
	.seek_last = transaction_seek_last,
	.next = transaction_next,
	.blob_add_reference = blob_add_reference,
	.blob_drop_reference = blob_drop_reference,
	.draft_new = kv_draft_new,
	.draft_write = kv_draft_write,
	.draft_id = kv_draft_id,
	.draft_size = kv_draft_size,
	.draft_view = kv_draft_view,
	.draft_free = kv_draft_free,
	.blob_open = blob_open,
	.blob_size = blob_size,
	.blob_view = blob_view,
	.blob_close = blob_close,
	.watch = kv_watch_add,
	.unwatch = kv_watch_remove,
};

#define SEGMENT_SIZE (INT64_C(64) << 20)
#define WRITE_AHEAD (INT64_C(256) << 10)
#define CHECKPOINT_AFTER (INT64_C(256) << 20)
#define CHECKPOINT_STEP (INT64_C(1) << 20)

static struct environment_config environment;
static const struct kv_lmdb_config *opened_with; /* NULL: it is closed */
static unsigned opened_for;
/* The folder's, and those in it. */
static char *path, *journal_path, *index_path, *large_path, *checkpoints_path, *state_path;

static void make_paths(const char *directory)
{
	path = ph_strdup(directory);
	journal_path = file_path(path, "journal");
	index_path = file_path(path, "index");
	large_path = file_path(path, "large");
	checkpoints_path = file_path(path, "checkpoints");
	state_path = file_path(path, "state");
}

static void free_paths(void)
{
	free(path);
	free(journal_path);
	free(index_path);
	free(large_path);
	free(checkpoints_path);
	free(state_path);
}

static size_t whole_pages(int64_t size)
{
	return ((size_t)size + 4095) / 4096 * 4096;
}

/* --- the index --- */

static void remove_index(void)
{
	char *data = file_path(index_path, "data.mdb"), *locks = file_path(index_path, "lock.mdb");

	unlink(data);
	unlink(locks);
	free(data);
	free(locks);
}

static int make_index(void)
{
	int rc;

	remove_index();
	rc = environment_open(&environment);
	return rc ? rc : recover_index(checkpoints_path);
}

/* Do index and journal belong together? */
static int check_end(void)
{
	struct position end;
	MDB_txn *txn;
	int rc = environment_read_begin(&txn);

	if (rc)
		return rc;
	rc = index_get_end(txn, &end);
	environment_read_end();
	return rc || journal_ends(&end) ? rc : MDB_CORRUPTED;
}

static bool is_wanted(const struct ph_kv_blob_id *id, void *arg)
{
	struct stored stored;

	return index_get_blob(arg, id, &stored) != MDB_NOTFOUND;
}

/* What processes left behind that died before their update was durable. */
static int clean_large(void)
{
	MDB_txn *txn;
	int rc = environment_read_begin(&txn);

	if (rc)
		return rc;
	rc = large_clean(is_wanted, txn);
	environment_read_end();
	return rc;
}

static int open_index_alone(void)
{
	int rc = MDB_CORRUPTED;

	if (opening_index_is_good()) {
		rc = environment_open(&environment);
		if (!rc)
			rc = check_end();
		if (rc && environment_code(rc) == PH_E_CORRUPT)
			environment_close();
	}
	if (rc && environment_code(rc) == PH_E_CORRUPT)
		rc = make_index();
	if (!rc)
		rc = clean_large();
	if (!rc)
		checkpoint_keep_space();
	return rc ? rc : opening_index_made();
}

static int open_files(const struct kv_lmdb_config *config, unsigned processes)
{
	bool alone = false;
	int rc;

	environment = (struct environment_config){
		.directory = index_path,
		.map_size = whole_pages(config->map_size),
		.map_max = whole_pages(config->map_max),
		.readers = processes,
	};
	large_open(large_path);
	damage_open(path);
	checkpoint_open(checkpoints_path,
		(uint64_t)(config->checkpoint_step ? config->checkpoint_step : CHECKPOINT_STEP));
	source_open();
	journal_open(journal_path, (uint64_t)(config->segment_size ? config->segment_size : SEGMENT_SIZE),
		(uint64_t)(config->write_ahead ? config->write_ahead : WRITE_AHEAD));
	rc = opening_begin(path, &alone);
	if (rc)
		return rc;
	rc = alone ? open_index_alone() : environment_open(&environment);
	opening_end();
	return rc;
}

/* Who closes last leaves an index that can be trusted. */
static void close_files(void)
{
	bool alone = false;

	source_close();
	if (opening_begin_close(&alone) == 0 && alone && environment_flush() == 0)
		(void)opening_index_closed();
	environment_close();
	journal_close();
	opening_close();
}

static int start_threads(const struct kv_lmdb_config *config)
{
	const struct commit_limits limits = {
		.group_updates = (size_t)config->group_updates,
		.group_bytes = (uint64_t)config->group_size,
		.committed = keeper_tell,
		.full = keeper_tell_full,
	};
	int64_t after = config->checkpoint_after ? config->checkpoint_after : CHECKPOINT_AFTER;
	int rc = commit_start(&limits);

	if (rc)
		return rc;
	rc = keeper_start((uint64_t)after, (unsigned)config->compact_percent);
	if (rc)
		commit_stop();
	return rc;
}

static const char *text_of(int rc)
{
	if (rc == PH_E_UNSUPPORTED)
		return "it was made by another version of Posthorn, in a layout that this one does not know";
	if (rc == PH_E_CORRUPT)
		return "its journal has gaps that no checkpoint fills";
	return mdb_strerror(rc);
}

int kv_lmdb_open(const char *directory, const struct kv_lmdb_config *config, unsigned processes,
	struct ph_error *error)
{
	int rc;

	make_paths(directory);
	mapping_guard(state_path);
	kv_draft_start();
	kv_watch_start();
	rc = open_files(config, processes);
	if (!rc)
		rc = start_threads(config);
	if (!rc) {
		opened_with = config;
		opened_for = processes;
		return 0;
	}
	ph_error_set(error, environment_code(rc), "the mail store cannot be opened", "%s: %s", directory,
		text_of(rc));
	environment_close();
	journal_close();
	opening_close();
	mapping_end_guard();
	kv_watch_stop();
	free_paths();
	return environment_code(rc);
}

void kv_lmdb_close(void)
{
	if (!opened_with)
		return;
	opened_with = NULL;
	keeper_stop();
	commit_stop();
	close_files();
	mapping_end_guard();
	kv_watch_stop();
	free_paths();
}

const struct ph_kv_damage_service kv_lmdb_damage_service = {
	.each = damage_each,
	.forget = damage_forget,
};

/* --- backups --- */

/* The live store while a copy is open in its place. */
static struct {
	const struct kv_lmdb_config *config;
	unsigned processes;
	char *store, *copy;
} restoring;

static int open_backup(
	const char *folder, struct ph_kv_backup **backup_r, unsigned *damages_r, struct ph_error *error)
{
	return archive_open(folder, index_path, backup_r, damages_r, error);
}

/* Ends restoring: opens what is in the place of the store. */
static int open_again(struct ph_error *error)
{
	int result;

	restore_release();
	result = kv_lmdb_open(restoring.store, restoring.config, restoring.processes, error);
	free(restoring.store);
	free(restoring.copy);
	restoring.store = restoring.copy = NULL;
	return result;
}

static int explain(int rc, const char *what, struct ph_error *error)
{
	if (rc == PH_E_BUSY)
		return ph_error_set(error, rc, "the store is in use: stop the server first", NULL);
	return ph_error_set(error, environment_code(rc), what, "%s: %s", what,
		rc < 0 && rc > MDB_LAST_ERRCODE ? ph_code_name(rc) : mdb_strerror(rc));
}

static int restore_begin(const struct ph_kv_backup *backup, struct ph_error *error)
{
	int rc;

	restoring.config = opened_with;
	restoring.processes = opened_for;
	restoring.store = ph_strdup(path);
	kv_lmdb_close();
	rc = restore_prepare(archive_folder(backup), restoring.store, &restoring.copy);
	if (rc) {
		rc = explain(rc, "the backup cannot be copied", error);
		(void)open_again(NULL);
		return rc;
	}
	rc = kv_lmdb_open(restoring.copy, restoring.config, restoring.processes, error);
	if (rc) {
		restore_forget(restoring.copy);
		(void)open_again(NULL);
	}
	return rc;
}

static void restore_cancel(void)
{
	kv_lmdb_close();
	restore_forget(restoring.copy);
	(void)open_again(NULL);
}

static int restore_end(char **former_r, struct ph_error *error)
{
	int rc;

	kv_lmdb_close();
	rc = restore_exchange(restoring.store, restoring.copy, former_r);
	if (!rc)
		return open_again(error);
	rc = explain(rc, "the copy cannot be put in the place of the store", error);
	restore_forget(restoring.copy);
	(void)open_again(NULL);
	return rc;
}

const struct ph_kv_backup_service kv_lmdb_backup_service = {
	.open = open_backup,
	.close = archive_close,
	.read = archive_read,
	.blob_open = archive_blob_open,
	.draft_new = kv_draft_named,
	.restore_begin = restore_begin,
	.restore_end = restore_end,
	.restore_cancel = restore_cancel,
};
