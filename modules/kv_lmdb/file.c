/* The store's files. See file.h. */
#include <config.h>

#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <posthorn/mem.h>

#define NUMBER_DIGITS 16
#define PARTS_MAX 1024

static int system_open(const char *path, int flags)
{
	return open(path, flags | O_CLOEXEC, 0600);
}

static ssize_t system_read(int fd, const struct iovec *part, off_t offset, bool wait)
{
	return preadv2(fd, part, 1, offset, wait ? 0 : RWF_NOWAIT);
}

static int system_allocate(int fd, off_t offset, off_t size)
{
	return fallocate(fd, 0, offset, size);
}

static int system_reserve(int fd, off_t offset, off_t size)
{
	return fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, size);
}

static int system_free_space(int fd, uint64_t *bytes_r)
{
	struct statvfs disk;

	if (fstatvfs(fd, &disk) < 0)
		return -1;
	*bytes_r = (uint64_t)disk.f_bavail * disk.f_frsize;
	return 0;
}

static int system_link(int fd, const char *path)
{
	char self[64];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

#define SYSTEM_CALLS                                                                           \
	{                                                                                      \
		.open = system_open, .close = close, .read = system_read, .write = pwritev,    \
		.allocate = system_allocate, .reserve = system_reserve, .truncate = ftruncate, \
		.flush = fdatasync, .flush_all = fsync, .rename = rename, .unlink = unlink,    \
		.link = system_link, .free_space = system_free_space,                          \
	}

const struct file_operations file_system_calls = SYSTEM_CALLS;
struct file_operations file_operations = SYSTEM_CALLS;

static void pass_over(struct iovec **parts, size_t *count, size_t done)
{
	while (*count > 0 && done >= (*parts)->iov_len) {
		done -= (*parts)->iov_len;
		(*parts)++;
		(*count)--;
	}
	if (*count > 0) {
		(*parts)->iov_base = (char *)(*parts)->iov_base + done;
		(*parts)->iov_len -= done;
	}
}

int file_write(int fd, struct iovec *parts, size_t count, uint64_t offset)
{
	pass_over(&parts, &count, 0);
	while (count > 0) {
		int some = count < PARTS_MAX ? (int)count : PARTS_MAX;
		ssize_t done = file_operations.write(fd, parts, some, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? errno : ENOSPC;
		offset += (uint64_t)done;
		pass_over(&parts, &count, (size_t)done);
	}
	return 0;
}

int file_read(int fd, void *to, size_t size, uint64_t offset)
{
	for (char *at = to; size > 0;) {
		const struct iovec part = { at, size };
		ssize_t got = file_operations.read(fd, &part, (off_t)offset, true);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? errno : EIO;
		at += got;
		size -= (size_t)got;
		offset += (uint64_t)got;
	}
	return 0;
}

bool file_is_full(int rc)
{
	return rc == ENOSPC || rc == EDQUOT || rc == EFBIG;
}

bool file_read_cached(int fd, void *to, size_t size, uint64_t offset)
{
	const struct iovec part = { to, size };

	return file_operations.read(fd, &part, (off_t)offset, false) == (ssize_t)size;
}

int file_size(int fd, uint64_t *size_r)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return errno;
	*size_r = (uint64_t)status.st_size;
	return 0;
}

void file_start_flush(int fd, uint64_t offset, uint64_t size)
{
	(void)sync_file_range(fd, (off_t)offset, (off_t)size, SYNC_FILE_RANGE_WRITE);
}

int file_flush_folder(const char *path)
{
	int rc = 0, fd = file_operations.open(path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return errno;
	if (file_operations.flush_all(fd) < 0)
		rc = errno;
	file_operations.close(fd);
	return rc;
}

static int write_text(const char *path, int flags, const char *text)
{
	struct iovec part = { (void *)(uintptr_t)text, strlen(text) };
	int rc, fd = file_operations.open(path, O_WRONLY | flags);

	if (fd < 0)
		return errno;
	rc = file_write(fd, &part, 1, 0);
	if (!rc && file_operations.truncate(fd, (off_t)strlen(text)) < 0)
		rc = errno;
	if (!rc && file_operations.flush_all(fd) < 0)
		rc = errno;
	file_operations.close(fd);
	return rc;
}

int file_replace(const char *path, const char *folder, const char *text)
{
	char *new = file_path(path, "new");
	int rc;

	new[strlen(path)] = '.';
	rc = write_text(new, O_CREAT | O_TRUNC, text);
	if (!rc && file_operations.rename(new, path) < 0)
		rc = errno;
	if (!rc)
		rc = file_flush_folder(folder);
	free(new);
	return rc;
}

int file_overwrite(const char *path, const char *text)
{
	return write_text(path, 0, text);
}

int file_read_text(const char *path, char *text_r, size_t size)
{
	int fd = file_operations.open(path, O_RDONLY);
	ssize_t got;

	text_r[0] = '\0';
	if (fd < 0)
		return errno;
	got = pread(fd, text_r, size - 1, 0);
	file_operations.close(fd);
	if (got < 0)
		return EIO;
	text_r[got] = '\0';
	return 0;
}

char *file_path(const char *directory, const char *name)
{
	size_t size = strlen(directory) + strlen(name) + 2;
	char *path = ph_alloc(size);

	snprintf(path, size, "%s/%s", directory, name);
	return path;
}

char *file_number_path(const char *directory, uint64_t number)
{
	char name[NUMBER_DIGITS + 1];

	snprintf(name, sizeof(name), "%016llx", (unsigned long long)number);
	return file_path(directory, name);
}

static int compare(const void *a, const void *b)
{
	uint64_t first, second;

	memcpy(&first, a, sizeof(first));
	memcpy(&second, b, sizeof(second));
	return (first > second) - (first < second);
}

int file_numbers(const char *directory, uint64_t **numbers_r, size_t *count_r)
{
	DIR *folder = opendir(directory);
	struct dirent *entry;

	*numbers_r = NULL;
	*count_r = 0;
	if (!folder)
		return errno;
	while ((entry = readdir(folder))) {
		char *end;
		uint64_t number = strtoull(entry->d_name, &end, 16);

		if (*end || end - entry->d_name != NUMBER_DIGITS)
			continue;
		*numbers_r = ph_realloc_array(*numbers_r, *count_r + 1, sizeof(**numbers_r));
		(*numbers_r)[(*count_r)++] = number;
	}
	closedir(folder);
	if (*count_r > 0)
		qsort(*numbers_r, *count_r, sizeof(**numbers_r), compare);
	return 0;
}
