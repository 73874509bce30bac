/* The LMDB environment of this process. See environment.h.
 *
 * MDB_NOTLS lets one read transaction be kept, reset, and renewed for each read. Other processes have the
 * same file open; when one of them has grown the map, this one learns it from MDB_MAP_RESIZED. After a failed
 * write of a meta page LMDB answers MDB_PANIC for ever: then the environment is closed and opened again, and
 * what was durable is there again. */
#include <config.h>

#include "environment.h"

#include <errno.h>
#include <pthread.h>
#include <sys/statvfs.h>
#include <time.h>

#include <posthorn/error.h>

#include "file.h"

#define READER_CHECK_SECONDS 10
/* Free blocks below which a failed write is put down to a full disk. */
#define FULL_DISK_BLOCKS 256
/* What stays allocated behind the index's end. On a full disk messages are refused and the rest goes on in
 * it; when half of it is used, only what frees space. */
#define MARGIN (UINT64_C(4) * 1024 * 1024)

MDB_dbi environment_keys, environment_blobs, environment_segments, environment_state;

static const struct environment_config *config;
static MDB_env *env; /* NULL when it could not be opened again */
static MDB_txn *reader;
static size_t map_size;
static time_t readers_checked;
static uint64_t allocated; /* how far the index's file surely is; the committer's own */
/* Held while reading, and by the committer while it moves the map. */
static pthread_mutex_t map_lock = PTHREAD_MUTEX_INITIALIZER;
/* Held while there is a snapshot. */
static pthread_mutex_t snapshot_lock = PTHREAD_MUTEX_INITIALIZER;

/* Takes over the size that another process gave the map. Nobody may be reading. */
static int adopt_map(void)
{
	MDB_envinfo info;
	int rc = mdb_env_set_mapsize(env, 0);

	if (!rc && !mdb_env_info(env, &info))
		map_size = info.me_mapsize;
	return rc;
}

int environment_make_databases(MDB_txn *txn)
{
	int rc = mdb_dbi_open(txn, "keys", MDB_CREATE, &environment_keys);

	if (!rc)
		rc = mdb_dbi_open(txn, "blobs", MDB_CREATE, &environment_blobs);
	if (!rc)
		rc = mdb_dbi_open(txn, "segments", MDB_CREATE, &environment_segments);
	if (!rc)
		rc = mdb_dbi_open(txn, "state", MDB_CREATE, &environment_state);
	if (!rc)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return rc;
}

static int open_databases(void)
{
	MDB_txn *txn;
	int rc;

	while ((rc = mdb_txn_begin(env, NULL, 0, &txn)) == MDB_MAP_RESIZED) {
		rc = adopt_map();
		if (rc)
			return rc;
	}
	return rc ? rc : environment_make_databases(txn);
}

static void close_environment(void)
{
	if (reader)
		mdb_txn_abort(reader);
	if (env)
		mdb_env_close(env);
	reader = NULL;
	env = NULL;
}

static int open_environment(void)
{
	int dead, rc = mdb_env_create(&env);

	if (rc)
		return rc;
	allocated = 0;
	rc = mdb_env_set_mapsize(env, map_size);
	if (!rc)
		rc = mdb_env_set_maxdbs(env, 4);
	if (!rc)
		rc = mdb_env_set_maxreaders(env, config->readers);
	if (!rc)
		rc = mdb_env_open(env, config->directory, MDB_NOTLS | MDB_NOSYNC, 0600);
	if (!rc)
		rc = mdb_reader_check(env, &dead);
	if (!rc)
		rc = open_databases();
	if (rc)
		close_environment();
	return rc;
}

int environment_open(const struct environment_config *config_)
{
	config = config_;
	map_size = config->map_size;
	return open_environment();
}

void environment_close(void)
{
	close_environment();
}

static int begin_reading(MDB_txn **txn_r)
{
	int rc = env ? 0 : MDB_PANIC;

	if (!rc)
		rc = reader ? mdb_txn_renew(reader) : mdb_txn_begin(env, NULL, MDB_RDONLY, &reader);
	if (!rc)
		*txn_r = reader;
	else if (reader && env)
		mdb_txn_reset(reader);
	return rc;
}

int environment_read_begin(MDB_txn **txn_r)
{
	int dead, rc;

	pthread_mutex_lock(&map_lock);
	rc = begin_reading(txn_r);
	if (rc == MDB_READERS_FULL && !mdb_reader_check(env, &dead))
		rc = begin_reading(txn_r);
	if (rc)
		pthread_mutex_unlock(&map_lock);
	return rc;
}

void environment_read_end(void)
{
	mdb_txn_reset(reader);
	pthread_mutex_unlock(&map_lock);
}

/* Keeps everybody from reading. */
static void lock_map(void)
{
	pthread_mutex_lock(&snapshot_lock);
	pthread_mutex_lock(&map_lock);
}

static void unlock_map(void)
{
	pthread_mutex_unlock(&map_lock);
	pthread_mutex_unlock(&snapshot_lock);
}

static int locked(int (*mend)(void))
{
	int rc;

	lock_map();
	rc = mend();
	unlock_map();
	return rc;
}

static int begin_snapshot(MDB_txn **txn_r)
{
	return env ? mdb_txn_begin(env, NULL, MDB_RDONLY, txn_r) : MDB_PANIC;
}

int environment_snapshot_begin(MDB_txn **txn_r)
{
	int dead, rc;

	pthread_mutex_lock(&snapshot_lock);
	rc = begin_snapshot(txn_r);
	if (rc == MDB_READERS_FULL && !mdb_reader_check(env, &dead))
		rc = begin_snapshot(txn_r);
	if (rc)
		pthread_mutex_unlock(&snapshot_lock);
	return rc;
}

void environment_snapshot_end(MDB_txn *txn)
{
	mdb_txn_abort(txn);
	pthread_mutex_unlock(&snapshot_lock);
}

int environment_measure(uint64_t *bytes_r, unsigned *readers_r, unsigned *readers_max_r)
{
	MDB_envinfo info;
	MDB_stat stat;
	int rc = MDB_PANIC;

	pthread_mutex_lock(&map_lock);
	if (env)
		rc = mdb_env_info(env, &info);
	if (!rc)
		rc = mdb_env_stat(env, &stat);
	pthread_mutex_unlock(&map_lock);
	if (rc)
		return rc;
	*bytes_r = (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize;
	*readers_r = info.me_numreaders;
	*readers_max_r = info.me_maxreaders;
	return 0;
}

/* As much ahead as there is space for. Where the file system cannot do that, it counts as done. */
static void allocate_margin(uint64_t used)
{
	mdb_filehandle_t fd;

	if (mdb_env_get_fd(env, &fd))
		return;
	for (uint64_t ahead = MARGIN * 2; ahead >= MARGIN / 2; ahead /= 2) {
		uint64_t end = used + ahead;

		if (end <= allocated)
			return;
		if (file_operations.reserve(fd, (off_t)allocated, (off_t)(end - allocated)) == 0 ||
			!file_is_full(errno)) {
			allocated = end;
			return;
		}
	}
}

int environment_make_room(enum effect effect)
{
	const uint64_t wanted = effect == EFFECT_BRINGS ? MARGIN : MARGIN / 2;
	MDB_envinfo info;
	MDB_stat stat;
	uint64_t used;
	int rc = mdb_env_info(env, &info);

	if (!rc)
		rc = mdb_env_stat(env, &stat);
	if (rc)
		return rc;
	used = (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize;
	if (allocated < used + MARGIN)
		allocate_margin(used);
	return effect == EFFECT_FREES || allocated >= used + wanted ? 0 : ENOSPC;
}

int environment_flush(void)
{
	return env ? mdb_env_sync(env, 1) : MDB_PANIC;
}

static int reopen(void)
{
	close_environment();
	return open_environment();
}

int environment_write_begin(MDB_txn **txn_r)
{
	for (;;) {
		int rc = env ? mdb_txn_begin(env, NULL, 0, txn_r) : MDB_PANIC;

		if (rc == MDB_MAP_RESIZED)
			rc = locked(adopt_map);
		else if (rc == MDB_PANIC)
			rc = locked(reopen);
		else
			return rc;
		if (rc)
			return rc;
	}
}

/* A full disk first shows as a short write, which LMDB reports as EIO. */
static bool disk_is_full(void)
{
	struct statvfs disk;

	return statvfs(config->directory, &disk) == 0 && disk.f_bavail < FULL_DISK_BLOCKS;
}

int environment_write_commit(MDB_txn *txn)
{
	int rc = mdb_txn_commit(txn);

	return rc == EIO && disk_is_full() ? ENOSPC : rc;
}

bool environment_grow(void)
{
	size_t size = map_size > config->map_max / 2 ? config->map_max : map_size * 2;
	int rc;

	if (size <= map_size)
		return false;
	lock_map();
	rc = mdb_env_set_mapsize(env, size);
	unlock_map();
	if (!rc)
		map_size = size;
	return !rc;
}

void environment_check_readers(void)
{
	struct timespec now;
	int dead;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!env || now.tv_sec - readers_checked < READER_CHECK_SECONDS)
		return;
	readers_checked = now.tv_sec;
	(void)mdb_reader_check(env, &dead);
}

int environment_code(int rc)
{
	switch (rc) {
	case 0:
		return 0;
	case MDB_MAP_FULL:
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return PH_E_FULL;
	case MDB_TXN_FULL:
		return PH_E_LIMIT;
	case PH_E_UNSUPPORTED:
		return PH_E_UNSUPPORTED;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
	case PH_E_CORRUPT:
		return PH_E_CORRUPT;
	case MDB_READERS_FULL:
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return PH_E_UNAVAILABLE;
	default:
		return PH_E_IO;
	}
}
