/* Reads the pieces of a command out of a buffer that holds all of it: its lines with their CRLF between, and
 * the bytes of its literals behind their "{n}" CRLF. Pure: no input or output, nothing is copied but quoted
 * strings with escapes and decoded names.
 *
 * Each function takes one thing off the front and returns true; or it returns false, moves nothing of worth,
 * and leaves in `error` what was expected. The first error stays. */
#ifndef IMAP_PARSE_H
#define IMAP_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include <posthorn/mem.h>
#include <posthorn/store.h>
#include <posthorn/str.h>

#define TAG_MAX 128

struct parser {
	const char *at;
	const char *end;
	struct ph_pool *pool;
	const char *error; /* for the client; or NULL */
	bool cannot;       /* well formed, but never possible here: NO [CANNOT], not BAD */
	bool exhausted;    /* the pool's ceiling was met */
};

struct date_time {
	int64_t seconds; /* since 1970, UTC */
	int32_t zone;    /* minutes east */
};

/* How a line that ends in a literal's header goes on. */
struct literal_header {
	uint64_t size;
	bool synchronising; /* the client waits for "+" */
};

void parser_init(struct parser *parser, struct ph_str text, struct ph_pool *pool);
struct ph_str parser_rest(const struct parser *parser);
/* Sets the error unless there is one; returns false. */
bool parse_failed(struct parser *parser, const char *error);
/* A pool allocation that counts as a parse error when the pool is exhausted. */
void *parse_alloc(struct parser *parser, size_t count, size_t size);

bool is_atom_char(char c);
bool is_astring_char(char c);

bool parse_at_end(const struct parser *parser);
/* Nothing may follow. */
bool parse_end(struct parser *parser);
/* Looks at the next byte; 0 at the end. */
char parse_look(const struct parser *parser);
bool parse_space(struct parser *parser);
bool parse_char(struct parser *parser, char c);
/* Takes the byte if it is next; sets no error. */
bool parse_skip(struct parser *parser, char c);
/* Takes the word, whatever its case, if it is next and ends there; sets no error. */
bool parse_word(struct parser *parser, const char *word);
bool parse_tag(struct parser *parser, struct ph_str *tag_r);
bool parse_atom(struct parser *parser, struct ph_str *atom_r);
bool parse_string(struct parser *parser, struct ph_str *string_r);
bool parse_astring(struct parser *parser, struct ph_str *string_r);
/* NIL gives { NULL, 0 }. */
bool parse_nstring(struct parser *parser, struct ph_str *string_r);
bool parse_number(struct parser *parser, uint32_t *number_r);
bool parse_nz_number(struct parser *parser, uint32_t *number_r);
/* A mailbox's name, as UTF-8; INBOX in upper case. */
bool parse_mailbox(struct parser *parser, struct ph_str *name_r);
/* The pattern of LIST, as UTF-8. One that is no modified UTF-7 matches nothing: then *pattern_r has no data.
 */
bool parse_list_mailbox(struct parser *parser, struct ph_str *pattern_r);
/* With parentheses: `bare` allows a list without. \Recent is passed over, unknown system flags are an error.
 */
bool parse_flag_list(struct parser *parser, bool bare, struct ph_flag_list *flags_r);
/* A keyword alone. */
bool parse_keyword(struct parser *parser, struct ph_str *keyword_r);
/* Days since 1970-01-01. */
bool parse_date(struct parser *parser, int64_t *day_r);
bool parse_date_time(struct parser *parser, struct date_time *date_r);
/* "{n}" or "{n+}" at the end of the line: false when there is none. */
bool parse_literal_header(struct ph_str line, struct literal_header *header_r);

#endif
