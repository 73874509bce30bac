/* What THREAD=REFERENCES ties messages together by (RFC 5256, 3): message ids, brought to one form. */
#include "thread.h"

#include "lexer.h"

/* msg-id = "<" id-left "@" id-right ">". Takes the next valid one off the front of a list as message_ids()
 * makes it; what stands between the brackets. */
static bool next_id(struct ph_str *list, struct ph_str *id_r)
{
	while (ph_str_split(list, ' ', id_r)) {
		*id_r = ph_str_slice(*id_r, 1, id_r->len > 0 ? id_r->len - 1 : 0);
		ptrdiff_t at = ph_str_rfind(*id_r, '@');
		if (at > 0 && (size_t)at + 1 < id_r->len)
			return true;
	}
	return false;
}

/* Quotes around an id-left that needs none, and escapes in it, do not make another id. */
static struct ph_str normal_id(struct ph_str id, struct ph_pool *pool)
{
	struct ph_str quoted;
	struct lexer lexer = lexer_of(id);
	char *out = ph_pool_alloc(pool, id.len + 1);
	if (!out || !lexer_quoted(&lexer, &quoted))
		return ph_pool_str(pool, id);
	size_t length = lexer_unescape(quoted, out);
	size_t rest = (size_t)(lexer.end - lexer.at);
	memcpy(out + length, lexer.at, rest);
	return ph_str_of(out, length + rest);
}

static size_t count_ids(struct ph_str list)
{
	struct ph_str id;
	size_t count = 0;
	while (next_id(&list, &id))
		count++;
	return count;
}

size_t thread_ids(const struct ph_mime_message *message, size_t max, struct ph_pool *pool,
	struct ph_str *own_r, const struct ph_str **references_r)
{
	struct ph_str list = message->message_id, id;
	*own_r = next_id(&list, &id) ? normal_id(id, pool) : (struct ph_str){ NULL, 0 };
	list = message->references;
	size_t found = count_ids(list);
	if (found == 0) {
		list = message->in_reply_to;
		found = count_ids(list) > 0;
	}
	size_t skipped = found > max ? found - max : 0;
	struct ph_str *references = ph_pool_array(pool, found - skipped, sizeof *references);
	*references_r = references;
	size_t count = 0;
	for (size_t i = 0; references && i < found && next_id(&list, &id); i++)
		if (i >= skipped)
			references[count++] = normal_id(id, pool);
	return count;
}
