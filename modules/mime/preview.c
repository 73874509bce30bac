/* The first words of a message (RFC 8970), made while it is parsed, from the first text in it that is not an
 * attachment and says anything. Of that text a bounded beginning is gathered as it comes by; only when the
 * part has ended is it known which bytes are its own, and only then it is read. Lines quoted from another
 * message, and what stands below the signature mark, are no help to a reader and left out if anything else
 * is there. */
#include "preview.h"

#include "html.h"
#include "text.h"
#include "utf8.h"

enum {
	PLAIN_MAX = 8 * 1024, /* bytes looked at */
	HTML_MAX = 64 * 1024, /* style sheets come first */
	SLICE = 1024,
	ENOUGH = 1200,   /* bytes of readable text that hold a preview */
	CHARACTERS = 200 /* RFC 8970, 3.3 */
};

void preview_init(struct preview *preview)
{
	ph_buf_init(&preview->bytes, HTML_MAX);
}

void preview_free(struct preview *preview)
{
	ph_buf_free(&preview->bytes);
}

void preview_begin(struct preview *preview, const struct ph_mime_part *part)
{
	bool is_plain = ph_mime_is(part, "text", "plain");
	if (preview->text.len > 0 || !(is_plain || ph_mime_is(part, "text", "html")) ||
		ph_str_eq(part->disposition, PH_STR("attachment")))
		return;
	preview->part = part;
	preview->is_taking = true;
	preview->bytes.len = 0;
	preview->bytes.ceiling = is_plain ? PLAIN_MAX : HTML_MAX;
}

void preview_gather(struct preview *preview, const char *bytes, size_t length)
{
	size_t room = preview->bytes.ceiling - preview->bytes.len;
	if (length >= room) {
		length = room;
		preview->is_taking = false;
	}
	ph_buf_add(&preview->bytes, bytes, length);
}

/* Enough of the text as UTF-8, of HTML what it says. */
static void read_text(const struct ph_mime_part *part, struct ph_str bytes, struct ph_buf *readable)
{
	struct html html = { 0 };
	struct ph_buf converted;
	struct ph_mime_text *text = text_new(part);
	bool is_html = ph_mime_is(part, "text", "html");
	ph_buf_init(&converted, SIZE_MAX);
	for (size_t at = 0; at < bytes.len && readable->len < ENOUGH; at += SLICE) {
		converted.len = 0;
		text_feed(text, ph_str_slice(bytes, at, at + SLICE), is_html ? &converted : readable);
		if (is_html)
			html_feed(&html, ph_buf_str(&converted), readable);
		if (at + SLICE >= bytes.len && !is_html)
			text_finish(text, readable);
	}
	ph_buf_free(&converted);
	text_free(&text);
}

static bool is_quoted(struct ph_str line)
{
	return line.len > 0 && line.data[0] == '>';
}

struct words {
	char bytes[CHARACTERS * UTF8_MAX];
	size_t length;
	size_t characters;
};

static size_t room_of(const struct words *words)
{
	return CHARACTERS - words->characters;
}

static void add(struct words *words, const char *bytes, size_t length, size_t characters)
{
	memcpy(words->bytes + words->length, bytes, length);
	words->length += length;
	words->characters += characters;
}

/* How many characters at the beginning of the text are printable ASCII, each of one byte. */
static size_t plain_length(struct ph_str text, size_t max)
{
	size_t length = 0;
	while (length < text.len && length < max && text.data[length] > ' ' && text.data[length] < 0x7F)
		length++;
	return length;
}

/* The length of what parts words at the beginning of the text: white space, also U+A0, controls, and what is
 * no UTF-8. 0: a character stands there, of character_length_r bytes. */
static size_t gap_length(struct ph_str text, size_t *character_length_r)
{
	uint32_t character = (unsigned char)text.data[0];
	int length = character < 0x80 ? 1 : utf8_next(text.data, text.len, &character);
	*character_length_r = length > 0 ? (size_t)length : 1;
	bool is_gap = character <= ' ' || character == 0x7F || character == 0xA0 || length <= 0;
	return is_gap ? *character_length_r : 0;
}

/* Adds the words of a line, as far as they fit. */
static void add_line(struct ph_str line, struct words *words)
{
	bool parted = words->length > 0;
	size_t length;
	for (size_t at = 0; at < line.len && room_of(words) > 0; at += length) {
		struct ph_str rest = ph_str_slice(line, at, line.len);
		if (gap_length(rest, &length) > 0) {
			parted = words->length > 0;
			continue;
		}
		if (parted)
			add(words, " ", 1, 1);
		parted = false;
		size_t plain = plain_length(rest, room_of(words));
		if (plain > 0)
			length = plain;
		if (room_of(words) > 0)
			add(words, rest.data, length, plain > 0 ? plain : 1);
	}
}

static struct ph_str make(struct ph_str text, bool with_quotes, struct ph_pool *pool)
{
	struct words words;
	struct ph_str line;
	words.length = words.characters = 0;
	while (words.characters < CHARACTERS && ph_str_split(&text, '\n', &line)) {
		if (line.len > 0 && line.data[line.len - 1] == '\r')
			line.len--;
		if (ph_str_eq(line, PH_STR("-- ")))
			break;
		if (with_quotes || !is_quoted(line))
			add_line(line, &words);
	}
	return ph_pool_str(pool, ph_str_trim(ph_str_of(words.bytes, words.length)));
}

void preview_end(struct preview *preview, const struct ph_mime_part *part, struct ph_pool *pool)
{
	if (part != preview->part)
		return;
	struct ph_buf readable;
	struct ph_str bytes = ph_str_slice(ph_buf_str(&preview->bytes), 0, (size_t)part->body_size);
	ph_buf_init(&readable, SIZE_MAX);
	read_text(part, bytes, &readable);
	preview->text = make(ph_buf_str(&readable), false, pool);
	if (preview->text.len == 0)
		preview->text = make(ph_buf_str(&readable), true, pool);
	preview->part = NULL;
	preview->is_taking = false;
	ph_buf_free(&readable);
}
