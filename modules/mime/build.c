/* Building messages: each part its header and its body, encoded as its content asks for. */
#include <config.h>

#include "build.h"

#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include <posthorn/error.h>

#include "build_field.h"
#include "encode.h"

enum { DEPTH_MAX = 50, LINE_LIMIT = 998 };

struct ph_str boundary_make(char boundary_r[BOUNDARY_LENGTH + 1])
{
	uint64_t random[2] = { 0, 0 };
	/* Without randomness (none has been gathered, just after booting), it waits; it fails for no other
	 * reason at this size. */
	PH_ASSERT(getrandom(random, sizeof random, 0) == sizeof random);
	snprintf(boundary_r, BOUNDARY_LENGTH + 1, "=_%016llx%08x", (unsigned long long)random[0],
		(unsigned)random[1]);
	return ph_str_of(boundary_r, BOUNDARY_LENGTH);
}

void date_print(struct ph_mime_date date, struct ph_buf *buf)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int zone = date.zone < 0 ? -date.zone : date.zone;
	time_t local = (time_t)(date.time + (int64_t)date.zone * 60);
	struct tm tm = { 0 };
	gmtime_r(&local, &tm);
	ph_buf_printf(buf, "%.3s, %d %.3s %04d %02d:%02d:%02d %c%02d%02d", days + 3 * (size_t)tm.tm_wday,
		tm.tm_mday, months + 3 * (size_t)tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
		tm.tm_sec, date.zone < 0 ? '-' : '+', zone / 60, zone % 60);
}

/* --- the header --- */

static bool has_type(const struct ph_mime_new_part *part, const char *type)
{
	return ph_str_case_starts(part->type, ph_str(type));
}

static bool is_text(const struct ph_mime_new_part *part)
{
	return part->type.len == 0 || has_type(part, "text/");
}

/* RFC 2046, 5.2: what is called a message, but for those of RFC 6532 and 6533, is in no encoding. */
static bool is_unencoded_message(const struct ph_mime_new_part *part)
{
	return has_type(part, "message/") && !has_type(part, "message/global-");
}

static bool is_type(struct ph_str type)
{
	size_t slashes = 0;
	for (size_t i = 0; i < type.len; i++) {
		slashes += type.data[i] == '/';
		if (type.data[i] <= ' ' || type.data[i] > '~' || strchr("()<>@,;:\\\"[]?=", type.data[i]))
			return false;
	}
	return slashes == 1 && type.data[0] != '/' && type.data[type.len - 1] != '/';
}

static bool has_param(const struct ph_mime_params *params, const char *name)
{
	for (size_t i = 0; i < params->count; i++)
		if (ph_str_case_eq(params->items[i].name, ph_str(name)))
			return true;
	return false;
}

static int write_type(
	const struct ph_mime_new_part *part, struct ph_str body, struct ph_str boundary, struct ph_buf *buf)
{
	struct folding folding = fold_begin(buf, PH_STR("Content-Type"));
	struct ph_str type = part->type.len > 0 ? part->type : PH_STR("text/plain");
	if (!is_type(type) || has_param(&part->params, "boundary"))
		folding.result = PH_E_INVALID;
	fold_word(&folding, 1, type);
	if (is_text(part) && !has_param(&part->params, "charset"))
		fold_param(
			&folding, PH_STR("charset"), is_ascii(body) ? PH_STR("us-ascii") : PH_STR("utf-8"));
	for (size_t i = 0; i < part->params.count; i++)
		fold_param(&folding, part->params.items[i].name, part->params.items[i].value);
	if (boundary.len > 0)
		fold_param(&folding, PH_STR("boundary"), boundary);
	return fold_end(&folding);
}

static int write_disposition(const struct ph_mime_new_part *part, struct ph_buf *buf)
{
	if (part->disposition.len == 0 && part->filename.len == 0)
		return 0;
	struct folding folding = fold_begin(buf, PH_STR("Content-Disposition"));
	fold_words(&folding, part->disposition.len > 0 ? part->disposition : PH_STR("attachment"));
	if (part->filename.len > 0)
		fold_param(&folding, PH_STR("filename"), part->filename);
	return fold_end(&folding);
}

static int write_fields(const struct ph_mime_new_part *part, bool message, struct ph_buf *buf)
{
	int result = 0;
	for (size_t i = 0; i < part->field_count && result == 0; i++)
		result = build_field(&part->fields[i], buf);
	if (message)
		ph_buf_add_text(buf, "MIME-Version: 1.0\r\n");
	return result;
}

/* --- bodies --- */

/* Each line end of text is CRLF; a CR that ends no line stays. */
static void add_text(struct ph_str text, struct ph_buf *buf)
{
	while (text.len > 0) {
		ptrdiff_t feed = ph_str_find(text, '\n');
		size_t end = feed < 0 ? text.len : (size_t)feed;
		ph_buf_add_str(buf, ph_str_slice(text, 0, end));
		if (feed >= 0)
			ph_buf_add_text(buf, feed > 0 && text.data[feed - 1] == '\r' ? "\n" : "\r\n");
		text = ph_str_slice(text, feed < 0 ? end : end + 1, text.len);
	}
}

static const char *message_encoding(struct ph_str body)
{
	struct ph_str rest = body, line;
	if (body.len > 0 && memchr(body.data, 0, body.len))
		return "binary";
	while (ph_str_split(&rest, '\n', &line))
		if (line.len > LINE_LIMIT)
			return "binary";
	return is_ascii(body) ? NULL : "8bit";
}

static void write_encoding(const char *name, struct ph_buf *buf)
{
	if (name)
		ph_buf_printf(buf, "Content-Transfer-Encoding: %s\r\n", name);
}

/* A leaf whose body has its line ends. */
static int write_body(
	const struct ph_mime_new_part *part, struct ph_str body, bool among_others, struct ph_buf *buf)
{
	enum ph_mime_encoding encoding = PH_MIME_IDENTITY;
	int result = write_type(part, body, (struct ph_str){ NULL, 0 }, buf);
	if (is_unencoded_message(part)) {
		write_encoding(message_encoding(body), buf);
	} else {
		encoding = encoding_choose(body, is_text(part) || has_type(part, "message/"), among_others);
		write_encoding(encoding == PH_MIME_BASE64             ? "base64"
			       : encoding == PH_MIME_QUOTED_PRINTABLE ? "quoted-printable"
								      : NULL,
			buf);
	}
	if (result == 0)
		result = write_disposition(part, buf);
	ph_buf_add_text(buf, "\r\n");
	encode_body(body, encoding, buf);
	return result;
}

static int write_leaf(const struct ph_mime_new_part *part, bool among_others, struct ph_buf *buf)
{
	if (!is_text(part))
		return write_body(part, part->body, among_others, buf);
	struct ph_buf text;
	ph_buf_init(&text, SIZE_MAX);
	add_text(part->body, &text);
	int result = write_body(part, ph_buf_str(&text), among_others, buf);
	ph_buf_free(&text);
	return result;
}

static int write_part(const struct ph_mime_new_part *part, bool message, unsigned depth, struct ph_buf *buf);

static int write_multipart(const struct ph_mime_new_part *part, unsigned depth, struct ph_buf *buf)
{
	char bytes[BOUNDARY_LENGTH + 1];
	struct ph_str boundary = boundary_make(bytes);
	int result = write_type(part, part->body, boundary, buf);
	if (result == 0)
		result = write_disposition(part, buf);
	if (part->part_count == 0)
		result = PH_E_INVALID;
	for (size_t i = 0; i < part->part_count && result == 0; i++) {
		ph_buf_printf(buf, "\r\n--%s\r\n", bytes);
		result = write_part(&part->parts[i], false, depth + 1, buf);
	}
	ph_buf_printf(buf, "\r\n--%s--\r\n", bytes);
	return result;
}

static int write_part(const struct ph_mime_new_part *part, bool message, unsigned depth, struct ph_buf *buf)
{
	if (depth > DEPTH_MAX)
		return PH_E_LIMIT;
	int result = write_fields(part, message, buf);
	if (result != 0)
		return result;
	return has_type(part, "multipart/") ? write_multipart(part, depth, buf)
					    : write_leaf(part, false, buf);
}

static int finish(int result, const struct ph_buf *buf)
{
	return result == 0 && buf->failed ? PH_E_LIMIT : result;
}

int build(const struct ph_mime_new_part *message, struct ph_buf *buf)
{
	return finish(write_part(message, true, 0, buf), buf);
}

int build_leaf(const struct ph_mime_new_part *part, struct ph_buf *buf)
{
	if (has_type(part, "multipart/") || has_type(part, "message/"))
		return PH_E_INVALID;
	int result = write_fields(part, false, buf);
	return finish(result == 0 ? write_leaf(part, true, buf) : result, buf);
}
