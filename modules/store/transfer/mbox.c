/* The lines of mbox files, and the fields that they keep in headers. */
#include <config.h>

#include "mbox.h"

#include <string.h>
#include <time.h>

#include <posthorn/store.h>

bool mbox_from_line(struct ph_str line, int64_t *date_r)
{
	char text[512];
	size_t len = line.len < sizeof(text) - 1 ? line.len : sizeof(text) - 1;

	if (!ph_str_starts(line, PH_STR("From ")))
		return false;
	memcpy(text, line.data, len);
	text[len] = '\0';
	for (const char *at = strchr(text, ' '); at; at = strchr(at + 1, ' ')) {
		struct tm broken = { 0 };

		if (!strptime(at, " %a %b %d %H:%M:%S %Y", &broken))
			continue;
		*date_r = timegm(&broken);
		return true;
	}
	return false;
}

bool mbox_is_from(struct ph_str line)
{
	size_t at = 0;

	while (at < line.len && line.data[at] == '>')
		at++;
	return ph_str_starts(ph_str_slice(line, at, line.len), PH_STR("From "));
}

/* --- fields --- */

void mbox_fields_init(struct mbox_fields *fields)
{
	*fields = (struct mbox_fields){ .recent = true };
}

/* Status: R read, O (old) not \Recent; X-Status: A answered, F flagged, T draft, D deleted. */
static void take_status(struct ph_str value, struct ph_pool *pool, struct mbox_fields *fields)
{
	static const struct {
		char letter;
		unsigned flag;
	} flags[] = { { 'R', PH_FLAG_SEEN }, { 'A', PH_FLAG_ANSWERED }, { 'F', PH_FLAG_FLAGGED },
		{ 'T', PH_FLAG_DRAFT }, { 'D', PH_FLAG_DELETED } };

	(void)pool;
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		if (ph_str_find(value, flags[i].letter) >= 0)
			fields->flags |= flags[i].flag;
	}
	if (ph_str_find(value, 'O') >= 0 || ph_str_find(value, 'R') >= 0)
		fields->recent = false;
}

static void take_keywords(struct ph_str value, struct ph_pool *pool, struct mbox_fields *fields)
{
	struct ph_str word;

	while (ph_str_split(&value, ' ', &word)) {
		if (word.len > 0 && fields->keyword_count < MBOX_KEYWORDS)
			fields->keywords[fields->keyword_count++] = ph_pool_str(pool, word);
		else if (word.len > 0)
			fields->keywords_lost = true;
	}
}

static uint32_t take_number(struct ph_str *value)
{
	struct ph_str word;
	uint64_t number;

	return ph_str_split(value, ' ', &word) && ph_str_number(word, UINT32_MAX, &number) ? (uint32_t)number
											   : 0;
}

static void take_uid(struct ph_str value, struct ph_pool *pool, struct mbox_fields *fields)
{
	(void)pool;
	fields->uid = take_number(&value);
}

/* UIDVALIDITY and the last UID. */
static void take_base(struct ph_str value, struct ph_pool *pool, struct mbox_fields *fields)
{
	(void)pool;
	fields->uid_validity = take_number(&value);
	fields->uid_next = take_number(&value);
	if (fields->uid_next < UINT32_MAX)
		fields->uid_next++;
}

static void take_notes(struct ph_str value, struct ph_pool *pool, struct mbox_fields *fields)
{
	take_base(value, pool, fields);
	fields->is_pseudo = true;
}

bool mbox_take_field(struct ph_str line, struct ph_pool *pool, struct mbox_fields *fields)
{
	static const struct {
		struct ph_str name;
		void (*take)(struct ph_str value, struct ph_pool *pool, struct mbox_fields *fields);
	} known[] = { { PH_STR_INIT("Status:"), take_status }, { PH_STR_INIT("X-Status:"), take_status },
		{ PH_STR_INIT("X-Keywords:"), take_keywords }, { PH_STR_INIT("X-UID:"), take_uid },
		{ PH_STR_INIT("X-IMAPbase:"), take_base }, { PH_STR_INIT("X-IMAP:"), take_notes } };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (!ph_str_case_starts(line, known[i].name))
			continue;
		known[i].take(ph_str_trim(ph_str_slice(line, known[i].name.len, line.len)), pool, fields);
		return true;
	}
	return false;
}
