/* Exporting to a maildir with folders (Maildir++), and Dovecot's lists of UIDs, keywords and subscriptions.
 * The bytes are written as they are stored. A file is named after UIDVALIDITY and UID, so that a second run
 * knows what is there already. */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "export.h"
#include "maildir.h"

struct folder {
	struct export *export;
	struct ph_str name;
	struct ph_mailbox *mailbox;
	struct ph_pool *pool;
	const char *path;
	uint32_t uid_validity;
	struct maildir_lists lists;
	struct ph_map *files; /* unique name -> the whole name, in the pool */
	FILE *uids;
};

static const char *path_of(const struct folder *folder, const char *kind, const char *name)
{
	return ph_pool_printf(
		folder->pool, "%s/%s%s%s", folder->path, kind, kind[0] && name[0] ? "/" : "", name)
		.data;
}

/* --- folders --- */

static bool make_folder(struct folder *folder)
{
	static const char *const kinds[] = { "", "cur", "new", "tmp" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (mkdir(path_of(folder, kinds[i], ""), 0700) != 0 && errno != EEXIST) {
			export_refuse(folder->export, folder->name, 0, strerror(errno));
			return false;
		}
	}
	return true;
}

static void list_files(struct folder *folder)
{
	DIR *directory = opendir(path_of(folder, "cur", ""));
	const struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		struct ph_str name = ph_pool_str(folder->pool, ph_str(entry->d_name));

		ph_map_put(folder->files, maildir_unique_name(name), (void *)(uintptr_t)name.data);
	}
	if (directory)
		closedir(directory);
}

/* --- one message --- */

/* Its letter; '\0' when there are no more. */
static char letter_of(struct folder *folder, struct ph_str keyword)
{
	if (ph_str_case_eq(keyword, PH_STR("$Forwarded")))
		return 'P';
	for (int i = 0; i < MAILDIR_KEYWORDS; i++) {
		struct ph_str *known = &folder->lists.keywords[i];

		if (known->len == 0)
			*known = ph_pool_str(folder->pool, keyword);
		if (ph_str_case_eq(*known, keyword))
			return (char)('a' + i);
	}
	return '\0';
}

static void print_name(struct folder *folder, const struct ph_message *message, struct ph_buf *name)
{
	ph_buf_printf(name, "%" PRId64 ".V%" PRIu32 "U%" PRIu32 ".posthorn,S=%" PRIu64 ":2,",
		message->internal_date, folder->uid_validity, message->uid, message->size);
	maildir_print_flags(message->flags, name);
	for (size_t i = 0; i < message->keyword_count; i++) {
		struct ph_str keyword = message->keywords[i];
		char letter = letter_of(folder, keyword);

		if (letter)
			ph_buf_add_char(name, letter);
		else
			export_complain(folder->name, message->uid, keyword.data,
				"is one keyword too many for a maildir");
	}
	ph_buf_add_char(name, '\0');
}

static int write_bytes(struct folder *folder, const struct ph_message *message, FILE *file)
{
	struct ph_error error = { 0 };
	struct ph_kv_blob *blob;
	struct ph_str bytes;
	uint64_t offset = 0;
	int result = store.kv->blob_open(message->blob, &blob, &error);

	if (result < 0) {
		export_refuse(folder->export, folder->name, message->uid, ph_code_name(result));
		return result;
	}
	while ((result = store.kv->blob_view(blob, offset, &bytes, &error)) == 0 && bytes.len > 0) {
		fwrite(bytes.data, 1, bytes.len, file);
		offset += bytes.len;
	}
	store.kv->blob_close(&blob);
	if (result < 0)
		export_refuse(folder->export, folder->name, message->uid, ph_code_name(result));
	return result;
}

static bool finish_file(FILE *file, int64_t date)
{
	const struct timespec times[] = { { .tv_sec = date }, { .tv_sec = date } };
	bool good = fflush(file) == 0 && !ferror(file) && futimens(fileno(file), times) == 0;

	return (fclose(file) == 0) && good;
}

static bool write_file(struct folder *folder, const struct ph_message *message, const char *name)
{
	const char *temporary = path_of(folder, "tmp", name);
	FILE *file = fopen(temporary, "wxe");

	if (!file && errno == EEXIST && unlink(temporary) == 0)
		file = fopen(temporary, "wxe");
	if (!file) {
		export_refuse(folder->export, folder->name, message->uid, strerror(errno));
		return false;
	}
	if (write_bytes(folder, message, file) < 0) {
		fclose(file);
		unlink(temporary);
		return false;
	}
	if (!finish_file(file, message->internal_date) ||
		rename(temporary, path_of(folder, "cur", name)) != 0) {
		export_refuse(folder->export, folder->name, message->uid, strerror(errno));
		unlink(temporary);
		return false;
	}
	folder->export->written++;
	return true;
}

/* A file that is there may have other flags than the message by now. */
static bool keep_file(
	struct folder *folder, const struct ph_message *message, const char *old, const char *new)
{
	if (strcmp(old, new) != 0 && rename(path_of(folder, "cur", old), path_of(folder, "cur", new)) != 0) {
		export_refuse(folder->export, folder->name, message->uid, strerror(errno));
		return false;
	}
	folder->export->there++;
	return true;
}

static void write_message(struct folder *folder, const struct ph_message *message)
{
	struct ph_buf name;
	const char *old;

	ph_buf_init(&name, 4096);
	print_name(folder, message, &name);
	old = ph_map_get(folder->files, maildir_unique_name(ph_str(name.data)));
	if (old ? keep_file(folder, message, old, name.data) : write_file(folder, message, name.data))
		fprintf(folder->uids, "%" PRIu32 " :%s\n", message->uid, name.data);
	ph_buf_free(&name);
	export_progress(folder->export, folder->name);
}

/* --- lists --- */

static void replace_file(struct folder *folder, FILE *file, const char *name)
{
	bool good = fflush(file) == 0 && !ferror(file);

	good = fclose(file) == 0 && good;
	if (!good || rename(path_of(folder, "tmp", name), path_of(folder, "", name)) != 0)
		export_complain(folder->name, 0, name, strerror(errno));
}

static FILE *new_file(struct folder *folder, const char *name)
{
	FILE *file = fopen(path_of(folder, "tmp", name), "we");

	if (!file)
		export_complain(folder->name, 0, name, strerror(errno));
	return file;
}

static void write_keywords(struct folder *folder)
{
	FILE *file = folder->lists.keywords[0].len > 0 ? new_file(folder, "dovecot-keywords") : NULL;

	if (!file)
		return;
	for (int i = 0; i < MAILDIR_KEYWORDS; i++) {
		if (folder->lists.keywords[i].len > 0)
			fprintf(file, "%d %.*s\n", i, PH_STR_ARGS(folder->lists.keywords[i]));
	}
	replace_file(folder, file, "dovecot-keywords");
}

static int write_messages(struct folder *folder, struct ph_error *error)
{
	struct ph_message_iterator *iterator = messages_begin(folder->mailbox, NULL, 0);
	const struct ph_message *message;

	fprintf(folder->uids, "3 V%" PRIu32 " N%" PRIu32 "\n", folder->uid_validity,
		folder->mailbox->meta.uid_next);
	while (messages_next(iterator, &message))
		write_message(folder, message);
	return messages_end(&iterator, error);
}

static int write_folder(struct folder *folder, struct ph_error *error)
{
	int result;

	maildir_read_lists(folder->path, folder->pool, &folder->lists);
	if (folder->lists.uid_validity != 0 && folder->lists.uid_validity != folder->uid_validity) {
		export_refuse(folder->export, folder->name, 0, "another mailbox is there already");
		return 0;
	}
	list_files(folder);
	folder->uids = new_file(folder, "dovecot-uidlist");
	if (!folder->uids)
		return 0;
	result = write_messages(folder, error);
	replace_file(folder, folder->uids, "dovecot-uidlist");
	write_keywords(folder);
	return result;
}

static const char *folder_path(const struct export *export, struct ph_str name, struct ph_pool *pool)
{
	struct ph_buf folder;
	const char *path;

	if (name_is_inbox(name))
		return export->path;
	ph_buf_init(&folder, PH_MAILBOX_NAME_MAX * 8);
	maildir_folder_name(name, &folder);
	path = ph_pool_printf(pool, "%s/%.*s", export->path, PH_STR_ARGS(ph_buf_str(&folder))).data;
	ph_buf_free(&folder);
	return path;
}

/* An empty file that marks a folder of another maildir. */
static void mark_folder(struct folder *folder)
{
	FILE *file = name_is_inbox(folder->name) ? NULL : fopen(path_of(folder, "", "maildirfolder"), "ae");

	if (file)
		fclose(file);
}

static int write_mailbox(struct export *export, const struct ph_mailbox_entry *entry,
	struct ph_mailbox *mailbox, struct ph_error *error)
{
	struct folder folder = {
		.export = export,
		.name = entry->name,
		.mailbox = mailbox,
		.pool = ph_pool_new(0),
		.uid_validity = mailbox->meta.uid_validity,
		.files = ph_map_new(),
	};
	int result = 0;

	folder.path = folder_path(export, entry->name, folder.pool);
	if (make_folder(&folder)) {
		mark_folder(&folder);
		result = write_folder(&folder, error);
	}
	maildir_free_lists(&folder.lists);
	ph_map_free(&folder.files);
	ph_pool_free(&folder.pool);
	return result;
}

static int write_subscriptions(struct export *export, struct ph_error *error)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct folder root = {
		.export = export, .name = PH_STR("INBOX"), .pool = pool, .path = export->path
	};
	struct ph_mailbox_entry *entries;
	size_t count;
	int result = mailbox_list(PH_ACTOR_SYSTEM, export->account, pool, &entries, &count, error);
	FILE *file = result == 0 ? new_file(&root, "subscriptions") : NULL;

	for (size_t i = 0; file && i < count; i++) {
		struct ph_buf folder;

		ph_buf_init(&folder, PH_MAILBOX_NAME_MAX * 8);
		maildir_folder_name(entries[i].name, &folder);
		if (entries[i].subscribed)
			fprintf(file, "%.*s\n", (int)folder.len - 1, folder.data + 1);
		ph_buf_free(&folder);
	}
	if (file)
		replace_file(&root, file, "subscriptions");
	ph_pool_free(&pool);
	return result;
}

int export_maildir(struct export *export, struct ph_error *error)
{
	int result;

	if (mkdir(export->path, 0700) != 0 && errno != EEXIST)
		return ph_error_set(
			error, PH_E_IO, "the folder cannot be made", "%s: %s", export->path, strerror(errno));
	result = export_each(export, write_mailbox, error);

	return result < 0 ? result : write_subscriptions(export, error);
}
