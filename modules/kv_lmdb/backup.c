/* Nothing that is copied changes meanwhile: full segments, large messages and checkpoints never do, and of
 * the last segment only what stands before its end is taken. Files are linked where the file system allows
 * it, and copied elsewhere; what the backup has already is left alone. What it does not need any more goes
 * last.
 *
 * Large messages are taken before the journal's end is looked at, and those that came meanwhile behind it. */
#include <config.h>

#include "backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <posthorn/error.h>
#include <posthorn/mem.h>

#include "checkpoint.h"
#include "commit.h"
#include "environment.h"
#include "file.h"
#include "index.h"
#include "journal.h"
#include "large.h"
#include "opening.h"
#include "segment.h"

#define COPY_SIZE (1024 * 1024)
#define TEMPORARY "copying"
#define COMPLETE "complete"

struct backup {
	const char *target;
	struct backup_figures *figures;
	uint64_t done, total; /* bytes, those that need not be copied among them */
	bool (*go_on)(uint64_t done, uint64_t total);
};

/* --- one file --- */

static int copy_bytes(struct backup *backup, int from, int to, uint64_t size)
{
	char *bytes = ph_alloc(COPY_SIZE);
	int rc = 0;

	for (uint64_t at = 0; !rc && at < size;) {
		struct iovec part = { bytes, size - at < COPY_SIZE ? (size_t)(size - at) : COPY_SIZE };
		size_t some = part.iov_len;

		rc = file_read(from, bytes, some, at);
		if (!rc)
			rc = file_write(to, &part, 1, at);
		at += some;
		if (!rc && !backup->go_on(backup->done + at, backup->total))
			rc = PH_E_STALE;
	}
	free(bytes);
	return rc;
}

static int copy_durable(struct backup *backup, int from, const char *path, uint64_t size)
{
	int rc, to = file_operations.open(path, O_WRONLY | O_CREAT | O_TRUNC);

	if (to < 0)
		return errno;
	rc = copy_bytes(backup, from, to, size);
	if (!rc && file_operations.flush_all(to) < 0)
		rc = errno;
	file_operations.close(to);
	return rc;
}

/* Copies the first bytes of a file, whole or not at all. */
static int copy_file(
	struct backup *backup, const char *from, const char *folder, const char *to, uint64_t size)
{
	char *temporary = file_path(folder, TEMPORARY);
	int rc, fd = file_operations.open(from, O_RDONLY);

	rc = fd < 0 ? errno : copy_durable(backup, fd, temporary, size);
	if (fd >= 0)
		file_operations.close(fd);
	if (!rc && file_operations.rename(temporary, to) < 0)
		rc = errno;
	free(temporary);
	return rc;
}

static bool read_head(const char *path, char *head_r)
{
	int fd = file_operations.open(path, O_RDONLY);
	bool good = fd >= 0 && file_read(fd, head_r, SEGMENT_HEADER, 0) == 0;

	if (fd >= 0)
		file_operations.close(fd);
	return good;
}

/* Numbers come again when an older store was restored; the random number in their headers tells files apart.
 */
static bool is_same(const char *from, const char *to, uint64_t size)
{
	char source[SEGMENT_HEADER], target[SEGMENT_HEADER];
	struct stat status;

	if (stat(to, &status) < 0 || (uint64_t)status.st_size != size)
		return false;
	return size < SEGMENT_HEADER || (read_head(from, source) && read_head(to, target) &&
						memcmp(source, target, SEGMENT_HEADER) == 0);
}

/* Whole or not at all, whatever has the name now. */
static int link_file(const char *from, const char *folder, const char *to)
{
	char *temporary = file_path(folder, TEMPORARY);
	int rc = 0;

	(void)file_operations.unlink(temporary);
	if (link(from, temporary) < 0 || file_operations.rename(temporary, to) < 0)
		rc = errno;
	free(temporary);
	return rc;
}

/* Brings a file that will not change into the folder. One that was deleted meanwhile is not needed. */
static int take_file(struct backup *backup, const char *source, const char *folder, const char *name)
{
	char *from = file_path(source, name), *to = file_path(folder, name);
	struct stat status;
	int rc = stat(from, &status) < 0 ? errno : 0;

	if (!rc && !is_same(from, to, (uint64_t)status.st_size)) {
		rc = link_file(from, folder, to);
		if (rc && rc != ENOENT)
			rc = copy_file(backup, from, folder, to, (uint64_t)status.st_size);
		backup->figures->files += rc == 0;
		backup->figures->bytes += rc == 0 ? (uint64_t)status.st_size : 0;
	}
	backup->done += rc == 0 ? (uint64_t)status.st_size : 0;
	if (!rc && !backup->go_on(backup->done, backup->total))
		rc = PH_E_STALE;
	free(from);
	free(to);
	return rc == ENOENT ? 0 : rc;
}

/* --- folders --- */

static bool is_file_of_store(const char *name)
{
	size_t length = strlen(name);

	return (length == 16 || length == 32) && strspn(name, "0123456789abcdef") == length;
}

/* Takes those files of a folder whose names sort before `end`. */
static int take_folder(struct backup *backup, const char *source, const char *name, const char *end)
{
	char *folder = file_path(backup->target, name);
	DIR *entries = opendir(source);
	struct dirent *entry;
	int rc = entries ? 0 : errno;

	while (!rc && (entry = readdir(entries)))
		if (is_file_of_store(entry->d_name) && (!end || strcmp(entry->d_name, end) < 0))
			rc = take_file(backup, source, folder, entry->d_name);
	if (entries)
		closedir(entries);
	free(folder);
	return rc;
}

/* Removes what the store has not any more. */
static int drop_old(struct backup *backup, const char *source, const char *name)
{
	char *folder = file_path(backup->target, name);
	DIR *entries = opendir(folder);
	struct dirent *entry;
	int rc = entries ? 0 : errno;

	while (entries && (entry = readdir(entries))) {
		char *from = file_path(source, entry->d_name), *to = file_path(folder, entry->d_name);

		if (is_file_of_store(entry->d_name) && access(from, F_OK) < 0 && errno == ENOENT)
			(void)file_operations.unlink(to);
		free(from);
		free(to);
	}
	if (entries)
		closedir(entries);
	if (!rc)
		rc = file_flush_folder(folder);
	free(folder);
	return rc;
}

/* --- the whole --- */

static int take_journal(struct backup *backup, const struct position *end)
{
	char *folder = file_path(backup->target, "journal");
	char *from = file_number_path(journal_directory(), end->segment);
	char *to = file_number_path(folder, end->segment);
	int rc = take_folder(backup, journal_directory(), "journal", strrchr(to, '/') + 1);

	if (!rc && end->segment > 0) {
		rc = copy_file(backup, from, folder, to, end->offset);
		backup->figures->files++;
		backup->figures->bytes += end->offset;
	}
	free(folder);
	free(from);
	free(to);
	return rc;
}

static int find_end(struct position *end_r)
{
	MDB_txn *txn;
	int rc = commit_snapshot_begin(&txn);

	if (rc)
		return rc;
	rc = index_get_end(txn, end_r);
	environment_snapshot_end(txn);
	return rc;
}

int backup_measure(const char *folder, uint64_t *bytes_r)
{
	DIR *entries = opendir(folder);
	struct dirent *entry;
	struct stat status;

	if (!entries)
		return errno;
	while ((entry = readdir(entries)))
		if (is_file_of_store(entry->d_name) &&
			fstatat(dirfd(entries), entry->d_name, &status, 0) == 0)
			*bytes_r += (uint64_t)status.st_size;
	closedir(entries);
	return 0;
}

/* Large messages are gone over twice. */
static int measure(struct backup *backup)
{
	int rc = backup_measure(large_directory(), &backup->total);

	backup->total *= 2;
	if (!rc)
		rc = backup_measure(journal_directory(), &backup->total);
	return rc ? rc : backup_measure(checkpoint_directory(), &backup->total);
}

static int take_all(struct backup *backup, struct position *end_r)
{
	int rc = take_folder(backup, large_directory(), "large", NULL);

	if (!rc)
		rc = find_end(end_r);
	if (!rc)
		rc = take_journal(backup, end_r);
	if (!rc)
		rc = take_folder(backup, large_directory(), "large", NULL);
	return rc ? rc : take_folder(backup, checkpoint_directory(), "checkpoints", NULL);
}

static int drop_all(struct backup *backup)
{
	int rc = drop_old(backup, journal_directory(), "journal");

	if (!rc)
		rc = drop_old(backup, large_directory(), "large");
	return rc ? rc : drop_old(backup, checkpoint_directory(), "checkpoints");
}

static int flush_folders(const char *target)
{
	static const char *const names[] = { "large", "journal", "checkpoints" };
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(names) / sizeof(*names); i++) {
		char *folder = file_path(target, names[i]);

		rc = file_flush_folder(folder);
		free(folder);
	}
	return rc;
}

/* --- a note of what it reaches, replaced when all of that is there, and before anything goes --- */

static int write_complete(const char *target, const struct position *end)
{
	char *path = file_path(target, COMPLETE), text[32];
	int rc;

	snprintf(text, sizeof(text), "%llu\n", (unsigned long long)end->written);
	rc = file_replace(path, target, text);
	free(path);
	return rc;
}

int backup_is_complete(const char *folder, uint64_t *written_r)
{
	char *path = file_path(folder, COMPLETE), text[32], *end;
	int rc = file_read_text(path, text, sizeof(text));

	free(path);
	*written_r = strtoull(text, &end, 10);
	return rc ? rc : *end == '\n' && end != text ? 0 : PH_E_CORRUPT;
}

int backup_write(
	const char *target, struct backup_figures *figures_r, bool (*go_on)(uint64_t done, uint64_t total))
{
	struct backup backup = { .target = target, .figures = figures_r, .go_on = go_on };
	struct position end;
	int rc = opening_make_folder(target);

	*figures_r = (struct backup_figures){ 0 };
	if (!rc)
		rc = measure(&backup);
	if (!rc)
		rc = take_all(&backup, &end);
	if (!rc)
		rc = flush_folders(target);
	if (!rc)
		rc = write_complete(target, &end);
	return rc ? rc : drop_all(&backup);
}

/* --- back --- */

/* The last segment is copied: recovery cuts what does not count of it. */
static int copy_journal(struct backup *backup, const char *source)
{
	uint64_t *numbers, size = 0;
	size_t count;
	int fd = -1, rc = file_numbers(source, &numbers, &count);

	if (!rc && count > 0) {
		char *folder = file_path(backup->target, "journal");
		char *from = file_number_path(source, numbers[count - 1]);
		char *to = file_number_path(folder, numbers[count - 1]);

		fd = file_operations.open(from, O_RDONLY);
		rc = fd < 0 ? errno : file_size(fd, &size);
		if (fd >= 0)
			file_operations.close(fd);
		if (!rc)
			rc = take_folder(backup, source, "journal", strrchr(to, '/') + 1);
		if (!rc)
			rc = copy_file(backup, from, folder, to, size);
		free(folder);
		free(from);
		free(to);
	}
	free(numbers);
	return rc;
}

int backup_copy(const char *folder, const char *target, bool (*go_on)(uint64_t done, uint64_t total))
{
	struct backup_figures figures = { 0 };
	struct backup backup = { .target = target, .figures = &figures, .go_on = go_on };
	char *journal = file_path(folder, "journal"), *large = file_path(folder, "large");
	char *checkpoints = file_path(folder, "checkpoints");
	int rc = opening_make_folder(target);

	if (!rc)
		rc = backup_measure(journal, &backup.total);
	if (!rc)
		rc = backup_measure(large, &backup.total);
	if (!rc)
		rc = backup_measure(checkpoints, &backup.total);
	if (!rc)
		rc = copy_journal(&backup, journal);
	if (!rc)
		rc = take_folder(&backup, large, "large", NULL);
	if (!rc)
		rc = take_folder(&backup, checkpoints, "checkpoints", NULL);
	if (!rc)
		rc = flush_folders(target);
	free(journal);
	free(large);
	free(checkpoints);
	return rc;
}
