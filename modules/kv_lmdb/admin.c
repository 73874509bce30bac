/* Done on an offload thread, like the keeper's work on its own. */
#include <config.h>

#include "admin.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <posthorn/error.h>
#include <posthorn/offload.h>
#include <posthorn/tool.h>

#include "checkpoint.h"
#include "commit.h"
#include "compact.h"
#include "environment.h"
#include "file.h"
#include "index.h"
#include "journal.h"
#include "large.h"
#include "opening.h"

/* What is asked for is worth more effort than what is done by itself. */
#define COMPACT_PERCENT 95

/* --- work on another thread --- */

struct job {
	int (*work)(void *arg);
	void *arg;
	int result;
};

static void run_job(void *arg)
{
	struct job *job = arg;

	job->result = job->work(job->arg);
}

static int offload(int (*work)(void *arg), void *arg)
{
	struct job job = { .work = work, .arg = arg };
	int rc = ph_offload(run_job, &job);

	ph_progress_hide();
	return rc ? rc : job.result;
}

/* Where the commands are. */
static const char *stage;

static void begin_stage(const char *name, const char *unit)
{
	stage = name;
	ph_progress_begin(unit);
}

static bool go_on(uint64_t done, uint64_t total)
{
	ph_progress(ph_str(stage), done, total);
	return true;
}

static int write_checkpoint(void)
{
	begin_stage("checkpoint", "entries");
	return checkpoint_write(go_on);
}

static int take_checkpoint(void *arg)
{
	int rc;

	(void)arg;
	if (!opening_take_care())
		return PH_E_BUSY;
	rc = write_checkpoint();
	opening_end_care();
	return rc;
}

/* What the first round moved can go when a checkpoint lies behind it. */
static int compact(void *arg)
{
	int rc = 0;

	(void)arg;
	if (!opening_take_care())
		return PH_E_BUSY;
	for (int round = 0; !rc && round < 2; round++) {
		rc = write_checkpoint();
		begin_stage("compaction", "segments");
		if (!rc)
			rc = compact_journal(COMPACT_PERCENT, go_on);
	}
	if (file_is_full(rc))
		rc = compact_full_store(go_on);
	opening_end_care();
	return rc;
}

int admin_checkpoint(void)
{
	return offload(take_checkpoint, NULL);
}

int admin_compact(void)
{
	return offload(compact, NULL);
}

struct backup_job {
	const char *target;
	struct backup_figures *figures;
};

static int write_backup(void *arg)
{
	struct backup_job *job = arg;
	int rc;

	if (!opening_take_care())
		return PH_E_BUSY;
	rc = write_checkpoint();
	begin_stage("backup", NULL);
	if (!rc)
		rc = backup_write(job->target, job->figures, go_on);
	opening_end_care();
	return rc;
}

int admin_backup(const char *target, struct backup_figures *figures_r)
{
	struct backup_job job = { target, figures_r };

	return offload(write_backup, &job);
}

/* --- figures --- */

/* How many files a folder holds, and the space they take. */
static int measure(const char *directory, uint64_t *files_r, uint64_t *bytes_r)
{
	DIR *folder = opendir(directory);
	struct dirent *entry;

	if (!folder)
		return errno;
	while ((entry = readdir(folder))) {
		char *path = file_path(directory, entry->d_name);
		struct stat status;

		if (stat(path, &status) == 0 && S_ISREG(status.st_mode)) {
			++*files_r;
			*bytes_r += (uint64_t)status.st_blocks * 512;
		}
		free(path);
	}
	closedir(folder);
	return 0;
}

/* Of a segment that is not the last. */
static int measure_segment(MDB_txn *txn, uint64_t number, struct admin_stat *stat_r, bool is_last)
{
	char *path = file_number_path(journal_directory(), number);
	struct stat status;
	uint64_t live;
	int rc = index_live_bytes(txn, number, &live);

	if (!rc && stat(path, &status) < 0)
		rc = errno == ENOENT ? 0 : errno;
	else if (!rc && !is_last && (uint64_t)status.st_size > live)
		stat_r->reclaimable_bytes += (uint64_t)status.st_size - live;
	stat_r->live_bytes += live;
	free(path);
	return rc;
}

static int measure_journal(MDB_txn *txn, struct admin_stat *stat_r)
{
	struct position end, checkpoint;
	uint64_t *numbers;
	size_t count;
	int rc = file_numbers(journal_directory(), &numbers, &count);

	if (!rc)
		rc = index_get_end(txn, &end);
	if (!rc)
		rc = index_get_checkpoint(txn, &checkpoint);
	if (!rc)
		stat_r->since_checkpoint = end.written - checkpoint.written;
	for (size_t i = 0; !rc && i < count; i++)
		rc = measure_segment(txn, numbers[i], stat_r, numbers[i] >= end.segment);
	stat_r->segments = count;
	free(numbers);
	return rc;
}

/* Without the space that is kept for the next. */
static int count_checkpoints(uint64_t *count_r)
{
	uint64_t *numbers;
	size_t count;
	int rc = file_numbers(checkpoint_directory(), &numbers, &count);

	*count_r = count;
	free(numbers);
	return rc;
}

static int measure_all(void *arg)
{
	struct admin_stat *stat_r = arg;
	uint64_t files = 0;
	MDB_txn *txn;
	int rc = commit_snapshot_begin(&txn);

	if (rc)
		return rc;
	rc = measure_journal(txn, stat_r);
	environment_snapshot_end(txn);
	if (!rc)
		rc = measure(journal_directory(), &files, &stat_r->journal_bytes);
	if (!rc)
		rc = measure(checkpoint_directory(), &files, &stat_r->checkpoint_bytes);
	if (!rc)
		rc = count_checkpoints(&stat_r->checkpoints);
	if (!rc)
		rc = measure(large_directory(), &stat_r->large_files, &stat_r->large_bytes);
	return rc ? rc : environment_measure(&stat_r->index_bytes, &stat_r->readers, &stat_r->readers_max);
}

int admin_stat(struct admin_stat *stat_r)
{
	*stat_r = (struct admin_stat){ 0 };
	return offload(measure_all, stat_r);
}
