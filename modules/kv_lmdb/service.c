/* The service's table, and its begin and end in a process. */
#include <config.h>

#include "kv_lmdb.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <posthorn/mem.h>

#include "blob.h"
#include "commit.h"
#include "draft.h"
#include "environment.h"
#include "pin.h"
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

static struct environment_config environment;
static char *path;

static size_t whole_pages(int64_t size)
{
	return ((size_t)size + 4095) / 4096 * 4096;
}

static int open_files(const struct kv_lmdb_config *config, unsigned processes)
{
	int rc;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return errno;
	environment = (struct environment_config){
		.directory = path,
		.map_size = whole_pages(config->map_size),
		.map_max = whole_pages(config->map_max),
		.readers = processes,
	};
	rc = environment_open(&environment);
	return rc ? rc : pin_open(path);
}

int kv_lmdb_open(const char *directory, const struct kv_lmdb_config *config, unsigned processes,
	struct ph_error *error)
{
	const struct commit_limits limits = { (size_t)config->group_updates, (uint64_t)config->group_size };
	int rc;

	path = ph_strdup(directory);
	kv_draft_set_directory(path);
	kv_watch_start();
	rc = open_files(config, processes);
	if (!rc)
		rc = commit_start(&limits);
	if (!rc)
		return 0;
	ph_error_set(error, environment_code(rc), "the mail store cannot be opened", "%s: %s", directory,
		mdb_strerror(rc));
	pin_close();
	environment_close();
	kv_watch_stop();
	free(path);
	return environment_code(rc);
}

void kv_lmdb_close(void)
{
	commit_stop();
	pin_close();
	environment_close();
	kv_watch_stop();
	free(path);
}
