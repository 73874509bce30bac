/* Writing header fields: folded (RFC 5322, 2.2.3) so that lines have at most 78 characters where words let
 * them, in ASCII by encoded words (RFC 2047) and encoded parameters (RFC 2231). */
#include <config.h>

#include "build_field.h"

#include <stdio.h>

#include <posthorn/error.h>

#include "addresses.h"
#include "encode.h"
#include "utf8.h"

enum {
	LINE_WANTED = 78,
	WORD_MAX = 900,       /* with what is written before it, below the 998 a line may have */
	NAME_MAX_LENGTH = 70, /* of a field */
	ENCODED_WORD_MAX = 75,
	PLAIN_WORD_MAX = 70, /* longer ones are better encoded, so that they can be broken */
	SPACES_MAX = 20,     /* likewise */
	PARAM_LINE = 50,     /* of a parameter's value, before it is continued */
	PARAM_MAX = 1000
};

/* --- folding --- */

static bool is_field_name(struct ph_str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.data[i] <= ' ' || name.data[i] > '~' || name.data[i] == ':')
			return false;
	return name.len > 0 && name.len <= NAME_MAX_LENGTH;
}

struct folding fold_begin(struct ph_buf *buf, struct ph_str name)
{
	ph_buf_add_str(buf, name);
	ph_buf_add_char(buf, ':');
	return (struct folding){ buf, name.len + 1, is_field_name(name) ? 0 : PH_E_INVALID };
}

void fold_word(struct folding *folding, size_t spaces, struct ph_str word)
{
	if (word.len > WORD_MAX)
		folding->result = PH_E_INVALID;
	if (spaces > 0 && folding->column + spaces + word.len > LINE_WANTED) {
		ph_buf_add_text(folding->buf, "\r\n");
		folding->column = 0;
	}
	folding->column += spaces + word.len;
	while (spaces-- > 0)
		ph_buf_add_char(folding->buf, ' ');
	ph_buf_add_str(folding->buf, word);
}

int fold_end(struct folding *folding)
{
	ph_buf_add_text(folding->buf, "\r\n");
	if (folding->result == 0 && folding->buf->failed)
		return PH_E_LIMIT;
	return folding->result;
}

/* Takes a word with the spaces before it off the front of the text. */
static bool next_word(struct ph_str *text, size_t *spaces_r, struct ph_str *word_r)
{
	size_t begin = 0;
	while (begin < text->len && text->data[begin] == ' ')
		begin++;
	ptrdiff_t length = ph_str_find(ph_str_slice(*text, begin, text->len), ' ');
	size_t end = length < 0 ? text->len : begin + (size_t)length;
	*spaces_r = begin;
	*word_r = ph_str_slice(*text, begin, end);
	*text = ph_str_slice(*text, end, text->len);
	return word_r->len > 0;
}

void fold_words(struct folding *folding, struct ph_str text)
{
	struct ph_str word;
	size_t spaces;
	for (bool first = true; next_word(&text, &spaces, &word); first = false)
		fold_word(folding, first ? 1 : spaces, word);
}

/* --- texts --- */

/* Valid UTF-8 in one line, without white space at its ends. */
static struct ph_str clean(struct ph_str text, struct ph_pool *pool)
{
	struct ph_buf buf;
	ph_buf_init(&buf, 3 * text.len);
	utf8_add_all(&buf, text);
	for (size_t i = 0; i < buf.len; i++)
		if ((unsigned char)buf.data[i] < ' ' || buf.data[i] == 127)
			buf.data[i] = ' ';
	struct ph_str copy = ph_pool_str(pool, ph_str_trim(ph_buf_str(&buf)));
	ph_buf_free(&buf);
	return copy;
}

static bool contains(struct ph_str text, const char *mark)
{
	return text.len > 0 && memmem(text.data, text.len, mark, strlen(mark));
}

/* What stands for itself in the Q encoding, wherever an encoded word may be (RFC 2047, 5). */
static bool is_q_letter(char c)
{
	return ph_is_alpha(c) || ph_is_digit(c) || memchr("!*+-/", c, 5);
}

static size_t q_length(struct ph_str text)
{
	size_t length = 0;
	for (size_t i = 0; i < text.len; i++)
		length += is_q_letter(text.data[i]) || text.data[i] == ' ' ? 1 : 3;
	return length;
}

static void add_q(struct ph_str text, struct ph_buf *buf)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (c == ' ')
			ph_buf_add_char(buf, '_');
		else if (is_q_letter(c))
			ph_buf_add_char(buf, c);
		else
			ph_buf_printf(buf, "=%02X", (unsigned char)c);
	}
}

/* As much of the text, in whole characters, as an encoded word has room for. */
static struct ph_str encodable(struct ph_str text, bool is_q, size_t room)
{
	size_t length = 0, encoded = 0;
	uint32_t character;
	while (length < text.len) {
		int size = utf8_next(text.data + length, text.len - length, &character);
		size_t next = length + (size_t)(size > 0 ? size : 1);
		encoded = is_q ? encoded + q_length(ph_str_slice(text, length, next)) : (next + 2) / 3 * 4;
		if (encoded > room)
			break;
		length = next;
	}
	return ph_str_slice(text, 0, length);
}

/* Encoded words one behind the other, each on its own line but for the first. */
static void fold_encoded(struct folding *folding, size_t spaces, struct ph_str text)
{
	static const size_t around = sizeof "=?utf-8?q?"
					    "?=" -
				     1;
	bool is_q = q_length(text) <= (text.len + 2) / 3 * 4;
	while (text.len > 0) {
		size_t room = ENCODED_WORD_MAX - around;
		size_t rest =
			folding->column + spaces < LINE_WANTED ? LINE_WANTED - folding->column - spaces : 0;
		/* The first one uses what is left of the line, if that is worth it. */
		if (rest > around + 20 && rest - around < room)
			room = rest - around;
		struct ph_str piece = encodable(text, is_q, room);
		struct ph_buf word;
		ph_buf_init(&word, ENCODED_WORD_MAX);
		ph_buf_printf(&word, "=?utf-8?%c?", is_q ? 'q' : 'b');
		if (is_q)
			add_q(piece, &word);
		else
			encode_base64(piece, &word);
		ph_buf_add_text(&word, "?=");
		fold_word(folding, spaces, ph_buf_str(&word));
		ph_buf_free(&word);
		spaces = 1;
		text = ph_str_slice(text, piece.len, text.len);
	}
}

static bool must_encode(size_t spaces, struct ph_str word)
{
	return spaces > SPACES_MAX || word.len > PLAIN_WORD_MAX || !is_ascii(word) || contains(word, "=?");
}

/* Words from the first to the last that need it are encoded together, as white space between encoded words
 * is lost; those around them stay readable. */
static void fold_text(struct folding *folding, struct ph_str text)
{
	struct ph_str rest = text, word;
	size_t spaces, begin = text.len, begin_spaces = 0, end = 0;
	while (next_word(&rest, &spaces, &word)) {
		if (!must_encode(spaces, word))
			continue;
		if (begin == text.len) {
			begin = (size_t)(word.data - text.data);
			begin_spaces = spaces;
		}
		end = (size_t)(word.data - text.data) + word.len;
	}
	/* More spaces than a line should begin with are encoded with the word before them. */
	if (end > 0 && begin_spaces > SPACES_MAX) {
		begin = 0;
		begin_spaces = 0;
	}
	fold_words(folding, ph_str_slice(text, 0, begin - (end > 0 ? begin_spaces : 0)));
	if (end == 0)
		return;
	fold_encoded(folding, begin > 0 ? begin_spaces : 1, ph_str_slice(text, begin, end));
	rest = ph_str_slice(text, end, text.len);
	while (next_word(&rest, &spaces, &word))
		fold_word(folding, spaces, word);
}

/* --- addresses --- */

static bool is_atom(struct ph_str text, bool with_dots)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (c == '.' && with_dots && i > 0 && i + 1 < text.len && text.data[i - 1] != '.')
			continue;
		if ((c >= 0 && c <= ' ') || c == 127 || strchr("()<>[]:;@\\,.\"", c))
			return false;
	}
	return text.len > 0;
}

static void add_quoted(struct ph_str text, struct ph_buf *buf)
{
	ph_buf_add_char(buf, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '"' || text.data[i] == '\\')
			ph_buf_add_char(buf, '\\');
		ph_buf_add_char(buf, text.data[i]);
	}
	ph_buf_add_char(buf, '"');
}

static bool are_atoms(struct ph_str text)
{
	struct ph_str word;
	size_t spaces;
	bool first = true;
	while (next_word(&text, &spaces, &word)) {
		if (!is_atom(word, false) || spaces > (first ? 0 : 1))
			return false;
		first = false;
	}
	return !first;
}

/* A display name, or the name of a group. */
static void fold_name(struct folding *folding, struct ph_str name)
{
	if (!is_ascii(name) || contains(name, "=?") || name.len > PLAIN_WORD_MAX) {
		fold_encoded(folding, 1, name);
	} else if (are_atoms(name)) {
		fold_words(folding, name);
	} else {
		struct ph_buf word;
		ph_buf_init(&word, 2 * PLAIN_WORD_MAX + 2);
		add_quoted(name, &word);
		fold_word(folding, 1, ph_buf_str(&word));
		ph_buf_free(&word);
	}
}

/* What can be written between "[" and "]", or as a name. */
static bool is_domain(struct ph_str domain)
{
	if (domain.len > 2 && domain.len <= ADDRESS_LITERAL_MAX && domain.data[0] == '[' &&
		domain.data[domain.len - 1] == ']') {
		domain = ph_str_slice(domain, 1, domain.len - 1);
		for (size_t i = 0; i < domain.len; i++)
			if (domain.data[i] <= ' ' || domain.data[i] > '~' || strchr("[]\\", domain.data[i]))
				return false;
		return true;
	}
	return is_atom(domain, true);
}

static bool is_clean(struct ph_str text, struct ph_pool *pool)
{
	return ph_str_eq(text, clean(text, pool));
}

static void fold_mailbox(
	struct folding *folding, const struct ph_mime_address *address, bool last, struct ph_pool *pool)
{
	struct ph_buf word;
	struct ph_str name = clean(address->name, pool);
	bool is_plain = is_atom(address->local, true);
	bool angle = name.len > 0 || !is_plain || address->domain.len == 0;
	/* Readers do not agree on a quoted "@" where there is no other. */
	if (address->domain.len == 0 && ph_str_find(address->local, '@') >= 0)
		folding->result = PH_E_INVALID;
	if (address->local.len == 0 || (address->domain.len > 0 && !is_domain(address->domain)) ||
		!is_clean(address->local, pool) || !is_clean(address->domain, pool))
		folding->result = PH_E_INVALID;
	if (name.len > 0)
		fold_name(folding, name);
	ph_buf_init(&word, 2 * address->local.len + address->domain.len + 6);
	if (angle)
		ph_buf_add_char(&word, '<');
	if (is_plain)
		ph_buf_add_str(&word, address->local);
	else
		add_quoted(address->local, &word);
	if (address->domain.len > 0) {
		ph_buf_add_char(&word, '@');
		ph_buf_add_str(&word, address->domain);
	}
	ph_buf_add_text(&word, angle ? ">" : "");
	ph_buf_add_text(&word, last ? "" : ",");
	fold_word(folding, 1, ph_buf_str(&word));
	ph_buf_free(&word);
}

/* Nothing stands between a mailbox and what ends its list, and a comma between all others. */
static void fold_addresses(
	struct folding *folding, const struct ph_mime_address *list, size_t count, struct ph_pool *pool)
{
	for (size_t i = 0; i < count; i++) {
		bool last = i + 1 == count;
		switch (list[i].kind) {
		case PH_MIME_MAILBOX:
			fold_mailbox(folding, &list[i], last || list[i + 1].kind == PH_MIME_GROUP_END, pool);
			break;
		case PH_MIME_GROUP_BEGIN: {
			struct ph_str name = clean(list[i].name, pool);
			if (name.len > 0)
				fold_name(folding, name);
			else
				fold_word(folding, 1, PH_STR("\"\""));
			fold_word(folding, 0, PH_STR(":"));
			break;
		}
		default:
			fold_word(folding, 0, last ? PH_STR(";") : PH_STR(";,"));
		}
	}
}

/* --- parameters --- */

static bool is_token(struct ph_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] > '~' || strchr("()<>@,;:\\\"/[]?=*'%", text.data[i]))
			return false;
	return text.len > 0;
}

/* Values that every reader understands between quotes. */
static bool is_quotable(struct ph_str value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] < ' ' || value.data[i] > '~' || value.data[i] == '"' ||
			value.data[i] == '\\')
			return false;
	return value.len <= PARAM_LINE && value.len == ph_str_trim(value).len && !contains(value, "=?");
}

static void add_escaped(struct ph_str text, struct ph_buf *buf)
{
	for (size_t i = 0; i < text.len; i++) {
		if (ph_is_alpha(text.data[i]) || ph_is_digit(text.data[i]) || memchr(".-_", text.data[i], 3))
			ph_buf_add_char(buf, text.data[i]);
		else
			ph_buf_printf(buf, "%%%02X", (unsigned char)text.data[i]);
	}
}

/* RFC 2231, 4.1: name*0*=utf-8''...; name*1*=... */
static void fold_encoded_param(struct folding *folding, struct ph_str name, struct ph_str value)
{
	enum { PIECE = PARAM_LINE / 3 };
	for (unsigned number = 0; value.len > 0 || number == 0; number++) {
		struct ph_str piece = ph_str_slice(value, 0, PIECE);
		struct ph_buf word;
		value = ph_str_slice(value, piece.len, value.len);
		ph_buf_init(&word, NAME_MAX_LENGTH + 4 * PARAM_LINE);
		ph_buf_add_str(&word, name);
		if (number > 0 || value.len > 0)
			ph_buf_printf(&word, "*%u", number);
		ph_buf_add_text(&word, number == 0 ? "*=utf-8''" : "*=");
		add_escaped(piece, &word);
		fold_word(folding, 0, PH_STR(";"));
		fold_word(folding, 1, ph_buf_str(&word));
		ph_buf_free(&word);
	}
}

void fold_param(struct folding *folding, struct ph_str name, struct ph_str value)
{
	if (!is_token(name) || name.len > NAME_MAX_LENGTH || value.len > PARAM_MAX) {
		folding->result = PH_E_INVALID;
		return;
	}
	if (!is_quotable(value)) {
		fold_encoded_param(folding, name, value);
		return;
	}
	struct ph_buf word;
	const char *quote = is_token(value) ? "" : "\"";
	ph_buf_init(&word, NAME_MAX_LENGTH + 2 * PARAM_LINE);
	ph_buf_printf(&word, "%.*s=%s%.*s%s", PH_STR_ARGS(name), quote, PH_STR_ARGS(value), quote);
	fold_word(folding, 0, PH_STR(";"));
	fold_word(folding, 1, ph_buf_str(&word));
	ph_buf_free(&word);
}

/* --- fields --- */

int build_field(const struct ph_mime_new_field *field, struct ph_buf *buf)
{
	struct ph_pool *pool = ph_pool_new(0);
	struct folding folding = fold_begin(buf, field->name);
	if (field->kind == PH_MIME_NEW_ADDRESSES)
		fold_addresses(&folding, field->addresses, field->address_count, pool);
	else if (field->kind == PH_MIME_NEW_STRUCTURED)
		fold_words(&folding, clean(field->text, pool));
	else
		fold_text(&folding, clean(field->text, pool));
	ph_pool_free(&pool);
	return fold_end(&folding);
}
