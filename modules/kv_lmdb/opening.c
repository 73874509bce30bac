/* Locks on bytes of the file `lock`, which go by themselves with the process that held them, and two small
 * files: `format`, and `state`, which tells in which run of the system the index was in use, or that it was
 * closed.
 *
 * A process that dies harms nothing: what it gave to LMDB is in the page cache. Only when the system stopped
 * is the index not to be trusted, since its commits are never flushed. */
#include <config.h>

#include "opening.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <posthorn/error.h>

#include "file.h"

#define FORMAT "posthorn kv_lmdb 2\n"
#define CLOSED "closed\n"
#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define TEXT_SIZE 128

enum lock_byte { LOCK_OPENING, LOCK_OPEN, LOCK_CARE };

static const char *directory;
static int lock_fd = -1;

static int set_lock_of(int fd, enum lock_byte byte, short type, bool wait)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

	while (fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock) < 0)
		if (errno != EINTR)
			return errno;
	return 0;
}

static int set_lock(enum lock_byte byte, short type, bool wait)
{
	return set_lock_of(lock_fd, byte, type, wait);
}

static int make_folder(const char *parent, const char *name)
{
	char *path = file_path(parent, name);
	int rc = mkdir(path, 0700) < 0 && errno != EEXIST ? errno : 0;

	free(path);
	return rc;
}

static bool has(const char *parent, const char *name)
{
	char *path = file_path(parent, name);
	bool there = access(path, F_OK) == 0;

	free(path);
	return there;
}

/* A store of an earlier layout has LMDB's file where this one has a folder. */
static int check_format(const char *store)
{
	char *path = file_path(store, "format"), text[TEXT_SIZE];
	int rc = file_read_text(path, text, sizeof(text));

	if (rc == ENOENT)
		rc = has(store, "data.mdb") ? PH_E_UNSUPPORTED : file_replace(path, store, FORMAT);
	else if (!rc && strcmp(text, FORMAT) != 0)
		rc = PH_E_UNSUPPORTED;
	free(path);
	return rc;
}

static int make_folders(const char *store)
{
	static const char *const names[] = { "journal", "index", "large", "checkpoints" };
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(names) / sizeof(*names); i++)
		rc = make_folder(store, names[i]);
	return rc ? rc : file_flush_folder(store);
}

int opening_make_folder(const char *store)
{
	int rc;

	if (mkdir(store, 0700) < 0 && errno != EEXIST)
		return errno;
	rc = check_format(store);
	return rc ? rc : make_folders(store);
}

int opening_check_folder(const char *store)
{
	char *path = file_path(store, "format"), text[TEXT_SIZE];
	int rc = file_read_text(path, text, sizeof(text));

	free(path);
	if (!rc && strcmp(text, FORMAT) != 0)
		rc = PH_E_UNSUPPORTED;
	return rc;
}

static int open_lock(const char *store, int *fd_r)
{
	char *path = file_path(store, "lock");

	*fd_r = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	free(path);
	return *fd_r < 0 ? errno : 0;
}

int opening_hold(const char *store, int *fd_r)
{
	int rc = open_lock(store, fd_r);

	if (rc)
		return rc;
	if (set_lock_of(*fd_r, LOCK_OPENING, F_WRLCK, false) || set_lock_of(*fd_r, LOCK_OPEN, F_WRLCK, false))
		rc = PH_E_BUSY;
	if (rc) {
		close(*fd_r);
		*fd_r = -1;
	}
	return rc;
}

/* While one waited for the lock another store may have been put in the place of this one. */
static bool is_lock_of_store(void)
{
	char *path = file_path(directory, "lock");
	struct stat ours, there;
	bool is = fstat(lock_fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_ino == there.st_ino &&
		  ours.st_dev == there.st_dev;

	free(path);
	return is;
}

static int begin(bool *alone_r)
{
	int rc = set_lock(LOCK_OPENING, F_WRLCK, true);

	if (!rc)
		*alone_r = set_lock(LOCK_OPEN, F_WRLCK, false) == 0;
	return rc;
}

int opening_begin(const char *directory_, bool *alone_r)
{
	int rc;

	directory = directory_;
	if (mkdir(directory, 0700) < 0 && errno != EEXIST)
		return errno;
	do {
		opening_close();
		rc = open_lock(directory, &lock_fd);
		if (!rc)
			rc = begin(alone_r);
	} while (!rc && !is_lock_of_store());
	if (!rc)
		rc = opening_make_folder(directory);
	if (rc)
		opening_close();
	return rc;
}

/* "boot ID", or something that is never the same again. */
static void read_boot(char text_r[static TEXT_SIZE])
{
	char id[TEXT_SIZE - 8];

	if (file_read_text(BOOT_ID, id, sizeof(id)))
		id[0] = '\0';
	snprintf(text_r, TEXT_SIZE, "boot %s", id);
}

bool opening_index_is_good(void)
{
	char *path = file_path(directory, "state"), text[TEXT_SIZE], boot[TEXT_SIZE];
	bool good = file_read_text(path, text, sizeof(text)) == 0;

	read_boot(boot);
	free(path);
	return good && (strcmp(text, CLOSED) == 0 || (strcmp(text, boot) == 0 && strlen(boot) > 5));
}

void opening_index_bad(void)
{
	char *path = file_path(directory, "state");

	(void)file_operations.unlink(path);
	free(path);
}

/* Where it lies, since the disk may be full. One that a crash left mixed tells that the index is bad. */
static int write_state(const char *text)
{
	char *path = file_path(directory, "state");
	int rc = file_overwrite(path, text);

	if (rc == ENOENT)
		rc = file_replace(path, directory, text);
	free(path);
	return rc;
}

int opening_index_made(void)
{
	char boot[TEXT_SIZE];

	read_boot(boot);
	return write_state(boot);
}

int opening_index_closed(void)
{
	return has(directory, "state") ? write_state(CLOSED) : 0;
}

void opening_end(void)
{
	(void)set_lock(LOCK_OPEN, F_RDLCK, true);
	(void)set_lock(LOCK_OPENING, F_UNLCK, false);
}

int opening_begin_close(bool *alone_r)
{
	return begin(alone_r);
}

void opening_close(void)
{
	if (lock_fd >= 0)
		close(lock_fd);
	lock_fd = -1;
}

/* The lock keeps other processes away, the flag other threads. */
static atomic_flag caring = ATOMIC_FLAG_INIT;

bool opening_take_care(void)
{
	if (atomic_flag_test_and_set(&caring))
		return false;
	if (set_lock(LOCK_CARE, F_WRLCK, false) == 0)
		return true;
	atomic_flag_clear(&caring);
	return false;
}

void opening_end_care(void)
{
	(void)set_lock(LOCK_CARE, F_UNLCK, false);
	atomic_flag_clear(&caring);
}
