/* Charsets by iconv(3), with the names that real mail has for them. A byte that cannot be converted becomes
 * U+FFFD and the next is tried, so that one bad byte costs one character. */
#include "charset.h"

#include <errno.h>
#include <string.h>

#include "utf8.h"

/* Mail often names a charset and means the larger one that contains it, as browsers read it. */
static const struct {
	const char *name;
	const char *known_as; /* to iconv; NULL: read as UTF-8 */
} aliases[] = {
	{ "us-ascii", NULL },
	{ "ascii", NULL },
	{ "ansi-x3.4-1968", NULL },
	{ "ansi-x3.4-1986", NULL },
	{ "iso-ir-6", NULL },
	{ "utf-8", NULL },
	{ "utf8", NULL },
	{ "unicode-1-1-utf-8", NULL },
	{ "unicode-1-1-utf-7", "UTF-7" },
	{ "iso-8859-1", "CP1252" },
	{ "latin1", "CP1252" },
	{ "latin-1", "CP1252" },
	{ "l1", "CP1252" },
	{ "ansi", "CP1252" },
	{ "iso-8859-9", "CP1254" },
	{ "iso-8859-11", "CP874" },
	{ "tis-620", "CP874" },
	{ "iso-8859-8-i", "ISO-8859-8" },
	{ "iso-8859-8-e", "ISO-8859-8" },
	{ "iso-8859-6-i", "ISO-8859-6" },
	{ "iso-8859-6-e", "ISO-8859-6" },
	{ "gb2312", "GB18030" },
	{ "gb-2312-80", "GB18030" },
	{ "csgb2312", "GB18030" },
	{ "euc-cn", "GB18030" },
	{ "gbk", "GB18030" },
	{ "cp936", "GB18030" },
	{ "big5", "BIG5-HKSCS" },
	{ "cn-big5", "BIG5-HKSCS" },
	{ "csbig5", "BIG5-HKSCS" },
	{ "shift-jis", "CP932" },
	{ "sjis", "CP932" },
	{ "ms-kanji", "CP932" },
	{ "ms-cp932", "CP932" },
	{ "windows-31j", "CP932" },
	{ "iso-2022-jp-ms", "ISO-2022-JP" },
	{ "cp50220", "ISO-2022-JP" },
	{ "cp50221", "ISO-2022-JP" },
	{ "ks-c-5601-1987", "CP949" },
	{ "ks-c-5601-1989", "CP949" },
	{ "ks-c-5601", "CP949" },
	{ "ksc5601", "CP949" },
	{ "ksc-5601", "CP949" },
	{ "korean", "CP949" },
	{ "euc-kr", "CP949" },
	{ "macroman", "MACINTOSH" },
	{ "mac-roman", "MACINTOSH" },
	{ "mac-cyrillic", "MAC-CYRILLIC" },
};

enum { NAME_MAX_LENGTH = 40 };

static bool is_quote(char c)
{
	return c == '\'' || c == '"';
}

/* The digits of "windows-1252", "win1252", "cp-1252"; none for other names. */
static const char *code_page(const char *name)
{
	static const char *const prefixes[] = { "windows", "win", "cp" };
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		size_t length = strlen(prefixes[i]);
		if (strncmp(name, prefixes[i], length) != 0)
			continue;
		const char *digits = name + length + (name[length] == '-');
		return strspn(digits, "0123456789") == strlen(digits) ? digits : "";
	}
	return "";
}

/* Lower case, without quotes and "x-", and with the hyphens that some leave out or write as underscores:
 * "iso8859_1" is "iso-8859-1", as is "ISO_8859-1:1987"; "win-1252" is "cp1252". False for what cannot be a
 * name. */
static bool normal_name(struct ph_str name, char normal_r[NAME_MAX_LENGTH + 2])
{
	while (name.len > 0 && is_quote(*name.data))
		name = ph_str_slice(name, 1, name.len);
	while (name.len > 0 && is_quote(name.data[name.len - 1]))
		name.len--;
	if (ph_str_case_starts(name, PH_STR("x-")))
		name = ph_str_slice(name, 2, name.len);
	if (name.len == 0 || name.len > NAME_MAX_LENGTH)
		return false;
	size_t length = 0;
	for (size_t i = 0; i < name.len; i++) {
		char c = ph_lower(name.data[i]);
		if (!ph_is_alpha(c) && !ph_is_digit(c) && !memchr("-_.:", c, 4))
			return false;
		normal_r[length++] = c == '_' ? '-' : c;
	}
	normal_r[length] = 0;
	if (strncmp(normal_r, "iso8859", 7) == 0) {
		memmove(normal_r + 4, normal_r + 3, length - 2);
		normal_r[3] = '-';
	}
	if (strncmp(normal_r, "iso-8859-", 9) == 0)
		normal_r[strcspn(normal_r, ":")] = 0;
	const char *digits = code_page(normal_r);
	if (*digits) {
		memmove(normal_r + 2, digits, strlen(digits) + 1);
		memcpy(normal_r, "cp", 2);
	}
	return true;
}

static const char *known_name(const char *name)
{
	for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
		if (strcmp(aliases[i].name, name) == 0)
			return aliases[i].known_as;
	return name;
}

void charset_open(struct charset *charset, struct ph_str name)
{
	char normal[NAME_MAX_LENGTH + 2];
	*charset = (struct charset){ 0 };
	if (!normal_name(ph_str_trim(name), normal))
		return;
	const char *known = known_name(normal);
	if (!known)
		return;
	charset->converter = iconv_open("UTF-8", known);
	charset->converts = charset->converter != (iconv_t)-1;
}

/* Converts as far as possible; returns how many bytes were used. */
static size_t convert(struct charset *charset, struct ph_str text, struct ph_buf *buf)
{
	char *in = (char *)text.data;
	size_t left = text.len;
	while (left > 0) {
		char chunk[512];
		char *out = chunk;
		size_t room = sizeof chunk;
		size_t result = iconv(charset->converter, &in, &left, &out, &room);
		int problem = result == (size_t)-1 ? errno : 0;
		ph_buf_add(buf, chunk, (size_t)(out - chunk));
		if (problem == EINVAL)
			break;
		if (problem == EILSEQ) {
			ph_buf_add_str(buf, UTF8_REPLACEMENT);
			in++;
			left--;
		}
	}
	return text.len - left;
}

static size_t use(struct charset *charset, struct ph_str text, struct ph_buf *buf)
{
	return charset->converts ? convert(charset, text, buf) : utf8_add_clean(buf, text);
}

/* Completes the held beginning of a character, byte by byte. Returns how many bytes of the piece were taken.
 */
static size_t complete_held(struct charset *charset, struct ph_str piece, struct ph_buf *buf)
{
	size_t taken = 0;
	while (charset->held_count > 0 && taken < piece.len) {
		charset->held[charset->held_count++] = piece.data[taken++];
		size_t used = use(charset, ph_str_of(charset->held, charset->held_count), buf);
		if (used == 0 && charset->held_count == sizeof charset->held) {
			ph_buf_add_str(buf, UTF8_REPLACEMENT);
			used = 1;
		}
		charset->held_count -= used;
		memmove(charset->held, charset->held + used, charset->held_count);
	}
	return taken;
}

void charset_feed(struct charset *charset, struct ph_str piece, struct ph_buf *buf)
{
	size_t taken = complete_held(charset, piece, buf);
	piece = ph_str_slice(piece, taken, piece.len);
	if (piece.len == 0)
		return;
	piece = ph_str_slice(piece, use(charset, piece, buf), piece.len);
	/* What is left is the beginning of one character. */
	while (piece.len >= sizeof charset->held) {
		ph_buf_add_str(buf, UTF8_REPLACEMENT);
		piece = ph_str_slice(piece, 1, piece.len);
	}
	memcpy(charset->held, piece.data, piece.len);
	charset->held_count = piece.len;
}

void charset_finish(struct charset *charset, struct ph_buf *buf)
{
	for (; charset->held_count > 0; charset->held_count--)
		ph_buf_add_str(buf, UTF8_REPLACEMENT);
	if (charset->converts) {
		char chunk[64];
		char *out = chunk;
		size_t room = sizeof chunk;
		iconv(charset->converter, NULL, NULL, &out, &room);
		ph_buf_add(buf, chunk, (size_t)(out - chunk));
	}
}

void charset_close(struct charset *charset)
{
	if (charset->converts)
		iconv_close(charset->converter);
	charset->converts = false;
}
