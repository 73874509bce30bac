/* Reading a backup. Recovery fills an LMDB environment of its own, whose file has no name and goes with the
 * process; the map is large enough from the beginning, since what is read is known. */
#include <config.h>

#include "archive.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <posthorn/mem.h>

#include "backup.h"
#include "blob.h"
#include "environment.h"
#include "file.h"
#include "index.h"
#include "large.h"
#include "opening.h"
#include "recover.h"
#include "transaction.h"

/* The index is at most so many times as large as the records it is made of. */
#define MAP_FACTOR 4
#define MAP_LEAST ((size_t)64 << 20)

struct ph_kv_backup {
	char *folder, *journal, *large, *checkpoints;
	MDB_env *env;
};

static int explain(const struct ph_kv_backup *backup, int rc, const char *what, struct ph_error *error)
{
	return ph_error_set(error, environment_code(rc), what, "%s: %s: %s", backup->folder, what,
		rc < 0 && rc > MDB_LAST_ERRCODE ? ph_code_name(rc) : mdb_strerror(rc));
}

const char *archive_folder(const struct ph_kv_backup *backup)
{
	return backup->folder;
}

/* --- opening --- */

static int make_databases(MDB_env *env)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(env, NULL, 0, &txn);

	return rc ? rc : environment_make_databases(txn);
}

static int open_environment(MDB_env **env_r, int fd, size_t map_size)
{
	char path[64];
	int rc = mdb_env_create(env_r);

	if (rc)
		return rc;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	rc = mdb_env_set_mapsize(*env_r, map_size);
	if (!rc)
		rc = mdb_env_set_maxdbs(*env_r, 4);
	if (!rc)
		rc = mdb_env_open(*env_r, path,
			MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS | MDB_NOSYNC | MDB_NOMEMINIT, 0600);
	return rc ? rc : make_databases(*env_r);
}

static int make_environment(struct ph_kv_backup *backup, const char *scratch)
{
	uint64_t bytes = 0;
	int fd, rc = backup_measure(backup->checkpoints, &bytes);

	if (!rc)
		rc = backup_measure(backup->journal, &bytes);
	if (rc)
		return rc;
	fd = file_operations.open(scratch, O_TMPFILE | O_RDWR);
	if (fd < 0)
		return errno;
	rc = open_environment(
		&backup->env, fd, MAP_LEAST + ((size_t)bytes * MAP_FACTOR + 4095) / 4096 * 4096);
	file_operations.close(fd);
	return rc;
}

static int recover(struct ph_kv_backup *backup, unsigned *damages_r)
{
	struct recovery recovery = {
		.journal = backup->journal,
		.checkpoints = backup->checkpoints,
		.env = backup->env,
	};
	uint64_t written;
	int rc = backup_is_complete(backup->folder, &written);

	if (!rc)
		rc = recover_from(&recovery);
	if (!rc && recovery.end.written < written)
		rc = PH_E_CORRUPT;
	*damages_r = recovery.damages;
	return rc;
}

int archive_open(const char *folder, const char *scratch, struct ph_kv_backup **backup_r, unsigned *damages_r,
	struct ph_error *error)
{
	struct ph_kv_backup *backup = ph_alloc(sizeof(*backup));
	const char *what = "this is no backup";
	int rc;

	*backup = (struct ph_kv_backup){
		.folder = ph_strdup(folder),
		.journal = file_path(folder, "journal"),
		.large = file_path(folder, "large"),
		.checkpoints = file_path(folder, "checkpoints"),
	};
	rc = opening_check_folder(folder);
	if (!rc) {
		what = "the backup cannot be read";
		rc = make_environment(backup, scratch);
	}
	if (!rc) {
		what = "the backup is not complete";
		rc = recover(backup, damages_r);
	}
	if (!rc) {
		*backup_r = backup;
		return 0;
	}
	if (rc == ENOENT || rc == ENOTDIR)
		rc = ph_error_set(error, PH_E_ABSENT, what, NULL);
	else
		rc = explain(backup, rc, what, error);
	archive_close(&backup);
	return rc;
}

void archive_close(struct ph_kv_backup **backup)
{
	struct ph_kv_backup *closed = *backup;

	*backup = NULL;
	if (!closed)
		return;
	if (closed->env)
		mdb_env_close(closed->env);
	free(closed->folder);
	free(closed->journal);
	free(closed->large);
	free(closed->checkpoints);
	free(closed);
}

/* --- reading --- */

int archive_read(struct ph_kv_backup *backup, const struct ph_kv_partition *partitions, size_t count,
	ph_kv_run *run, void *arg, struct ph_error *error)
{
	struct ph_kv_txn txn = { .partitions = partitions, .count = count };
	int code, rc = mdb_txn_begin(backup->env, NULL, MDB_RDONLY, &txn.mdb);

	if (rc)
		return explain(backup, rc, "the backup cannot be read", error);
	code = transaction_run(&txn, run, arg);
	mdb_txn_abort(txn.mdb);
	return code && txn.failure ? explain(backup, txn.failure, "the backup cannot be read", error) : code;
}

static int look_up(struct ph_kv_backup *backup, const struct ph_kv_blob_id *id, struct stored *stored_r)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(backup->env, NULL, MDB_RDONLY, &txn);

	if (rc)
		return rc;
	rc = index_get_blob(txn, id, stored_r);
	mdb_txn_abort(txn);
	return rc;
}

static int open_file(const struct ph_kv_backup *backup, const struct ph_kv_blob_id *id,
	const struct stored *stored, int *fd_r)
{
	char name[LARGE_NAME_SIZE], *path;

	large_write_name(name, id);
	path = stored->segment == 0 ? file_path(backup->large, name)
				    : file_number_path(backup->journal, stored->segment);
	*fd_r = file_operations.open(path, O_RDONLY);
	free(path);
	return *fd_r < 0 ? errno : 0;
}

/* Bytes whose file is missing are as lost as those that are damaged. */
int archive_blob_open(struct ph_kv_backup *backup, struct ph_kv_blob_id id, struct ph_kv_blob **blob_r,
	struct ph_error *error)
{
	struct stored stored;
	int fd, rc = look_up(backup, &id, &stored);

	if (rc == MDB_NOTFOUND)
		return ph_error_set(error, PH_E_ABSENT, "the message is not in the backup", NULL);
	if (!rc)
		rc = open_file(backup, &id, &stored, &fd);
	if (rc)
		return explain(
			backup, rc == ENOENT ? MDB_CORRUPTED : rc, "the message cannot be read", error);
	return blob_open_at(&id, &stored, fd, blob_r, error);
}
