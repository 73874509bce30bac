#ifndef MIME_LEXER_H
#define MIME_LEXER_H

#include <posthorn/mem.h>
#include <posthorn/str.h>

/* A position in the raw value of a structured field (RFC 5322, 3.2). */
struct lexer {
	const char *at;
	const char *end;
	/* Once a comment (a quoted string) has no end, there is none further on either that is worth the
	 * search: its opening character is then like any other. */
	bool open_comment;
	bool open_quote;
};

static inline struct lexer lexer_of(struct ph_str value)
{
	const char *begin = value.len ? value.data : "";
	return (struct lexer){ .at = begin, .end = begin + value.len };
}

static inline bool lexer_ended(const struct lexer *lexer)
{
	return lexer->at == lexer->end;
}

/* Takes white space and folds. True when there was any. */
bool lexer_space(struct lexer *lexer);
/* Takes a comment, and says what stands in it (views into the value, escapes and all); false at anything
 * else. */
bool lexer_comment(struct lexer *lexer, struct ph_str *text_r);
/* Takes white space and comments. */
void lexer_skip(struct lexer *lexer);
/* Takes a quoted string with its quotes, and says what stands in it, escapes and all; false at anything else.
 */
bool lexer_quoted(struct lexer *lexer, struct ph_str *text_r);
/* Writes text without the backslashes of quoted pairs, NULs and line ends. Returns its length there: never
 * longer. */
size_t lexer_unescape(struct ph_str text, char *out);

#endif
