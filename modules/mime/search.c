/* Looking for a string in text that comes in pieces: Knuth, Morris and Pratt over folded characters, so that
 * no text is looked at twice, none is kept, and hostile needles cost no more than others. */
#include "search.h"

#include <stdlib.h>

#include "header.h"
#include "html.h"
#include "source.h"
#include "text.h"
#include "utf8.h"

struct ph_mime_search {
	uint32_t *needle; /* folded */
	size_t *fallback; /* how much of the needle still matches when the character behind this much does not
			   */
	size_t length;
	size_t matched;
	bool after_space;
	bool found;
	char held[4]; /* the beginning of a character */
	size_t held_count;
};

/* A run of white space is one space. Returns false for what adds nothing. */
static bool fold_next(uint32_t character, bool *after_space, uint32_t *folded_r)
{
	bool space = character == ' ' || (character >= '\t' && character <= '\r') || character == 0xA0;
	bool repeated = space && *after_space;
	*after_space = space;
	*folded_r = space ? ' ' : utf8_fold(character);
	return !repeated;
}

static void set_needle(struct ph_mime_search *search, struct ph_str needle)
{
	bool after_space = false;
	while (needle.len > 0) {
		uint32_t character = 0xFFFD;
		int length = utf8_next(needle.data, needle.len, &character);
		needle = ph_str_slice(needle, length > 0 ? (size_t)length : 1, needle.len);
		if (fold_next(character, &after_space, &search->needle[search->length]))
			search->length++;
	}
	for (size_t i = 1, matched = 0; i < search->length; i++) {
		while (matched > 0 && search->needle[i] != search->needle[matched])
			matched = search->fallback[matched];
		matched += search->needle[i] == search->needle[matched];
		search->fallback[i + 1] = matched;
	}
}

void search_reset(struct ph_mime_search *search)
{
	search->matched = 0;
	search->held_count = 0;
	search->after_space = false;
	search->found = search->length == 0;
}

struct ph_mime_search *search_new(struct ph_str needle)
{
	struct ph_mime_search *search = ph_alloc(sizeof *search);
	search->needle = ph_alloc_array(needle.len + 1, sizeof *search->needle);
	search->fallback = ph_alloc_array(needle.len + 2, sizeof *search->fallback);
	set_needle(search, needle);
	search_reset(search);
	return search;
}

void search_free(struct ph_mime_search **search)
{
	if (!*search)
		return;
	free((*search)->needle);
	free((*search)->fallback);
	free(*search);
	*search = NULL;
}

static void match(struct ph_mime_search *search, uint32_t character)
{
	uint32_t folded;
	if (!fold_next(character, &search->after_space, &folded))
		return;
	while (search->matched > 0 && folded != search->needle[search->matched])
		search->matched = search->fallback[search->matched];
	search->matched += folded == search->needle[search->matched];
	search->found = search->matched == search->length;
}

/* Matches whole characters; returns how many bytes were used. */
static size_t match_text(struct ph_mime_search *search, struct ph_str text)
{
	size_t at = 0;
	while (at < text.len && !search->found) {
		uint32_t character = 0xFFFD;
		int length = utf8_next(text.data + at, text.len - at, &character);
		if (length == 0)
			break;
		at += length > 0 ? (size_t)length : 1;
		match(search, length > 0 ? character : 0xFFFD);
	}
	return at;
}

bool search_feed(struct ph_mime_search *search, struct ph_str piece)
{
	size_t taken = 0;
	while (search->held_count > 0 && taken < piece.len && !search->found) {
		search->held[search->held_count++] = piece.data[taken++];
		size_t used = match_text(search, ph_str_of(search->held, search->held_count));
		search->held_count -= used;
		memmove(search->held, search->held + used, search->held_count);
	}
	if (search->found)
		return true;
	taken += match_text(search, ph_str_slice(piece, taken, piece.len));
	if (!search->found && taken < piece.len) {
		memcpy(search->held, piece.data + taken, piece.len - taken);
		search->held_count = piece.len - taken;
	}
	return search->found;
}

bool text_contains(struct ph_str text, struct ph_str needle)
{
	struct ph_mime_search *search = search_new(needle);
	bool found = search_feed(search, text);
	search_free(&search);
	return found;
}

/* --- a whole message --- */

enum { HEADER_SEARCHED_MAX = 2 * 1024 * 1024 };

static int add_header_bytes(void *arg, struct ph_str piece)
{
	return ph_buf_add_str(arg, piece) ? 0 : 1;
}

/* Each field by itself, as it is shown: "Name: decoded value". */
static int search_header(
	struct ph_mime_search *search, const struct ph_mime_part *part, const struct ph_mime_source *source)
{
	struct ph_buf bytes;
	struct ph_mime_field field;
	struct ph_pool *pool = ph_pool_new(0);
	ph_buf_init(&bytes, HEADER_SEARCHED_MAX);
	const struct ph_mime_sink sink = { add_header_bytes, &bytes };
	int result = source_copy(source, part->header_offset, part->header_size, &sink);
	struct ph_str header = ph_buf_str(&bytes);
	while (result == 0 && !search->found && header_next(&header, &field)) {
		search_reset(search);
		search_feed(search, field.name);
		search_feed(search, PH_STR(": "));
		search_feed(search, header_decode(field.value, pool));
		ph_pool_clear(pool);
	}
	ph_pool_free(&pool);
	ph_buf_free(&bytes);
	return result < 0 ? result : search->found;
}

/* The text of a part as a reader sees it: of HTML what it says. */
struct text_search {
	struct ph_mime_search *search;
	struct ph_mime_text *text;
	bool is_html;
	struct html html;
	struct ph_buf converted;
	struct ph_buf readable;
};

static bool search_converted(struct text_search *state)
{
	if (!state->is_html)
		return search_feed(state->search, ph_buf_str(&state->converted));
	state->readable.len = 0;
	html_feed(&state->html, ph_buf_str(&state->converted), &state->readable);
	return search_feed(state->search, ph_buf_str(&state->readable));
}

static int search_piece(void *arg, struct ph_str piece)
{
	struct text_search *state = arg;
	state->converted.len = 0;
	text_feed(state->text, piece, &state->converted);
	return search_converted(state) ? 1 : 0;
}

static int search_text(
	struct ph_mime_search *search, const struct ph_mime_part *part, const struct ph_mime_source *source)
{
	struct text_search state = {
		.search = search, .text = text_new(part), .is_html = ph_mime_is(part, "text", "html")
	};
	const struct ph_mime_sink sink = { search_piece, &state };
	ph_buf_init(&state.converted, SIZE_MAX);
	ph_buf_init(&state.readable, SIZE_MAX);
	search_reset(search);
	int result = source_copy(source, ph_mime_body_offset(part), part->body_size, &sink);
	if (result == 0 && !search->found) {
		state.converted.len = 0;
		text_finish(state.text, &state.converted);
		search_converted(&state);
	}
	ph_buf_free(&state.converted);
	ph_buf_free(&state.readable);
	text_free(&state.text);
	return result < 0 ? result : search->found;
}

/* `headers`: of this part too. The header of a message in a message is part of the outer one's body. */
static int search_part(struct ph_mime_search *search, const struct ph_mime_part *part,
	const struct ph_mime_source *source, bool headers)
{
	int result = 0;
	if (headers || (part->parent && ph_mime_is(part->parent, "message", NULL)))
		result = search_header(search, part, source);
	if (result == 0 && ph_mime_is(part, "text", NULL))
		result = search_text(search, part, source);
	for (const struct ph_mime_part *child = part->children; child && result == 0; child = child->next)
		result = search_part(search, child, source, headers);
	return result;
}

int message_contains(const struct ph_mime_message *message, const struct ph_mime_source *source,
	struct ph_str needle, bool headers)
{
	struct ph_mime_search *search = search_new(needle);
	int result = search->found ? 1 : search_part(search, message->root, source, headers);
	search_free(&search);
	return result;
}
