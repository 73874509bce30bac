/* Structured logging: one line for each event, an event's name and typed fields. The session's id, and what
 * else the fiber's context says, are added by themselves. Never log a secret or a message's body.
 *
 *   ph_log(PH_LOG_INFO, "message accepted", PH_LOG_TEXT("from", from), PH_LOG_NUMBER("size", size));
 */
#ifndef POSTHORN_LOG_H
#define POSTHORN_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include <posthorn/error.h>
#include <posthorn/str.h>

enum ph_log_level { PH_LOG_DEBUG, PH_LOG_INFO, PH_LOG_WARN, PH_LOG_ERROR };

struct ph_log_field {
	const char *key; /* NULL ends the list */
	enum { PH_LOG_IS_STR, PH_LOG_IS_NUMBER } type;
	struct ph_str text;
	int64_t number;
};

#define PH_LOG_STR(key_, value) \
	((struct ph_log_field){ .key = (key_), .type = PH_LOG_IS_STR, .text = (value) })
#define PH_LOG_TEXT(key_, value) PH_LOG_STR(key_, ph_str(value))
#define PH_LOG_NUMBER(key_, value) \
	((struct ph_log_field){ .key = (key_), .type = PH_LOG_IS_NUMBER, .number = (int64_t)(value) })
/* The detail of a struct ph_error. */
#define PH_LOG_ERROR_DETAIL(error) PH_LOG_TEXT("error", (error)->detail)

#define ph_log(level, event, ...)                                                                          \
	(ph_log_enabled(level)                                                                             \
			? ph_log_fields(level, event, (const struct ph_log_field[]){ __VA_ARGS__, { 0 } }) \
			: (void)0)
/* An event without fields. */
#define ph_log_event(level, event)                                                                   \
	(ph_log_enabled(level) ? ph_log_fields(level, event, (const struct ph_log_field[]){ { 0 } }) \
			       : (void)0)

bool ph_log_enabled(enum ph_log_level level);
void ph_log_fields(enum ph_log_level level, const char *event, const struct ph_log_field *fields);

/* Fields added to every line that the running fiber logs; kept until set anew, NULL for none. The context
 * must outlive its use. */
struct ph_log_context {
	struct ph_log_field fields[6]; /* ended by a NULL key when shorter */
};
void ph_log_set_context(const struct ph_log_context *context);

#endif
