/* The copy is made ready under another name, and exchanged with the store in one step, so that there is a
 * whole store at any moment. Others are kept out by the lock of the former store, and look again when they
 * get it. */
#include <config.h>

#include "restore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <posthorn/error.h>
#include <posthorn/mem.h>
#include <posthorn/tool.h>

#include "backup.h"
#include "file.h"
#include "opening.h"

#define COPY_SUFFIX ".restoring"
/* Of stores that were replaced in the same second. */
#define NAMES_MAX 1000

static int hold = -1;

static bool go_on(uint64_t done, uint64_t total)
{
	ph_progress(PH_STR("copying the backup"), done, total);
	return true;
}

static char *with_suffix(const char *path, const char *suffix)
{
	size_t size = strlen(path) + strlen(suffix) + 1;
	char *joined = ph_alloc(size);

	snprintf(joined, size, "%s%s", path, suffix);
	return joined;
}

/* --- removing a folder of ours --- */

static void empty_folder(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		(void)unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		closedir(folder);
}

void restore_forget(const char *copy)
{
	static const char *const names[] = { "journal", "index", "large", "checkpoints" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *folder = file_path(copy, names[i]);

		empty_folder(folder);
		(void)rmdir(folder);
		free(folder);
	}
	empty_folder(copy);
	(void)rmdir(copy);
}

/* --- steps --- */

int restore_prepare(const char *backup, const char *store, char **copy_r)
{
	int rc = opening_hold(store, &hold);

	if (rc)
		return rc;
	*copy_r = with_suffix(store, COPY_SUFFIX);
	restore_forget(*copy_r);
	ph_progress_begin(NULL);
	rc = backup_copy(backup, *copy_r, go_on);
	ph_progress_hide();
	if (rc) {
		restore_forget(*copy_r);
		free(*copy_r);
		*copy_r = NULL;
		restore_release();
	}
	return rc;
}

static int flush_parent(const char *path)
{
	char *parent = ph_strdup(path), *slash = strrchr(parent, '/');
	int rc;

	if (slash)
		*slash = '\0';
	rc = file_flush_folder(slash ? parent : ".");
	free(parent);
	return rc;
}

static bool is_empty(const char *store)
{
	char *journal = file_path(store, "journal");
	uint64_t *numbers;
	size_t count;
	bool empty = file_numbers(journal, &numbers, &count) == 0 && count == 0;

	free(numbers);
	free(journal);
	return empty;
}

/* A name that nothing has yet, for what is `path` now. */
static int name_former(const char *store, const char *path, char **former_r)
{
	time_t now = time(NULL);
	char date[32], suffix[64];
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &utc);
	for (unsigned i = 1; i < NAMES_MAX; i++) {
		if (i == 1)
			snprintf(suffix, sizeof(suffix), ".before-%s", date);
		else
			snprintf(suffix, sizeof(suffix), ".before-%s-%u", date, i);
		*former_r = with_suffix(store, suffix);
		if (renameat2(AT_FDCWD, path, AT_FDCWD, *former_r, RENAME_NOREPLACE) == 0)
			return 0;
		free(*former_r);
		*former_r = NULL;
		if (errno != EEXIST)
			return errno;
	}
	return EEXIST;
}

/* The copy takes the name under which the former store will be kept: then one step does it all, and no copy
 * that is removed as left over can ever be the former store. */
int restore_exchange(const char *store, const char *copy, char **former_r)
{
	int rc = name_former(store, copy, former_r);

	if (rc)
		return rc;
	if (renameat2(AT_FDCWD, *former_r, AT_FDCWD, store, RENAME_EXCHANGE) < 0) {
		rc = errno;
		restore_forget(*former_r);
	} else if (is_empty(*former_r)) {
		restore_forget(*former_r);
	} else {
		return flush_parent(store);
	}
	free(*former_r);
	*former_r = NULL;
	return rc ? rc : flush_parent(store);
}

void restore_release(void)
{
	if (hold >= 0)
		close(hold);
	hold = -1;
}
