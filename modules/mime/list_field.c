/* What mailing lists say of themselves: List-Id (RFC 2919), List-Unsubscribe, List-Post and their like
 * (RFC 2369). */
#include "list_field.h"

#include "header.h"
#include "lexer.h"

/* White space in brackets does not count: mail systems on the way put it there (RFC 2369, 2; RFC 2919, 3). */
static struct ph_str without_space(struct ph_str text, struct ph_pool *pool)
{
	char *out = ph_pool_alloc(pool, text.len + 1);
	size_t length = 0;
	if (!out)
		return (struct ph_str){ NULL, 0 };
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] > ' ')
			out[length++] = text.data[i];
	return ph_str_of(out, length);
}

/* Takes "<...>"; false at anything else. */
static bool take_brackets(struct lexer *lexer, struct ph_str *text_r)
{
	struct ph_str rest = ph_str_of(lexer->at, (size_t)(lexer->end - lexer->at));
	if (rest.len == 0 || *rest.data != '<')
		return false;
	ptrdiff_t close = ph_str_find(rest, '>');
	if (close < 0)
		return false;
	*text_r = ph_str_slice(rest, 1, (size_t)close);
	lexer->at += close + 1;
	return true;
}

/* Takes characters up to white space or a bracket, at least one. */
static struct ph_str take_word(struct lexer *lexer)
{
	const char *begin = lexer->at++;
	while (!lexer_ended(lexer) && (unsigned char)*lexer->at > ' ' && *lexer->at != '<')
		lexer->at++;
	return ph_str_of(begin, (size_t)(lexer->at - begin));
}

struct ph_str list_id(struct ph_str value, struct ph_pool *pool)
{
	struct lexer lexer = lexer_of(value);
	struct ph_str id = { NULL, 0 }, word = { NULL, 0 }, quoted;
	size_t words = 0;
	for (lexer_skip(&lexer); !lexer_ended(&lexer); lexer_skip(&lexer)) {
		if (take_brackets(&lexer, &id))
			continue;
		words++;
		if (!lexer_quoted(&lexer, &quoted))
			word = take_word(&lexer);
	}
	/* Many write no brackets. */
	if (!id.data && words == 1)
		id = word;
	return without_space(id, pool);
}

size_t list_urls(struct ph_str value, size_t max, struct ph_pool *pool, const struct ph_str **urls_r)
{
	/* Long ones come in encoded words, against RFC 2047, 5. */
	struct ph_str text = header_decode(value, pool), url;
	struct lexer lexer = lexer_of(text);
	size_t most = 1, count = 0;
	for (size_t i = 0; i < text.len; i++)
		most += text.data[i] == ',';
	struct ph_str *urls = ph_pool_array(pool, most < max ? most : max, sizeof *urls);
	*urls_r = urls;
	for (bool more = urls != NULL; more && count < max;) {
		lexer_skip(&lexer);
		if (!take_brackets(&lexer, &url) || (url = without_space(url, pool)).len == 0)
			break;
		urls[count++] = url;
		lexer_skip(&lexer);
		more = !lexer_ended(&lexer) && *lexer.at++ == ',';
	}
	return count;
}
