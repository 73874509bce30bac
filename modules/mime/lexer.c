/* Tokens of structured fields (RFC 5322, 3.2): white space, comments, quoted strings. */
#include "lexer.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0;
}

bool lexer_space(struct lexer *lexer)
{
	const char *begin = lexer->at;
	while (!lexer_ended(lexer) && is_space(*lexer->at))
		lexer->at++;
	return lexer->at > begin;
}

bool lexer_comment(struct lexer *lexer, struct ph_str *text_r)
{
	if (lexer_ended(lexer) || *lexer->at != '(' || lexer->open_comment)
		return false;
	size_t depth = 1;
	for (const char *at = lexer->at + 1; at < lexer->end; at++) {
		if (*at == '\\' && at + 1 < lexer->end)
			at++;
		else if (*at == '(')
			depth++;
		else if (*at == ')' && --depth == 0) {
			*text_r = ph_str_of(lexer->at + 1, (size_t)(at - lexer->at - 1));
			lexer->at = at + 1;
			return true;
		}
	}
	lexer->open_comment = true;
	return false;
}

void lexer_skip(struct lexer *lexer)
{
	struct ph_str comment;
	while (lexer_space(lexer) || lexer_comment(lexer, &comment))
		continue;
}

bool lexer_quoted(struct lexer *lexer, struct ph_str *text_r)
{
	if (lexer_ended(lexer) || *lexer->at != '"' || lexer->open_quote)
		return false;
	for (const char *at = lexer->at + 1; at < lexer->end; at++) {
		if (*at == '\\' && at + 1 < lexer->end) {
			at++;
		} else if (*at == '"') {
			*text_r = ph_str_of(lexer->at + 1, (size_t)(at - lexer->at - 1));
			lexer->at = at + 1;
			return true;
		}
	}
	lexer->open_quote = true;
	return false;
}

size_t lexer_unescape(struct ph_str text, char *out)
{
	size_t length = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (c == '\\' && i + 1 < text.len)
			c = text.data[++i];
		if (c != 0 && c != '\r' && c != '\n')
			out[length++] = c;
	}
	return length;
}
