/* Maildirs. The lists are those of Dovecot:
 *
 *   dovecot-uidlist   "3 V<UIDVALIDITY> N<UIDNEXT> ...", then "<UID> <fields> :<file name>" for each message;
 *                     or, older, "1 <UIDVALIDITY> <UIDNEXT>" and "<UID> <file name>"
 *   dovecot-keywords  "<number> <keyword>"; number 0 is the letter a */
#include <config.h>

#include "maildir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <posthorn/import.h>
#include <posthorn/store.h>

#include "source_file.h"

/* --- names of folders --- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static void add_utf8(struct ph_buf *buf, uint32_t c)
{
	if (c < 0x80) {
		ph_buf_add_char(buf, (char)c);
	} else if (c < 0x800) {
		ph_buf_add_char(buf, (char)(0xc0 | c >> 6));
		ph_buf_add_char(buf, (char)(0x80 | (c & 63)));
	} else if (c < 0x10000) {
		ph_buf_add_char(buf, (char)(0xe0 | c >> 12));
		ph_buf_add_char(buf, (char)(0x80 | (c >> 6 & 63)));
		ph_buf_add_char(buf, (char)(0x80 | (c & 63)));
	} else {
		ph_buf_add_char(buf, (char)(0xf0 | c >> 18));
		ph_buf_add_char(buf, (char)(0x80 | (c >> 12 & 63)));
		ph_buf_add_char(buf, (char)(0x80 | (c >> 6 & 63)));
		ph_buf_add_char(buf, (char)(0x80 | (c & 63)));
	}
}

/* The text between "&" and "-": UTF-16 in base64. False: it is none. */
static bool decode_shifted(struct ph_str text, struct ph_buf *buf)
{
	uint32_t bits = 0, high = 0;
	unsigned count = 0;

	for (size_t i = 0; i < text.len; i++) {
		const char *digit = text.data[i] ? strchr(digits, text.data[i]) : NULL;
		uint32_t unit;

		if (!digit)
			return false;
		bits = bits << 6 | (uint32_t)(digit - digits);
		count += 6;
		if (count < 16)
			continue;
		count -= 16;
		unit = bits >> count & 0xffff;
		if ((unit & 0xfc00) == 0xdc00 && high)
			add_utf8(buf, 0x10000 + ((high & 0x3ff) << 10 | (unit & 0x3ff)));
		else if ((unit & 0xf800) != 0xd800 && !high)
			add_utf8(buf, unit);
		else if ((unit & 0xfc00) != 0xd800 || high)
			return false;
		high = (unit & 0xfc00) == 0xd800 ? unit : 0;
	}
	return !high && count < 6;
}

static bool decode_level(struct ph_str level, struct ph_buf *buf)
{
	while (level.len > 0) {
		ptrdiff_t end;

		if (level.data[0] != '&') {
			ph_buf_add_char(buf, level.data[0]);
			level = ph_str_slice(level, 1, level.len);
			continue;
		}
		end = ph_str_find(level, '-');
		if (end < 0)
			return false;
		if (end == 1)
			ph_buf_add_char(buf, '&');
		else if (!decode_shifted(ph_str_slice(level, 1, (size_t)end), buf))
			return false;
		level = ph_str_slice(level, (size_t)end + 1, level.len);
	}
	return true;
}

bool maildir_mailbox_name(struct ph_str folder, struct ph_buf *name)
{
	struct ph_str rest = ph_str_slice(folder, folder.len > 0 && folder.data[0] == '.', folder.len), level;

	while (ph_str_split(&rest, '.', &level)) {
		size_t start;

		if (name->len > 0)
			ph_buf_add_char(name, '/');
		start = name->len;
		if (!decode_level(level, name))
			return false;
		if (name->len > start && memchr(name->data + start, '/', name->len - start))
			return false;
	}
	return name->len > 0 && !name->failed;
}

bool maildir_subscription(struct ph_str line, struct ph_buf *name)
{
	struct ph_buf dotted;
	bool good;

	ph_buf_init(&dotted, PH_MAILBOX_NAME_MAX * 3);
	for (size_t i = 0; i < line.len; i++)
		ph_buf_add_char(&dotted, line.data[i] == '\t' || line.data[i] == '/' ? '.' : line.data[i]);
	good = !dotted.failed && maildir_mailbox_name(ph_buf_str(&dotted), name);
	ph_buf_free(&dotted);
	return good;
}

/* The character at the front, which is legal UTF-8, taken off. */
static uint32_t take_character(struct ph_str *s)
{
	const unsigned char *u = (const unsigned char *)s->data;
	size_t length = u[0] < 0x80 ? 1 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	uint32_t c = length == 1 ? u[0] : u[0] & (0xffu >> (length + 1));

	for (size_t i = 1; i < length && i < s->len; i++)
		c = c << 6 | (u[i] & 63);
	*s = ph_str_slice(*s, length, s->len);
	return c;
}

static bool is_direct(char c)
{
	return c >= 0x20 && c < 0x7f && c != '.';
}

struct shift {
	struct ph_buf *buf;
	uint32_t bits;
	unsigned count;
};

static void add_unit(struct shift *shift, uint32_t unit)
{
	shift->bits = shift->bits << 16 | unit;
	for (shift->count += 16; shift->count >= 6; shift->count -= 6)
		ph_buf_add_char(shift->buf, digits[shift->bits >> (shift->count - 6) & 63]);
}

/* The characters at the front that must be encoded. */
static void encode_shifted(struct ph_str *s, struct ph_buf *buf)
{
	struct shift shift = { .buf = buf };

	ph_buf_add_char(buf, '&');
	while (s->len > 0 && s->data[0] != '/' && !is_direct(s->data[0])) {
		uint32_t c = take_character(s);

		if (c >= 0x10000) {
			add_unit(&shift, 0xd800 | (c - 0x10000) >> 10);
			c = 0xdc00 | ((c - 0x10000) & 0x3ff);
		}
		add_unit(&shift, c);
	}
	if (shift.count > 0)
		ph_buf_add_char(buf, digits[shift.bits << (6 - shift.count) & 63]);
	ph_buf_add_char(buf, '-');
}

void maildir_folder_name(struct ph_str name, struct ph_buf *folder)
{
	ph_buf_add_char(folder, '.');
	while (name.len > 0) {
		char c = name.data[0];

		if (c != '/' && !is_direct(c)) {
			encode_shifted(&name, folder);
			continue;
		}
		ph_buf_add_char(folder, c == '/' ? '.' : c);
		if (c == '&')
			ph_buf_add_char(folder, '-');
		name = ph_str_slice(name, 1, name.len);
	}
}

/* --- names of files --- */

static size_t end_of_unique(struct ph_str file)
{
	ptrdiff_t end = ph_str_rfind(file, ':');

	return end < 0 ? file.len : (size_t)end;
}

struct ph_str maildir_unique_name(struct ph_str file)
{
	return ph_str_slice(file, 0, end_of_unique(file));
}

struct ph_str maildir_flags(struct ph_str file)
{
	struct ph_str info = ph_str_slice(file, end_of_unique(file), file.len);

	return ph_str_starts(info, PH_STR(":2,")) ? ph_str_slice(info, 3, info.len) : PH_STR("");
}

/* In the order of the letters, as file names have them. */
static const struct {
	char letter;
	unsigned flag;
} flags[] = {
	{ 'D', PH_FLAG_DRAFT },
	{ 'F', PH_FLAG_FLAGGED },
	{ 'R', PH_FLAG_ANSWERED },
	{ 'S', PH_FLAG_SEEN },
	{ 'T', PH_FLAG_DELETED },
};

unsigned maildir_flag_of(char letter)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		if (flags[i].letter == letter)
			return flags[i].flag;
	}
	return 0;
}

void maildir_print_flags(unsigned set, struct ph_buf *buf)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		if (set & flags[i].flag)
			ph_buf_add_char(buf, flags[i].letter);
	}
}

/* --- lists --- */

struct list {
	const char *file;
	bool (*take)(struct ph_str line, struct ph_pool *pool, struct maildir_lists *lists);
	struct maildir_damage *damage;
};

static void read_lines(
	const char *folder, const struct list *list, struct ph_pool *pool, struct maildir_lists *lists)
{
	const char *path = ph_pool_printf(pool, "%s/%s", folder, list->file).data;
	FILE *file = source_file_open(path, &list->damage->why);
	char line[2048];

	for (unsigned long number = 1; file && fgets(line, sizeof(line), file); number++) {
		if (list->take(ph_str_trim(ph_str(line)), pool, lists))
			continue;
		if (list->damage->lines++ == 0)
			list->damage->line = number;
	}
	if (file && ferror(file))
		list->damage->why = strerror(EIO);
	if (file)
		fclose(file);
}

static uint32_t number_of(struct ph_str text)
{
	uint64_t number;

	return ph_str_number(text, UINT32_MAX, &number) ? (uint32_t)number : 0;
}

static bool take_header(struct ph_str line, struct maildir_lists *lists)
{
	struct ph_str word;
	bool old;

	ph_str_split(&line, ' ', &word);
	old = ph_str_eq(word, PH_STR("1"));
	while (ph_str_split(&line, ' ', &word)) {
		char kind = word.len > 0 ? word.data[0] : '\0';
		uint32_t number = number_of(old ? word : ph_str_slice(word, 1, word.len));

		if (old ? lists->uid_validity == 0 : kind == 'V')
			lists->uid_validity = number;
		else if (old ? lists->uid_next == 0 : kind == 'N')
			lists->uid_next = number;
	}
	return lists->uid_validity != 0;
}

bool maildir_take_uid(struct ph_str line, struct ph_pool *pool, struct maildir_lists *lists)
{
	struct ph_str word, file;
	ptrdiff_t colon;
	uint32_t uid;

	(void)pool;
	if (!lists->headed) {
		lists->headed = true;
		return take_header(line, lists);
	}
	/* Without the header UIDs mean nothing. */
	if (lists->uid_validity == 0)
		return true;
	uid = ph_str_split(&line, ' ', &word) ? number_of(word) : 0;
	if (uid == 0 || uid > PH_IMPORT_UID_MAX || line.len == 0)
		return false;
	/* The header is not written anew with each message. */
	if (lists->uid_next <= uid)
		lists->uid_next = uid + 1;
	/* The fields in between have no colon; the older form has neither. */
	colon = line.len > 0 && line.data[0] == ':' ? 0 : -1;
	for (size_t i = 0; colon < 0 && i + 1 < line.len; i++) {
		if (line.data[i] == ' ' && line.data[i + 1] == ':')
			colon = (ptrdiff_t)i + 1;
	}
	file = colon < 0 ? line : ph_str_slice(line, (size_t)colon + 1, line.len);
	ph_map_put(lists->uids, maildir_unique_name(file), (void *)(uintptr_t)uid);
	return true;
}

bool maildir_take_keyword(struct ph_str line, struct ph_pool *pool, struct maildir_lists *lists)
{
	struct ph_str word;
	uint64_t number;

	if (!ph_str_split(&line, ' ', &word) || !ph_str_number(word, UINT16_MAX, &number))
		return false;
	/* Dovecot keeps more than letters can tell in its index only. */
	if (number < MAILDIR_KEYWORDS)
		lists->keywords[number] = ph_pool_str(pool, line);
	return true;
}

void maildir_read_lists(const char *folder, struct ph_pool *pool, struct maildir_lists *lists_r)
{
	*lists_r = (struct maildir_lists){ .uids = ph_map_new() };
	read_lines(folder, &(struct list){ "dovecot-uidlist", maildir_take_uid, &lists_r->uids_damage }, pool,
		lists_r);
	read_lines(folder,
		&(struct list){ "dovecot-keywords", maildir_take_keyword, &lists_r->keywords_damage }, pool,
		lists_r);
}

void maildir_free_lists(struct maildir_lists *lists)
{
	ph_map_free(&lists->uids);
}
