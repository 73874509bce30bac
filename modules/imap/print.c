/* What goes out is built in a buffer, piece by piece, and handed to the connection in one go. */
#include "print.h"

#include "parse.h"
#include "utf7.h"

void print_number(struct ph_buf *buf, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	ph_buf_add(buf, digits + at, sizeof(digits) - at);
}

static bool is_atom(struct ph_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!is_astring_char(s.data[i]))
			return false;
	}
	return s.len > 0 && !ph_str_case_eq(s, PH_STR("NIL"));
}

static bool is_quotable(struct ph_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];
		if (c == '\r' || c == '\n' || c == 0 || c >= 0x80)
			return false;
	}
	return true;
}

static void print_quoted(struct ph_buf *buf, struct ph_str s)
{
	ph_buf_add_char(buf, '"');
	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] == '"' || s.data[i] == '\\')
			ph_buf_add_char(buf, '\\');
		ph_buf_add_char(buf, s.data[i]);
	}
	ph_buf_add_char(buf, '"');
}

void print_string(struct ph_buf *buf, struct ph_str s)
{
	if (is_quotable(s)) {
		print_quoted(buf, s);
	} else {
		ph_buf_printf(buf, "{%zu}\r\n", s.len);
		ph_buf_add_str(buf, s);
	}
}

void print_astring(struct ph_buf *buf, struct ph_str s)
{
	if (is_atom(s))
		ph_buf_add_str(buf, s);
	else
		print_string(buf, s);
}

void print_mailbox(struct ph_buf *buf, struct ph_str name)
{
	struct ph_buf encoded;

	if (utf7_is_plain(name)) {
		print_astring(buf, name);
		return;
	}
	ph_buf_init(&encoded, 4 * PH_MAILBOX_NAME_MAX + 16);
	utf7_encode(name, &encoded);
	print_astring(buf, ph_buf_str(&encoded));
	ph_buf_free(&encoded);
}

static const struct {
	unsigned flag;
	struct ph_str name;
} system_flags[] = {
	{ PH_FLAG_ANSWERED, PH_STR_INIT("\\Answered") },
	{ PH_FLAG_FLAGGED, PH_STR_INIT("\\Flagged") },
	{ PH_FLAG_DELETED, PH_STR_INIT("\\Deleted") },
	{ PH_FLAG_SEEN, PH_STR_INIT("\\Seen") },
	{ PH_FLAG_DRAFT, PH_STR_INIT("\\Draft") },
};

static void add_separated(struct ph_buf *buf, struct ph_str word)
{
	if (buf->data[buf->len - 1] != '(')
		ph_buf_add_char(buf, ' ');
	ph_buf_add_str(buf, word);
}

void print_flags(struct ph_buf *buf, unsigned flags, bool recent, const struct ph_str *keywords, size_t count)
{
	if (!ph_buf_add_char(buf, '('))
		return;
	for (size_t i = 0; i < sizeof(system_flags) / sizeof(*system_flags); i++) {
		if (flags & system_flags[i].flag)
			add_separated(buf, system_flags[i].name);
	}
	if (recent)
		add_separated(buf, PH_STR("\\Recent"));
	for (size_t i = 0; i < count; i++)
		add_separated(buf, keywords[i]);
	ph_buf_add_char(buf, ')');
}

void print_uid_set(struct ph_buf *buf, const struct ph_uid_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		if (i > 0)
			ph_buf_add_char(buf, ',');
		print_number(buf, set->ranges[i].first);
		if (set->ranges[i].last != set->ranges[i].first) {
			ph_buf_add_char(buf, ':');
			print_number(buf, set->ranges[i].last);
		}
	}
}

static const struct {
	unsigned bit;
	const char *name;
} special_uses[] = {
	{ PH_USE_ALL, "\\All" },
	{ PH_USE_ARCHIVE, "\\Archive" },
	{ PH_USE_DRAFTS, "\\Drafts" },
	{ PH_USE_FLAGGED, "\\Flagged" },
	{ PH_USE_JUNK, "\\Junk" },
	{ PH_USE_SENT, "\\Sent" },
	{ PH_USE_TRASH, "\\Trash" },
};

const char *next_special_use(unsigned *special_use)
{
	for (size_t i = 0; i < sizeof(special_uses) / sizeof(*special_uses); i++) {
		if (*special_use & special_uses[i].bit) {
			*special_use &= ~special_uses[i].bit;
			return special_uses[i].name;
		}
	}
	return NULL;
}

void print_special_use(struct ph_buf *buf, unsigned special_use)
{
	const char *name;

	while ((name = next_special_use(&special_use))) {
		ph_buf_add_char(buf, ' ');
		ph_buf_add_text(buf, name);
	}
}
