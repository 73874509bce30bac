/* Importing a maildir with its folders (Maildir++), and the UIDs, keywords and subscriptions that Dovecot
 * keeps beside the messages. */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <posthorn/tool.h>

#include "../message.h"
#include "import.h"
#include "maildir.h"
#include "source_file.h"

/* One message's file. */
struct file {
	uint32_t uid; /* 0: it has none */
	bool is_new;
	char *name;
};

struct folder {
	struct ph_import *import;
	const char *path;
	struct ph_str name;
	struct ph_pool *pool;
	struct maildir_lists lists;
	struct file *files;
	size_t count, capacity;
	struct ph_import_mailbox *mailbox;
};

/* --- which files there are --- */

static void add_file(struct folder *folder, const char *name, bool is_new)
{
	struct ph_str unique = maildir_unique_name(ph_str(name));
	void *uid = ph_map_get(folder->lists.uids, unique);

	if (folder->count == folder->capacity) {
		folder->capacity = folder->capacity ? folder->capacity * 2 : 64;
		folder->files = ph_realloc_array(folder->files, folder->capacity, sizeof(*folder->files));
	}
	folder->files[folder->count++] = (struct file){ (uint32_t)(uintptr_t)uid, is_new, ph_strdup(name) };
}

static void list_files(struct folder *folder, bool is_new)
{
	const char *path = ph_pool_printf(folder->pool, "%s/%s", folder->path, is_new ? "new" : "cur").data;
	DIR *directory = opendir(path);
	const struct dirent *entry;

	if (!directory) {
		if (errno != ENOENT)
			import_refuse(folder->import, folder->name, path, strerror(errno));
		return;
	}
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] != '.')
			add_file(folder, entry->d_name, is_new);
	}
	closedir(directory);
}

/* By UID, those without behind; by name, which begins with the time. */
static int compare(const void *a, const void *b)
{
	const struct file *x = a, *y = b;
	uint32_t left = x->uid - 1, right = y->uid - 1;

	return left != right ? (left > right) - (left < right) : strcmp(x->name, y->name);
}

/* --- one of them --- */

static int copy_bytes(int fd, struct ph_draft *draft, struct ph_error *error, const char **why_r)
{
	struct import_writer writer = { .draft = draft };
	char buffer[65536];
	uint64_t size = 0;

	*why_r = NULL;
	for (;;) {
		ssize_t got = read(fd, buffer, sizeof(buffer));
		int result;

		if (got < 0)
			*why_r = strerror(errno);
		else if (got == 0 && size == 0)
			*why_r = "the file is empty";
		if (got <= 0)
			return 0;
		size += (uint64_t)got;
		result = import_write(&writer, ph_str_of(buffer, (size_t)got), error);
		if (result < 0)
			return result;
	}
}

static void complain_of_flag(const struct folder *folder, const struct file *file, char letter)
{
	char why[40];

	snprintf(why, sizeof(why), "its flag %c is not known", letter);
	import_complain(folder->name, file->name, why);
}

static void read_flags(struct folder *folder, const struct file *file, struct ph_str keywords_r[27],
	struct ph_flag_list *flags_r)
{
	struct ph_str letters = maildir_flags(ph_str(file->name));

	*flags_r = (struct ph_flag_list){ .keywords = keywords_r };
	for (size_t i = 0; i < letters.len; i++) {
		char c = letters.data[i];
		bool named = c >= 'a' && c <= 'z' && folder->lists.keywords[c - 'a'].len > 0;

		flags_r->flags |= maildir_flag_of(c);
		if (maildir_flag_of(c) != 0)
			continue;
		if ((!named && c != 'P') || flags_r->keyword_count == 27)
			complain_of_flag(folder, file, c);
		else
			keywords_r[flags_r->keyword_count++] =
				named ? folder->lists.keywords[c - 'a'] : PH_STR("$Forwarded");
	}
}

static int import_open_file(struct folder *folder, const struct file *file, int fd, struct ph_error *error)
{
	struct ph_draft *draft = draft_new();
	struct ph_str keywords[27];
	struct ph_import_message message = {
		.name = maildir_unique_name(ph_str(file->name)),
		.uid = file->uid,
		.uid_least = folder->lists.uid_next,
		.recent = file->is_new,
	};
	struct stat status;
	const char *why = NULL;
	int result = 0;

	if (fstat(fd, &status) != 0)
		why = strerror(errno);
	else if (!S_ISREG(status.st_mode))
		why = "is no file";
	else
		result = copy_bytes(fd, draft, error, &why);
	if (why || result < 0) {
		if (why)
			import_refuse(folder->import, folder->name, file->name, why);
		draft_free(&draft);
		return result;
	}
	message.internal_date = status.st_mtime;
	read_flags(folder, file, keywords, &message.flags);
	return import_add(folder->mailbox, &message, draft, error);
}

static int import_file(struct folder *folder, const struct file *file, struct ph_error *error)
{
	char path[PATH_MAX];
	int fd, result;

	if (import_has(folder->mailbox, maildir_unique_name(ph_str(file->name))))
		return 0;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s/%s", folder->path, file->is_new ? "new" : "cur",
		    file->name) >= sizeof(path)) {
		import_refuse(folder->import, folder->name, file->name, strerror(ENAMETOOLONG));
		return 0;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0) {
		import_refuse(folder->import, folder->name, file->name,
			errno == ELOOP ? "is a symbolic link" : strerror(errno));
		return 0;
	}
	result = import_open_file(folder, file, fd, error);
	close(fd);
	return result;
}

/* --- folders --- */

static int import_files(struct folder *folder, struct ph_error *error)
{
	int result = 0, ended;

	list_files(folder, false);
	list_files(folder, true);
	if (folder->count > 0)
		qsort(folder->files, folder->count, sizeof(*folder->files), compare);
	ph_progress_begin("messages");
	for (size_t i = 0; i < folder->count && result == 0; i++) {
		ph_progress(folder->name, i, folder->count);
		result = import_file(folder, &folder->files[i], error);
	}
	ended = import_end(
		&folder->mailbox, result < 0 ? 0 : folder->lists.uid_next, result < 0 ? NULL : error);
	return result < 0 ? result : ended;
}

static void complain_of_list(
	struct ph_str name, const char *list, const struct maildir_damage *damage, const char *consequence)
{
	char why[200];

	if (damage->why)
		snprintf(why, sizeof(why), "cannot be read (%s): %s", damage->why, consequence);
	else
		snprintf(why, sizeof(why), "cannot be read in line %lu (such lines: %lu): %s", damage->line,
			damage->lines, consequence);
	if (damage->why || damage->lines > 0)
		import_complain(name, list, why);
}

static int import_folder(
	struct ph_import *import, const char *path, struct ph_str name, struct ph_error *error)
{
	struct folder folder = { .import = import, .path = path, .name = name, .pool = ph_pool_new(0) };
	int result = 0;

	maildir_read_lists(path, folder.pool, &folder.lists);
	complain_of_list(name, "dovecot-uidlist", &folder.lists.uids_damage,
		folder.lists.uid_validity ? "some UIDs are not kept" : "no UIDs are kept");
	complain_of_list(
		name, "dovecot-keywords", &folder.lists.keywords_damage, "some keywords are not kept");
	folder.mailbox = import_begin(import, name, 0, folder.lists.uid_validity);
	if (folder.mailbox)
		result = import_files(&folder, error);
	for (size_t i = 0; i < folder.count; i++)
		free(folder.files[i].name);
	free(folder.files);
	maildir_free_lists(&folder.lists);
	ph_pool_free(&folder.pool);
	return result;
}

static bool holds(const char *folder, const char *name)
{
	char path[PATH_MAX];
	struct stat status;

	return (size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) < sizeof(path) &&
	       stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_maildir(const char *path)
{
	return holds(path, "cur") || holds(path, "new");
}

static int import_subfolder(
	struct ph_import *import, const char *root, const char *entry, struct ph_error *error)
{
	char path[PATH_MAX];
	struct ph_buf name;
	int result = 0;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", root, entry) >= sizeof(path)) {
		import_refuse(import, ph_str(entry), "the mailbox", strerror(ENAMETOOLONG));
		return 0;
	}
	if (!is_maildir(path))
		return 0;
	if (entry[0] != '.') {
		import_refuse(import, ph_str(entry), "the folder", "its name does not begin with a dot");
		return 0;
	}
	ph_buf_init(&name, PH_MAILBOX_NAME_MAX * 3);
	if (maildir_mailbox_name(ph_str(entry), &name))
		result = import_folder(import, path, ph_buf_str(&name), error);
	else
		import_refuse(import, ph_str(entry), "the mailbox", "its name is not in modified UTF-7");
	ph_buf_free(&name);
	return result;
}

static int import_folders(struct ph_import *import, const char *path, struct ph_error *error)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	int result = 0;

	if (!directory)
		return ph_error_set(error, PH_E_ABSENT, "no such folder", "%s: %s", path, strerror(errno));
	while (result == 0 && (entry = readdir(directory))) {
		if (strspn(entry->d_name, ".") < strlen(entry->d_name))
			result = import_subfolder(import, path, entry->d_name, error);
	}
	closedir(directory);
	return result;
}

/* --- subscriptions: a name a line --- */

static void subscribe(struct ph_import *import, struct ph_str line)
{
	struct ph_buf name;

	ph_buf_init(&name, PH_MAILBOX_NAME_MAX * 3);
	if (maildir_subscription(line, &name))
		import_subscribe(import, ph_buf_str(&name));
	else
		import_refuse(import, line, "the subscription", "its name is not in modified UTF-7");
	ph_buf_free(&name);
}

static void import_subscriptions(struct ph_import *import, const char *root)
{
	char path[PATH_MAX], line[4096];
	const char *why = NULL;
	FILE *list = NULL;

	if ((size_t)snprintf(path, sizeof(path), "%s/subscriptions", root) < sizeof(path))
		list = source_file_open(path, &why);
	if (why)
		import_refuse(import, PH_STR("subscriptions"), path, why);
	while (list && fgets(line, sizeof(line), list)) {
		struct ph_str name = ph_str(line);

		while (name.len > 0 && (name.data[name.len - 1] == '\n' || name.data[name.len - 1] == '\r'))
			name.len--;
		if (name.len > 0 && !ph_str_starts(name, PH_STR("V\t")))
			subscribe(import, name);
	}
	if (list)
		fclose(list);
}

int import_maildir(struct ph_import *import, void *arg, struct ph_error *error)
{
	const char *path = arg;
	int result;

	if (!is_maildir(path))
		return ph_error_set(error, PH_E_ABSENT, "no such maildir",
			"%s is no maildir: it has no folders cur and new that can be read", path);
	result = import_folder(import, path, PH_STR("INBOX"), error);
	if (result == 0)
		result = import_folders(import, path, error);
	if (result == 0)
		import_subscriptions(import, path);
	return result;
}
