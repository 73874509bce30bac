/* Address lists (RFC 5322, 3.4 and 4.4), read leniently as RFC 7103, 7.1 advises: whatever stands between two
 * commas becomes an entry if it holds anything at all.
 *
 *   name <local@domain>    local@domain (name)    name: local@domain, name <...>;
 * <@route,@route:local@domain>
 *
 * One entry is read from left to right. Its words are gathered as the text of a display name; when no "<"
 * comes, the same words turn out to be the address. */
#include "addresses.h"

#include "lexer.h"

struct reader {
	struct lexer lexer;
	struct ph_mime_address *list;
	size_t count;
	size_t max; /* one more fits: the end of a group */
	bool in_group;
	bool after_angle; /* words behind ">" are junk */
	/* Texts are written one behind the other; none gets longer than what it comes from. */
	char *out;
};

struct entry {
	struct ph_str text; /* all words, one space where there was white space */
	struct ph_str
		address; /* the words without white space, up to the end of the domain; valid if has_at */
	struct ph_str comment; /* the last one */
	size_t at;             /* of the "@" in `address` */
	bool has_at;
	bool has_words;
};

static bool add(struct reader *reader, const struct ph_mime_address *address)
{
	if (reader->count >= reader->max)
		return false;
	reader->list[reader->count++] = *address;
	return true;
}

static char peek(const struct reader *reader)
{
	return lexer_ended(&reader->lexer) ? 0 : *reader->lexer.at;
}

/* An encoded word in one piece, so that a comma in it does not end the entry. Returns its length, or 0. */
static size_t encoded_word_length(const struct lexer *lexer)
{
	enum { SEARCHED = 200, MARKS = 4 };
	const char *at = lexer->at;
	if (lexer->end - at < 2 || at[0] != '=' || at[1] != '?')
		return 0;
	int marks = 0;
	for (size_t i = 0; i < SEARCHED && at + i < lexer->end; i++) {
		if (at[i] == ' ' || at[i] == '\t' || at[i] == '\r' || at[i] == '\n' || at[i] == '"')
			return 0;
		marks += at[i] == '?';
		if (marks >= MARKS && at[i] == '?' && at + i + 1 < lexer->end && at[i + 1] == '=')
			return i + 2;
	}
	return 0;
}

static bool is_word_end(char c)
{
	return c == 0 || c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '<' || c == '>' ||
	       c == ',' || c == ';' || c == ':' || c == '@' || c == '"' || c == '(' || c == '[';
}

/* Takes an atom, dots included. What is no character of an atom but has no meaning here either counts as one.
 */
static struct ph_str take_atom(struct lexer *lexer)
{
	const char *begin = lexer->at;
	size_t length = encoded_word_length(lexer);
	lexer->at += length ? length : 1;
	while (!lexer_ended(lexer) && !is_word_end(*lexer->at))
		lexer->at++;
	return ph_str_of(begin, (size_t)(lexer->at - begin));
}

/* Takes "[...]", in which everything but brackets stands for itself (RFC 5322, 3.4.1); or just the bracket.
 */
static struct ph_str take_literal(struct lexer *lexer)
{
	const char *begin = lexer->at++;
	for (size_t length = 1; length < ADDRESS_LITERAL_MAX && begin + length < lexer->end; length++) {
		if (begin[length] == ']')
			lexer->at = begin + length + 1;
		if (begin[length] == ']' || begin[length] == '[')
			break;
	}
	return ph_str_of(begin, (size_t)(lexer->at - begin));
}

/* A literal behind "@", without its white space. */
static void read_domain_literal(struct reader *reader)
{
	struct ph_str literal = take_literal(&reader->lexer);
	for (size_t i = 0; i < literal.len; i++)
		if ((unsigned char)literal.data[i] > ' ')
			*reader->out++ = literal.data[i];
}

/* The local part of <local@domain> behind an optional route; both may be missing. Takes the ">". */
static void read_angle(struct reader *reader, struct ph_mime_address *address)
{
	struct lexer *lexer = &reader->lexer;
	struct ph_str quoted, comment;
	char *begin = reader->out;
	char *at = NULL, *colon = NULL;
	bool route = false;
	while (!lexer_ended(lexer) && *lexer->at != '>') {
		char c = *lexer->at;
		/* A comma means something only in a route; elsewhere it says that ">" was forgotten. */
		if (c == ',' && !(route && !colon))
			break;
		if (lexer_space(lexer) || lexer_comment(lexer, &comment))
			continue;
		if (lexer_quoted(lexer, &quoted)) {
			reader->out += lexer_unescape(quoted, reader->out);
			continue;
		}
		if (c == '[' && reader->out > begin && reader->out[-1] == '@') {
			read_domain_literal(reader);
			continue;
		}
		lexer->at++;
		if (c == '"' || c == '<')
			continue;
		if (c == '@' && reader->out == begin)
			route = true;
		if (c == ':' && route && !colon) {
			colon = reader->out;
			at = NULL;
		} else if (c == '@' && !at && (!route || colon)) {
			at = reader->out;
		}
		*reader->out++ = c;
	}
	if (peek(reader) == '>')
		lexer->at++;
	if (colon)
		address->route = ph_str_of(begin, (size_t)(colon - begin));
	begin = colon ? colon + 1 : begin;
	if (!at && begin < reader->out && *begin == '@')
		at = begin;
	char *local_end = at ? at : reader->out;
	address->local = ph_str_of(begin, (size_t)(local_end - begin));
	if (at)
		address->domain = ph_str_of(at + 1, (size_t)(reader->out - at - 1));
}

/* Both texts of an entry are gathered at once, in two places: the display text and the words without spaces.
 */
struct gathering {
	char *text;
	size_t text_length;
	char *address;
	size_t address_length;
	bool space; /* before the next word */
	bool address_over;
};

static void gather(struct gathering *to, struct ph_str word, bool quoted)
{
	if (to->space && to->text_length > 0)
		to->text[to->text_length++] = ' ';
	size_t length = quoted ? lexer_unescape(word, to->text + to->text_length) : word.len;
	if (!quoted)
		memcpy(to->text + to->text_length, word.data, length);
	/* White space inside of an address is obsolete around dots and "@", and else parts two words: then
	 * what comes behind a complete domain is no longer part of it. */
	if (!to->address_over) {
		memcpy(to->address + to->address_length, to->text + to->text_length, length);
		to->address_length += length;
	}
	to->text_length += length;
	to->space = false;
}

/* Does white space between the words so far and the next end the domain? Not around its dots. */
static bool domain_ends(const struct gathering *gathered, const struct entry *entry, char next)
{
	if (!entry->has_at || !gathered->space || next == '.')
		return false;
	return gathered->address_length > entry->at + 1 &&
	       gathered->address[gathered->address_length - 1] != '.';
}

/* Reads words up to a character that decides what they were: "<", ",", ";", ":" or the end. */
static void read_words(struct reader *reader, char *spare, struct entry *entry_r)
{
	struct lexer *lexer = &reader->lexer;
	struct gathering gathered = { .text = reader->out, .address = spare };
	*entry_r = (struct entry){ 0 };
	while (!lexer_ended(lexer)) {
		char c = *lexer->at;
		struct ph_str word;
		if (c == '<' || c == ',' || c == ';' || (c == ':' && !entry_r->has_at && entry_r->has_words))
			break;
		if (lexer_space(lexer)) {
			gathered.space = true;
			continue;
		}
		if (lexer_comment(lexer, &entry_r->comment)) {
			gathered.space = true;
			continue;
		}
		gathered.address_over = gathered.address_over || domain_ends(&gathered, entry_r, c);
		if (c == '@' && !entry_r->has_at) {
			entry_r->has_at = true;
			entry_r->at = gathered.address_length;
		}
		if (lexer_quoted(lexer, &word)) {
			gather(&gathered, word, true);
		} else if (c == '"' || c == '>') {
			lexer->at++;
			continue;
		} else {
			gather(&gathered, c == '[' ? take_literal(lexer) : take_atom(lexer), false);
		}
		entry_r->has_words = true;
	}
	entry_r->text = ph_str_of(gathered.text, gathered.text_length);
	entry_r->address = ph_str_of(gathered.address, gathered.address_length);
	reader->out += gathered.text_length;
}

/* The words were no name but the address itself; a comment beside it is the name. */
static void add_bare(struct reader *reader, const struct entry *entry)
{
	struct ph_mime_address address = { .kind = PH_MIME_MAILBOX };
	if (!entry->has_words || (reader->after_angle && !entry->has_at))
		return;
	/* The text is as long as the words without spaces, or longer: they take its place. */
	if (entry->has_at) {
		memcpy((char *)entry->text.data, entry->address.data, entry->address.len);
		address.local = ph_str_of(entry->text.data, entry->at);
		address.domain =
			ph_str_of(entry->text.data + entry->at + 1, entry->address.len - entry->at - 1);
	} else {
		address.local = entry->text;
	}
	if (entry->comment.len) {
		size_t length = lexer_unescape(ph_str_trim(entry->comment), reader->out);
		address.name = ph_str_of(reader->out, length);
		reader->out += length;
	}
	add(reader, &address);
}

static void end_group(struct reader *reader)
{
	if (reader->in_group)
		reader->list[reader->count++] = (struct ph_mime_address){ .kind = PH_MIME_GROUP_END };
	reader->in_group = false;
}

static void read_entry(struct reader *reader, char *spare)
{
	struct entry entry;
	read_words(reader, spare, &entry);
	char c = peek(reader);
	bool ended = lexer_ended(&reader->lexer);
	if (!ended)
		reader->lexer.at++;
	if (!ended && c == '<') {
		struct ph_mime_address address = { .kind = PH_MIME_MAILBOX, .name = entry.text };
		read_angle(reader, &address);
		add(reader, &address);
	} else if (!ended && c == ':') {
		end_group(reader);
		struct ph_mime_address group = { .kind = PH_MIME_GROUP_BEGIN, .name = entry.text };
		reader->in_group = add(reader, &group);
	} else {
		add_bare(reader, &entry);
		if (!ended && c == ';')
			end_group(reader);
	}
	reader->after_angle = !ended && c == '<';
}

/* Every entry is ended by one of these characters or the end, and a group adds its beginning and end. */
static size_t entries_at_most(struct ph_str value)
{
	size_t ends = 0;
	for (size_t i = 0; i < value.len; i++)
		ends += value.data[i] == ',' || value.data[i] == ';' || value.data[i] == ':' ||
			value.data[i] == '<';
	return 2 * ends + 3;
}

size_t addresses_parse(
	struct ph_str value, size_t max, struct ph_pool *pool, const struct ph_mime_address **addresses_r)
{
	size_t most = entries_at_most(value);
	struct reader reader = { .lexer = lexer_of(value), .max = most < max ? most : max };
	if (reader.max > 0)
		reader.max--;
	reader.list = ph_pool_array(pool, reader.max + 1, sizeof *reader.list);
	/* Twice: the texts, and one entry's words without spaces while it is read. */
	reader.out = ph_pool_alloc(pool, 2 * value.len + 2);
	*addresses_r = reader.list;
	if (!reader.list || !reader.out)
		return 0;
	char *spare = reader.out + value.len + 1;
	while (!lexer_ended(&reader.lexer) && reader.count < reader.max)
		read_entry(&reader, spare);
	end_group(&reader);
	return reader.count;
}
