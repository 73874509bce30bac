/* Files named by their blob's id in hexadecimal digits. See large.h. */
#include <config.h>

#include "large.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"

#define ID_SIZE sizeof(struct ph_kv_blob_id)

static const char *directory;

void large_open(const char *directory_)
{
	directory = directory_;
}

const char *large_directory(void)
{
	return directory;
}

void large_write_name(char name_r[LARGE_NAME_SIZE], const struct ph_kv_blob_id *id)
{
	for (size_t i = 0; i < ID_SIZE; i++)
		snprintf(name_r + i * 2, 3, "%02x", id->bytes[i]);
}

static char *path_of(const struct ph_kv_blob_id *id)
{
	char name[LARGE_NAME_SIZE];

	large_write_name(name, id);
	return file_path(directory, name);
}

int large_create(int *fd_r)
{
	*fd_r = file_operations.open(directory, O_TMPFILE | O_RDWR);
	return *fd_r < 0 ? errno : 0;
}

int large_name(int fd, const struct ph_kv_blob_id *id)
{
	char *path = path_of(id);
	int rc = 0;

	if (file_operations.flush_all(fd) < 0 || file_operations.link(fd, path) < 0)
		rc = errno;
	free(path);
	return rc ? rc : file_flush_folder(directory);
}

void large_remove(const struct ph_kv_blob_id *id)
{
	char *path = path_of(id);

	(void)file_operations.unlink(path);
	free(path);
}

int large_open_blob(const struct ph_kv_blob_id *id)
{
	char *path = path_of(id);
	int fd = file_operations.open(path, O_RDONLY);

	free(path);
	return fd;
}

static bool read_name(const char *name, struct ph_kv_blob_id *id_r)
{
	char again[LARGE_NAME_SIZE];

	if (strlen(name) != LARGE_NAME_SIZE - 1)
		return false;
	for (size_t i = 0; i < ID_SIZE; i++) {
		const char digits[3] = { name[i * 2], name[i * 2 + 1], '\0' };

		id_r->bytes[i] = (unsigned char)strtoul(digits, NULL, 16);
	}
	large_write_name(again, id_r);
	return strcmp(name, again) == 0;
}

int large_clean(bool (*is_wanted)(const struct ph_kv_blob_id *id, void *arg), void *arg)
{
	DIR *folder = opendir(directory);
	struct dirent *entry;
	struct ph_kv_blob_id id;

	if (!folder)
		return errno;
	while ((entry = readdir(folder)))
		if (read_name(entry->d_name, &id) && !is_wanted(&id, arg))
			large_remove(&id);
	closedir(folder);
	return 0;
}
