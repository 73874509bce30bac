/* Header fields. See complete.h. */
#include <config.h>

#include "complete.h"

#include <sys/random.h>

#include <posthorn/conf.h>
#include <posthorn/loop.h>

#include "smtp.h"
#include "trace.h"

/* RFC 5322, 2.1.1. */
#define LINE_MAX_BYTES 998

unsigned count_received(const struct ph_mime_message *message)
{
	struct ph_str header = message->header;
	struct ph_mime_field field;
	unsigned count = 0;

	while (smtp_services.mime->header_find(&header, "received", &field))
		count++;
	return count;
}

static bool has_field(const struct ph_mime_message *message, const char *name)
{
	struct ph_str header = message->header;
	struct ph_mime_field field;

	return smtp_services.mime->header_find(&header, name, &field);
}

static void add_message_id(struct ph_buf *lines)
{
	uint64_t random[2];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		random[0] = random[1] = (uint64_t)ph_clock_msec();
	ph_buf_printf(lines, "Message-ID: <%016llx%016llx@%s>\r\n", (unsigned long long)random[0],
		(unsigned long long)random[1], ph_core_config()->hostname);
}

void add_missing_fields(const struct ph_mime_message *message, struct ph_buf *lines)
{
	if (!has_field(message, "date")) {
		ph_buf_add_text(lines, "Date: ");
		date_add(ph_clock(), lines);
		ph_buf_add_text(lines, "\r\n");
	}
	if (!has_field(message, "message-id"))
		add_message_id(lines);
}

/* field-name ":" text (RFC 5322, 2.2), on one line. */
static bool is_field(struct ph_str text)
{
	ptrdiff_t colon = ph_str_find(text, ':');

	if (colon <= 0 || text.len > LINE_MAX_BYTES)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (i < (size_t)colon ? c <= ' ' || c > '~' : (c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

bool add_policy_fields(const struct ph_verdict *verdict, struct ph_buf *lines)
{
	const struct ph_verdict_field *field = ph_verdict_field(verdict, "add_header");

	for (size_t i = 0; field && i < field->count; i++) {
		if (!is_field(field->values[i]))
			return false;
		ph_buf_add_str(lines, field->values[i]);
		ph_buf_add_text(lines, "\r\n");
	}
	return !lines->failed;
}
