/* Answers. See reply.h. */
#include <config.h>

#include "reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Texts come from policies and other modules too: nothing but printable ASCII goes out, on one line. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static __attribute__((format(printf, 4, 0))) void set(
	struct answer *answer, int code, const char *enhanced, const char *format, va_list arguments)
{
	answer->code = code;
	snprintf(answer->enhanced, sizeof(answer->enhanced), "%s", enhanced ? enhanced : "");
	vsnprintf(answer->text, sizeof(answer->text), format, arguments);
	make_printable(answer->text);
}

void answer_set(struct answer *answer, int code, const char *enhanced, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set(answer, code, enhanced, format, arguments);
	va_end(arguments);
}

void reply_answer(struct session *session, const struct answer *answer)
{
	if (answer->code >= 500)
		session->errors++;
	ph_conn_printf(session->conn, "%d %s%s%s\r\n", answer->code, answer->enhanced,
		answer->enhanced[0] ? " " : "", answer->text);
}

void reply(struct session *session, int code, const char *enhanced, const char *format, ...)
{
	struct answer answer;
	va_list arguments;

	va_start(arguments, format);
	set(&answer, code, enhanced, format, arguments);
	va_end(arguments);
	reply_answer(session, &answer);
}

/* The core lets no verdict pass whose codes and text are unfit for an answer. */
void answer_verdict(struct answer *answer, const struct ph_verdict *verdict)
{
	bool for_good = verdict->kind == PH_REJECT;
	int code = for_good ? 550 : verdict->kind == PH_DISCONNECT ? 421 : 451;
	char enhanced[sizeof(answer->enhanced)];

	if (verdict->code != 0)
		code = verdict->code;
	snprintf(enhanced, sizeof(enhanced), "%.*s", PH_STR_ARGS(verdict->enhanced));
	if (!enhanced[0])
		snprintf(enhanced, sizeof(enhanced), "%d.7.1", code / 100);
	if (verdict->text.len > 0)
		answer_set(answer, code, enhanced, "%.*s", PH_STR_ARGS(verdict->text));
	else
		answer_set(
			answer, code, enhanced, "%s", for_good ? "Refused by policy" : "Not now, by policy");
}
