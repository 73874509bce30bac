/* Importing mbox files: one, which goes to INBOX, or a folder of them, whose names are those of the
 * mailboxes, without ".mbox". The fields X-IMAPbase, X-UID, Status, X-Status and X-Keywords, which mail
 * programs and servers keep in such files, are taken for what they mean, and not as part of the message. */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <posthorn/map.h>
#include <posthorn/tool.h>

#include "../message.h"
#include "import.h"
#include "lines.h"
#include "mbox.h"
#include "source_file.h"

/* Folders within folders. */
#define DEPTH_MAX 32

struct reading {
	struct ph_import *import;
	struct ph_str name;
	FILE *file;
	uint64_t size; /* of the file */
	struct lines lines;
	struct ph_map *seen; /* what a message is called -> how many were called so */
	struct ph_pool *pool;
	struct ph_import_mailbox *mailbox; /* NULL until the first message is there */
	uint32_t uid_validity, uid_next;   /* of the file; 0: none */
	/* The message that is being read; its draft is NULL before the first. */
	struct ph_import_message message;
	struct import_writer writer;
	bool in_header, dropping; /* a field that is not part of the message */
	bool stray;               /* there are lines before the first message */
	unsigned blank;           /* lines not written yet: the last one belongs to what follows */
	uint64_t hash[2];
	struct mbox_fields fields;
};

static int read_file(void *arg, char *to, size_t size)
{
	struct reading *reading = arg;
	size_t got = fread(to, 1, size < INT_MAX ? size : INT_MAX, reading->file);

	ph_progress(reading->name, (uint64_t)ftello(reading->file), reading->size);
	return got == 0 && ferror(reading->file) ? PH_E_IO : (int)got;
}

/* --- messages --- */

static void begin_message(struct reading *reading, int64_t date)
{
	ph_pool_clear(reading->pool);
	reading->message = (struct ph_import_message){ .internal_date = date };
	mbox_fields_init(&reading->fields);
	reading->writer = (struct import_writer){ .draft = draft_new() };
	reading->in_header = true;
	reading->dropping = false;
	reading->blank = 0;
	reading->hash[0] = UINT64_C(0xcbf29ce484222325);
	reading->hash[1] = UINT64_C(0x9ae16a3b2f90404f);
}

static int write_bytes(struct reading *reading, struct ph_str bytes, struct ph_error *error)
{
	for (size_t i = 0; i < bytes.len; i++) {
		for (int k = 0; k < 2; k++) {
			uint64_t *hash = &reading->hash[k];

			*hash = (*hash ^ (unsigned char)bytes.data[i]) * UINT64_C(0x100000001b3);
			*hash ^= *hash >> 29;
		}
	}
	return import_write(&reading->writer, bytes, error);
}

static int write_blank(struct reading *reading, struct ph_error *error)
{
	int result = 0;

	for (; reading->blank > 0 && result == 0; reading->blank--)
		result = write_bytes(reading, reading->writer.as_is ? PH_STR("\r\n") : PH_STR("\n"), error);
	return result;
}

/* By its UID where it has one, else by its bytes: the second of two that are the same is another one. */
static void name_message(struct reading *reading)
{
	struct ph_import_message *message = &reading->message;
	uintptr_t count;

	if (message->uid != 0 && reading->uid_validity != 0) {
		message->name = ph_pool_printf(
			reading->pool, "mbox V%" PRIu32 " U%" PRIu32, reading->uid_validity, message->uid);
		return;
	}
	message->name = ph_pool_printf(
		reading->pool, "mbox %016" PRIx64 "%016" PRIx64, reading->hash[0], reading->hash[1]);
	count = (uintptr_t)ph_map_get(reading->seen, message->name) + 1;
	ph_map_put(reading->seen, message->name, (void *)count);
	message->name = ph_pool_printf(reading->pool, "%.*s %zu", PH_STR_ARGS(message->name), (size_t)count);
}

/* What the header said of the message, and of the file if nothing was stored of it yet. */
static void take_fields(struct reading *reading)
{
	struct mbox_fields *fields = &reading->fields;
	struct ph_import_message *message = &reading->message;

	message->uid = fields->uid;
	message->recent = fields->recent;
	message->flags = (struct ph_flag_list){ fields->flags, fields->keywords, fields->keyword_count };
	fields->is_pseudo = fields->is_pseudo && !reading->mailbox;
	if (!reading->mailbox && fields->uid_validity != 0) {
		reading->uid_validity = fields->uid_validity;
		reading->uid_next = fields->uid_next;
	}
}

/* The blank line before the next "From " line is not the message's, but for that behind its header. */
static int end_message(struct reading *reading, struct ph_error *error)
{
	struct ph_draft *draft = reading->writer.draft;
	int result = 0;

	if (!draft)
		return 0;
	take_fields(reading);
	if (reading->blank > 0)
		reading->blank--;
	result = write_blank(reading, error);
	reading->writer.draft = NULL;
	if (!reading->mailbox && result == 0)
		reading->mailbox = import_begin(reading->import, reading->name, 0, reading->uid_validity);
	name_message(reading);
	reading->message.uid_least = reading->uid_next;
	if (result == 0 && reading->fields.keywords_lost)
		import_complain(
			reading->name, reading->message.name.data, "some of its keywords are not kept");
	if (reading->fields.is_pseudo)
		import_complain(reading->name, "the first message", "is a note of a mail program to itself");
	else if (result == 0 && draft_size(draft) == 0)
		import_refuse(reading->import, reading->name, reading->message.name.data, "is empty");
	else if (result == 0 && reading->mailbox && !import_has(reading->mailbox, reading->message.name))
		return import_add(reading->mailbox, &reading->message, draft, error);
	draft_free(&draft);
	return result;
}

static struct ph_str unquote(struct ph_str line, bool begins)
{
	return begins && line.data[0] == '>' && mbox_is_from(line) ? ph_str_slice(line, 1, line.len) : line;
}

static int take_body_line(struct reading *reading, struct ph_str line, bool begins, struct ph_error *error)
{
	int result = write_blank(reading, error);

	return result < 0 ? result : write_bytes(reading, unquote(line, begins), error);
}

static int take_header_line(struct reading *reading, struct ph_str line, bool begins, struct ph_error *error)
{
	bool continued = !begins || line.data[0] == ' ' || line.data[0] == '\t';

	if (!continued)
		reading->dropping = mbox_take_field(line, reading->pool, &reading->fields);
	return reading->dropping ? 0 : write_bytes(reading, unquote(line, begins), error);
}

static int take_line(struct reading *reading, struct ph_str line, bool begins, struct ph_error *error)
{
	bool is_blank = begins && ph_str_trim(line).len == 0 && line.data[0] != ' ' && line.data[0] != '\t';
	bool parted = !reading->writer.draft || reading->blank > 0;
	int64_t date;
	int result;

	if (begins && parted && mbox_from_line(line, &date)) {
		result = end_message(reading, error);
		begin_message(reading, date);
		return result;
	}
	if (!reading->writer.draft) {
		reading->stray = reading->stray || !is_blank;
		return 0;
	}
	if (is_blank && reading->in_header) {
		reading->in_header = false;
		return write_bytes(reading, line, error);
	}
	if (is_blank) {
		reading->blank++;
		return 0;
	}
	return reading->in_header ? take_header_line(reading, line, begins, error)
				  : take_body_line(reading, line, begins, error);
}

static int read_messages(struct reading *reading, struct ph_error *error)
{
	struct ph_str line;
	bool begins;
	int result, ended = 0;

	while ((result = lines_next(&reading->lines, &line, &begins)) > 0) {
		result = take_line(reading, line, begins, error);
		if (result < 0)
			break;
	}
	if (result == PH_E_IO && ferror(reading->file))
		result = ph_error_set(error, PH_E_IO, "the file cannot be read", "%s", strerror(errno));
	if (result == 0 && reading->stray)
		import_refuse(reading->import, reading->name,
			reading->writer.draft ? "what is before the first message" : "the file",
			"has no line that begins with \"From \" and has a date");
	/* One without messages is a mailbox too. */
	if (result == 0 && !reading->writer.draft && !reading->stray)
		reading->mailbox = import_begin(reading->import, reading->name, 0, 0);
	if (result == 0)
		result = end_message(reading, error);
	draft_free(&reading->writer.draft);
	if (reading->mailbox)
		ended = import_end(
			&reading->mailbox, result < 0 ? 0 : reading->uid_next, result < 0 ? NULL : error);
	return result < 0 ? result : ended;
}

static int import_file(struct ph_import *import, const char *path, struct ph_str name, struct ph_error *error)
{
	struct reading *reading = ph_alloc(sizeof(*reading));
	struct stat status;
	const char *why;
	int result = 0;

	reading->import = import;
	reading->name = name;
	reading->file = source_file_open(path, &why);
	reading->seen = ph_map_new();
	reading->pool = ph_pool_new(0);
	lines_init(&reading->lines, read_file, reading);
	if (reading->file) {
		if (fstat(fileno(reading->file), &status) == 0)
			reading->size = (uint64_t)status.st_size;
		ph_progress_begin(NULL);
		result = read_messages(reading, error);
		fclose(reading->file);
	} else {
		import_refuse(import, name, path, why ? why : strerror(ENOENT));
	}
	ph_map_free(&reading->seen);
	ph_pool_free(&reading->pool);
	free(reading);
	return result;
}

static int import_folder(
	struct ph_import *import, const char *path, const char *name, unsigned depth, struct ph_error *error);

static int import_entry(
	struct ph_import *import, const char *path, const char *name, unsigned depth, struct ph_error *error)
{
	struct ph_str mailbox = ph_str(name);
	struct stat status;

	if (stat(path, &status) != 0) {
		import_refuse(import, mailbox, path, strerror(errno));
		return 0;
	}
	if (S_ISDIR(status.st_mode))
		return import_folder(import, path, name, depth + 1, error);
	if (ph_str_ends(mailbox, PH_STR(".mbox")))
		mailbox.len -= strlen(".mbox");
	return import_file(import, path, mailbox, error);
}

static int import_folder(
	struct ph_import *import, const char *path, const char *name, unsigned depth, struct ph_error *error)
{
	DIR *directory = depth < DEPTH_MAX ? opendir(path) : NULL;
	const struct dirent *entry;
	struct ph_pool *pool;
	int result = 0;

	if (!directory) {
		import_refuse(import, ph_str(name), path,
			depth < DEPTH_MAX ? strerror(errno) : "too many folders in each other");
		return 0;
	}
	pool = ph_pool_new(0);
	while (result == 0 && (entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		ph_pool_clear(pool);
		result = import_entry(import, ph_pool_printf(pool, "%s/%s", path, entry->d_name).data,
			ph_pool_printf(pool, "%s%s%s", name, name[0] ? "/" : "", entry->d_name).data, depth,
			error);
	}
	ph_pool_free(&pool);
	closedir(directory);
	return result;
}

int import_mbox(struct ph_import *import, void *arg, struct ph_error *error)
{
	const char *path = arg;
	struct stat status;

	if (stat(path, &status) != 0)
		return ph_error_set(error, PH_E_ABSENT, "no such file", "%s: %s", path, strerror(errno));
	return S_ISDIR(status.st_mode) ? import_folder(import, path, "", 0, error)
				       : import_file(import, path, PH_STR("INBOX"), error);
}
