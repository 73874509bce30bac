/* One event, one line, one write(2). Values may come from anybody: whatever they hold is escaped so that it
 * can neither end a line, nor look like another field, nor steer a terminal. */
#include <config.h>

#include "log_private.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <posthorn/fiber.h>
#include <posthorn/mem.h>
#include <posthorn/tool.h>

enum {
	LINE_MAX_BYTES = 8192,
	VALUE_MAX = 2048,
	CONTEXT_FIELDS = sizeof(((struct ph_log_context *)0)->fields) / sizeof(struct ph_log_field),
};

static const char *const level_names[] = { "debug", "info", "warn", "error", NULL };
static const char *const format_names[] = { "logfmt", "json", NULL };

const struct ph_option log_options[] = {
	PH_OPTION_CHOICE(
		struct log_config, level, "info", level_names, "The least important events to be logged."),
	PH_OPTION_CHOICE(struct log_config, format, "logfmt", format_names, "How a line is written."),
	PH_OPTION_PATH(
		struct log_config, file, "", "A file to add lines to, instead of the standard error output."),
	PH_OPTIONS_END,
};

static struct {
	int fd;
	enum ph_log_level level;
	enum log_format format;
	bool journal;
	char *file;
	const char *role;
	int number;
	int uid, gid; /* whose the file shall be; -1: whoever makes it */
} log_state = { .fd = STDERR_FILENO, .level = PH_LOG_INFO, .number = -1, .uid = -1, .gid = -1 };

/* --- Where it goes --- */

/* Does the journal read our standard error output? It says so by device and inode. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;
	char ours[64];

	if (!stream || fstat(STDERR_FILENO, &st) != 0)
		return false;
	snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return ph_str_eq(ph_str(stream), ph_str(ours));
}

/* Workers open it anew, too, when they are root no longer. */
static void give_to_owner(int fd)
{
	if (log_state.uid >= 0 && geteuid() == 0 &&
		fchown(fd, (uid_t)log_state.uid, (gid_t)log_state.gid) != 0)
		ph_log_event(PH_LOG_WARN, "cannot give the log file to the user");
}

static int open_file(const char *file)
{
	int fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);

	if (fd >= 0)
		give_to_owner(fd);
	return fd;
}

static void use_fd(int fd)
{
	if (log_state.fd != STDERR_FILENO)
		close(log_state.fd);
	log_state.fd = fd;
}

int log_open(const struct log_config *config, struct ph_error *error)
{
	int fd = STDERR_FILENO;

	if (config->file[0]) {
		fd = open_file(config->file);
		if (fd < 0)
			return ph_error_set(
				error, PH_E_IO, "cannot open the log", "log file %s: %m", config->file);
	}
	use_fd(fd);
	free(log_state.file);
	log_state.file = config->file[0] ? ph_strdup(config->file) : NULL;
	log_state.level = (enum ph_log_level)config->level;
	log_state.format = (enum log_format)config->format;
	log_state.journal = fd == STDERR_FILENO && is_journal();
	return 0;
}

void log_reopen(void)
{
	int fd;

	if (!log_state.file)
		return;
	fd = open_file(log_state.file);
	if (fd < 0)
		ph_log(PH_LOG_ERROR, "cannot reopen the log", PH_LOG_TEXT("file", log_state.file));
	else
		use_fd(fd);
}

void log_close(void)
{
	use_fd(STDERR_FILENO);
	free(log_state.file);
	log_state.file = NULL;
}

void log_set_owner(int uid, int gid)
{
	log_state.uid = uid;
	log_state.gid = gid;
	if (log_state.fd != STDERR_FILENO)
		give_to_owner(log_state.fd);
}

void log_set_process(const char *role, int number)
{
	log_state.role = role;
	log_state.number = number;
}

/* --- Escaping --- */

size_t log_shown_character(struct ph_str s)
{
	const unsigned char *c = (const unsigned char *)s.data;
	size_t len = c[0] < 0x80   ? 1
		     : c[0] < 0xc2 ? 0
		     : c[0] < 0xe0 ? 2
		     : c[0] < 0xf0 ? 3
		     : c[0] < 0xf5 ? 4
				   : 0;

	if (len == 1)
		return c[0] >= 0x20 && c[0] != 0x7f;
	if (len == 0 || len > s.len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((c[0] == 0xc2 && c[1] < 0xa0) || (c[0] == 0xe0 && c[1] < 0xa0) ||
		(c[0] == 0xed && c[1] >= 0xa0) || (c[0] == 0xf0 && c[1] < 0x90) ||
		(c[0] == 0xf4 && c[1] >= 0x90))
		return 0;
	/* Line and paragraph separator, and the marks that turn the direction of text around. */
	if (c[0] == 0xe2 && c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae)
		return 0;
	return len;
}

static void add_quoted(struct ph_buf *line, struct ph_str value, enum log_format format)
{
	size_t i = 0;

	ph_buf_add_char(line, '"');
	while (i < value.len && i < VALUE_MAX) {
		struct ph_str rest = ph_str_slice(value, i, value.len);
		size_t len = log_shown_character(rest);
		unsigned char c = (unsigned char)rest.data[0];

		if (len == 1 && (c == '"' || c == '\\'))
			ph_buf_add_char(line, '\\');
		if (len > 0)
			ph_buf_add(line, rest.data, len);
		else if (c == '\n' || c == '\t' || c == '\r')
			ph_buf_add_text(line, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
		else
			ph_buf_printf(line, format == LOG_JSON ? "\\u%04x" : "\\x%02x", c);
		i += len > 0 ? len : 1;
	}
	ph_buf_add_text(line, i < value.len ? "...\"" : "\"");
}

/* Can it stand in a logfmt line as it is? */
static bool is_plain(struct ph_str value)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.data[i];

		if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\')
			return false;
	}
	return value.len > 0 && value.len <= VALUE_MAX;
}

static void add_text(struct ph_buf *line, enum log_format format, const char *key, struct ph_str value)
{
	if (format == LOG_JSON) {
		ph_buf_printf(line, ",\"%s\":", key);
		add_quoted(line, value, format);
		return;
	}
	ph_buf_printf(line, " %s=", key);
	if (is_plain(value))
		ph_buf_add_str(line, value);
	else
		add_quoted(line, value, format);
}

static void add_number(struct ph_buf *line, enum log_format format, const char *key, int64_t value)
{
	ph_buf_printf(line, format == LOG_JSON ? ",\"%s\":%" PRId64 : " %s=%" PRId64, key, value);
}

/* Adds the field whole, or not at all when the line is full. */
static void add_field(struct ph_buf *line, enum log_format format, const struct ph_log_field *field)
{
	size_t before = line->len;

	if (field->type == PH_LOG_IS_NUMBER)
		add_number(line, format, field->key, field->number);
	else
		add_text(line, format, field->key, field->text);
	if (line->failed || line->len > LINE_MAX_BYTES - 4) {
		line->failed = false;
		line->len = before;
	}
}

/* --- A line --- */

void log_format_line(struct ph_buf *line, enum log_format format, enum ph_log_level level, const char *event,
	const struct ph_log_field *const *field_lists)
{
	ph_buf_printf(line, format == LOG_JSON ? ",\"level\":\"%s\"" : " level=%s", level_names[level]);
	if (log_state.role)
		add_text(line, format, "process", ph_str(log_state.role));
	if (log_state.number >= 0)
		add_number(line, format, "number", log_state.number);
	add_text(line, format, "msg", ph_str(event));
	for (; *field_lists; field_lists++) {
		for (const struct ph_log_field *field = *field_lists; field->key; field++)
			add_field(line, format, field);
	}
}

static void add_time(struct ph_buf *line, enum log_format format)
{
	struct timespec now;
	struct tm utc;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	ph_buf_printf(line,
		format == LOG_JSON ? "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\""
				   : "time=%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
		utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
		(int)(now.tv_nsec / 1000000));
}

static bool has_key(const struct ph_log_field *fields, const char *key)
{
	while (fields->key && strcmp(fields->key, key) != 0)
		fields++;
	return fields->key != NULL;
}

/* The context's fields but for those the event names itself. Its list need not be ended; the copy is. */
static void copy_context(struct ph_log_field *copy, const struct ph_log_field *fields)
{
	const struct ph_log_context *context = ph_fiber_self() ? ph_fiber_slot_get(PH_FIBER_LOG) : NULL;

	for (size_t i = 0; context && i < CONTEXT_FIELDS && context->fields[i].key; i++) {
		if (!has_key(fields, context->fields[i].key))
			*copy++ = context->fields[i];
	}
}

void ph_log_fields(enum ph_log_level level, const char *event, const struct ph_log_field *fields)
{
	static const int priorities[] = { 7, 6, 4, 3 };
	struct ph_log_field context[CONTEXT_FIELDS + 1] = { 0 };
	const struct ph_log_field *const lists[] = { context, fields, NULL };
	struct ph_buf line;

	ph_buf_init(&line, LINE_MAX_BYTES);
	copy_context(context, fields);
	if (log_state.journal)
		ph_buf_printf(&line, "<%d>", priorities[level]);
	add_time(&line, log_state.format);
	log_format_line(&line, log_state.format, level, event, lists);
	ph_buf_add_text(&line, log_state.format == LOG_JSON ? "}\n" : "\n");
	if (log_state.fd == STDERR_FILENO)
		ph_progress_hide();
	/* Nobody could be told of a failure. */
	if (write(log_state.fd, line.data, line.len) < 0) {
	}
	ph_buf_free(&line);
}

bool ph_log_enabled(enum ph_log_level level)
{
	return level >= log_state.level;
}

void ph_log_set_context(const struct ph_log_context *context)
{
	ph_fiber_slot_set(PH_FIBER_LOG, (void *)(uintptr_t)context);
}
