/* Exporting to mbox files (mboxrd), one for each mailbox, with the fields that keep UIDs, flags and keywords.
 * Lines end in LF there. A file appears when it is whole; one that is there is left alone. */
#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <posthorn/mem.h>

#include "export.h"
#include "lines.h"
#include "mbox.h"

struct writing {
	struct export *export;
	struct ph_str name;
	FILE *file;
	uint32_t uid_validity, last_uid;
	bool begun; /* the first message was written */
};

/* The message's bytes for `lines`. */
struct source {
	struct ph_kv_blob *blob;
	uint64_t offset;
};

static int read_blob(void *arg, char *to, size_t size)
{
	struct source *source = arg;
	struct ph_str bytes;
	int result = store.kv->blob_view(source->blob, source->offset, &bytes, NULL);

	if (result < 0)
		return result;
	if (bytes.len > size)
		bytes.len = size;
	if (bytes.len > 0)
		memcpy(to, bytes.data, bytes.len);
	source->offset += bytes.len;
	return (int)bytes.len;
}

static void write_fields(struct writing *writing, const struct ph_message *message)
{
	time_t date = (time_t)message->internal_date;
	struct tm broken = { 0 };
	char text[64] = "";
	FILE *file = writing->file;

	gmtime_r(&date, &broken);
	strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", &broken);
	fprintf(file, "From MAILER-DAEMON %s\n", text);
	if (!writing->begun)
		fprintf(file, "X-IMAPbase: %" PRIu32 " %" PRIu32 "\n", writing->uid_validity,
			writing->last_uid);
	fprintf(file, "X-UID: %" PRIu32 "\nStatus: %sO\nX-Status: %s%s%s%s\n", message->uid,
		message->flags & PH_FLAG_SEEN ? "R" : "", message->flags & PH_FLAG_ANSWERED ? "A" : "",
		message->flags & PH_FLAG_FLAGGED ? "F" : "", message->flags & PH_FLAG_DRAFT ? "T" : "",
		message->flags & PH_FLAG_DELETED ? "D" : "");
	if (message->keyword_count > 0)
		fputs("X-Keywords:", file);
	for (size_t i = 0; i < message->keyword_count; i++)
		fprintf(file, " %.*s", PH_STR_ARGS(message->keywords[i]));
	if (message->keyword_count > 0)
		fputc('\n', file);
	writing->begun = true;
}

static void write_line(FILE *file, struct ph_str line, bool begins)
{
	bool ends = ph_str_ends(line, PH_STR("\r\n"));

	if (begins && mbox_is_from(line))
		fputc('>', file);
	fwrite(line.data, 1, ends ? line.len - 2 : line.len, file);
	if (ends)
		fputc('\n', file);
}

/* Everything is looked at before the first byte is written, so that no half message stands in the file. */
static int check_bytes(struct ph_kv_blob *blob)
{
	struct ph_str bytes;
	uint64_t offset = 0;
	int result;

	while ((result = store.kv->blob_view(blob, offset, &bytes, NULL)) == 0 && bytes.len > 0)
		offset += bytes.len;
	return result;
}

static void write_bytes(struct writing *writing, struct ph_kv_blob *blob)
{
	struct lines *lines = ph_alloc(sizeof(*lines));
	struct source source = { .blob = blob };
	struct ph_str line;
	bool begins;

	lines_init(lines, read_blob, &source);
	while (lines_next(lines, &line, &begins) > 0)
		write_line(writing->file, line, begins);
	fputs(lines->at_start ? "\n" : "\n\n", writing->file);
	free(lines);
}

static void write_message(struct writing *writing, const struct ph_message *message)
{
	struct ph_kv_blob *blob = NULL;
	int result = store.kv->blob_open(message->blob, &blob, NULL);

	if (result == 0)
		result = check_bytes(blob);
	if (result == 0) {
		write_fields(writing, message);
		write_bytes(writing, blob);
		writing->export->written++;
	} else {
		export_refuse(writing->export, writing->name, message->uid, ph_code_name(result));
	}
	if (blob)
		store.kv->blob_close(&blob);
	export_progress(writing->export, writing->name);
}

/* Makes the folders above; the reason why not, or NULL. */
static const char *make_parents(char *path)
{
	for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return strerror(errno);
		*at = '/';
	}
	return NULL;
}

/* Names of files that begin with a dot are hidden, or are those of folders above. */
static bool is_writable_name(struct ph_str name)
{
	struct ph_str level;

	while (ph_str_split(&name, '/', &level)) {
		if (level.data[0] == '.')
			return false;
	}
	return true;
}

static int write_messages(struct writing *writing, struct ph_mailbox *mailbox, struct ph_error *error)
{
	struct ph_message_iterator *iterator = messages_begin(mailbox, NULL, 0);
	const struct ph_message *message;

	while (messages_next(iterator, &message))
		write_message(writing, message);
	return messages_end(&iterator, error);
}

static int write_file(struct writing *writing, struct ph_mailbox *mailbox, const char *temporary,
	const char *path, struct ph_error *error)
{
	int result;
	bool good;

	writing->file = fopen(temporary, "we");
	if (!writing->file) {
		export_refuse(writing->export, writing->name, 0, strerror(errno));
		return 0;
	}
	result = write_messages(writing, mailbox, error);
	good = fflush(writing->file) == 0 && !ferror(writing->file);
	good = fclose(writing->file) == 0 && good;
	if (result == 0 && (!good || rename(temporary, path) != 0))
		export_refuse(writing->export, writing->name, 0, strerror(errno));
	if (result < 0)
		unlink(temporary);
	return result;
}

static int write_mailbox(struct export *export, const struct ph_mailbox_entry *entry,
	struct ph_mailbox *mailbox, struct ph_error *error)
{
	struct writing writing = { .export = export,
		.name = entry->name,
		.uid_validity = mailbox->meta.uid_validity,
		.last_uid = mailbox->meta.uid_next - 1 };
	struct ph_pool *pool = ph_pool_new(0);
	char *path = (char *)(uintptr_t)ph_pool_printf(
		pool, "%s/%.*s.mbox", export->path, PH_STR_ARGS(entry->name))
			     .data;
	const char *why = is_writable_name(entry->name) ? make_parents(path) : "its name begins with a dot";
	int result = 0;

	if (!why && access(path, F_OK) == 0)
		why = "the file is there already";
	if (why)
		export_refuse(export, entry->name, 0, why);
	else
		result = write_file(
			&writing, mailbox, ph_pool_printf(pool, "%s.part", path).data, path, error);
	ph_pool_free(&pool);
	return result;
}

int export_mbox(struct export *export, struct ph_error *error)
{
	return export_each(export, write_mailbox, error);
}
