/* The log of this process: where lines go and which are wanted. */
#ifndef POSTHORN_LOG_PRIVATE_H
#define POSTHORN_LOG_PRIVATE_H

#include <posthorn/buf.h>
#include <posthorn/conf.h>
#include <posthorn/log.h>

enum log_format { LOG_LOGFMT, LOG_JSON };

struct log_config {
	int level;  /* enum ph_log_level */
	int format; /* enum log_format */
	const char *file;
};
extern const struct ph_option log_options[];

/* Opens the file, if there is one, and applies the rest. On an error all stays as it was. */
int log_open(const struct log_config *config, struct ph_error *error);
/* Opens the file anew (it was moved away). */
void log_reopen(void);
void log_close(void);
/* The file shall belong to this user, now and when it is opened anew. */
void log_set_owner(int uid, int gid);
/* Names this process in every line: "master", or "worker" and its number (-1: none). NULL for none. */
void log_set_process(const char *role, int number);
/* The line for an event without its time, as log_open() says; for ph_log_fields() and its test. */
void log_format_line(struct ph_buf *line, enum log_format format, enum ph_log_level level, const char *event,
	const struct ph_log_field *const *field_lists);

/* The length of the well-formed UTF-8 character at the start of s (RFC 3629) that is fit to be shown; 0 for
 * anything else, control characters among it. */
size_t log_shown_character(struct ph_str s);

#endif
