/* The parts of a message as policies see them. The list is made when it is first asked for, bodies are read
 * when they are, and no more of them than was asked for. */
#include "object_part.h"

#include <stdio.h>

#include <posthorn/error.h>

#include "binary.h"
#include "html.h"
#include "object.h"
#include "source.h"
#include "text.h"

enum { TEXT_DEFAULT = 1024 * 1024, TEXT_MAX = 64 * 1024 * 1024 };

struct part_object {
	const struct ph_mime_object *message;
	const struct ph_mime_part *part;
	struct ph_str number;
	struct ph_str type;
};

struct ph_mime_part_list {
	struct part_object *items;
	size_t count;
};

/* --- the list --- */

static size_t count_leaves(const struct ph_mime_part *part)
{
	size_t count = 0;
	for (const struct ph_mime_part *child = part->children; child; child = child->next)
		count += count_leaves(child);
	return count + !ph_mime_is(part, "multipart", NULL);
}

/* A part's number as in IMAP (RFC 3501, 6.4.5); `prefix` is that of what it lies in, `is_message` tells that
 * it stands for a whole message. */
static bool add_leaves(
	struct ph_mime_object *object, const struct ph_mime_part *part, struct ph_str prefix, bool is_message)
{
	struct ph_pool *pool = object->pool;
	bool multipart = ph_mime_is(part, "multipart", NULL);
	if (!multipart) {
		struct part_object *item = &object->parts->items[object->parts->count++];
		struct ph_str number = is_message ? ph_pool_printf(pool, "%.*s%s1", PH_STR_ARGS(prefix),
							    prefix.len ? "." : "")
						  : prefix;
		*item = (struct part_object){ object, part, number,
			ph_pool_printf(
				pool, "%.*s/%.*s", PH_STR_ARGS(part->type), PH_STR_ARGS(part->subtype)) };
		prefix = number;
		if (!item->type.data)
			return false;
	}
	unsigned number = 0;
	for (const struct ph_mime_part *child = part->children; child; child = child->next) {
		struct ph_str inner = multipart ? ph_pool_printf(pool, "%.*s%s%u", PH_STR_ARGS(prefix),
							  prefix.len ? "." : "", ++number)
						: prefix;
		if (!inner.data || !add_leaves(object, child, inner, !multipart))
			return false;
	}
	return true;
}

static bool make_list(struct ph_mime_object *object)
{
	struct ph_mime_part_list *list = ph_pool_alloc(object->pool, sizeof *list);
	if (!list)
		return false;
	list->items = ph_pool_array(object->pool, count_leaves(object->message->root), sizeof *list->items);
	object->parts = list;
	if (list->items && add_leaves(object, object->message->root, PH_STR(""), true))
		return true;
	object->parts = NULL;
	return false;
}

int parts_method(lua_State *L)
{

	struct ph_mime_object *object = ph_lua_object(L, 1, &message_type);
	if (!object->pool || !object->message->root)
		return luaL_error(L, "the parts of this message are not at hand");
	if (!object->parts && !make_list(object))
		return luaL_error(L, "there is no memory for the list of parts");
	lua_createtable(L, (int)object->parts->count, 0);
	for (size_t i = 0; i < object->parts->count; i++) {
		ph_lua_push(L, &PH_VALUE_OBJECT(&part_type, &object->parts->items[i]));
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

const struct ph_mime_part *part_argument(lua_State *L, int index, const struct ph_mime_object *object)
{
	const struct part_object *item = ph_lua_object(L, index, &part_type);
	luaL_argcheck(L, item->message == object, index, "a part of another message");
	return item->part;
}

/* --- fields --- */

static void give_text(struct ph_str text, struct ph_value *value_r)
{
	if (text.len > 0)
		*value_r = PH_VALUE_STR(text);
}

static void get_number(void *object, struct ph_value *value_r)
{
	give_text(((struct part_object *)object)->number, value_r);
}

static void get_type(void *object, struct ph_value *value_r)
{
	give_text(((struct part_object *)object)->type, value_r);
}

static void get_charset(void *object, struct ph_value *value_r)
{
	give_text(((struct part_object *)object)->part->charset, value_r);
}

static void get_filename(void *object, struct ph_value *value_r)
{
	give_text(((struct part_object *)object)->part->filename, value_r);
}

static void get_disposition(void *object, struct ph_value *value_r)
{
	give_text(((struct part_object *)object)->part->disposition, value_r);
}

static void get_size(void *object, struct ph_value *value_r)
{
	*value_r = PH_VALUE_INT(((struct part_object *)object)->part->body_size);
}

static const struct ph_object_field fields[] = {
	{ "number", PH_STRING, get_number, "its number as in IMAP: \"1.2\"" },
	{ "type", PH_STRING, get_type, "its media type: \"text/plain\"" },
	{ "charset", PH_STRING, get_charset, "the charset of a text" },
	{ "filename", PH_STRING, get_filename, "its file name, decoded" },
	{ "disposition", PH_STRING, get_disposition, "\"inline\", \"attachment\"" },
	{ "size", PH_INTEGER, get_size, "bytes of its body, encoded as they are" },
	{ 0 },
};

/* --- bodies --- */

/* What is read of a body; freed by Lua, whatever happens. */
struct body {
	struct ph_buf bytes; /* decoded, or the text */
	struct ph_buf piece; /* of the text, as UTF-8 */
	struct ph_mime_text *text;
	struct html html;
	bool is_html;
	size_t max;
};

static int free_body(lua_State *L)
{
	struct body *body = lua_touserdata(L, 1);
	ph_buf_free(&body->bytes);
	ph_buf_free(&body->piece);
	text_free(&body->text);
	return 0;
}

static struct body *body_on_stack(lua_State *L)
{
	lua_Integer max = luaL_optinteger(L, 2, TEXT_DEFAULT);
	luaL_argcheck(L, max >= 0 && max <= TEXT_MAX, 2, "out of range");
	struct body *body = lua_newuserdatauv(L, sizeof *body, 0);
	*body = (struct body){ .max = (size_t)max };
	ph_buf_init(&body->bytes, SIZE_MAX);
	ph_buf_init(&body->piece, SIZE_MAX);
	if (luaL_newmetatable(L, "posthorn.mime.body")) {
		lua_pushcfunction(L, free_body);
		lua_setfield(L, -2, "__gc");
		lua_pushcfunction(L, free_body);
		lua_setfield(L, -2, "__close");
	}
	lua_setmetatable(L, -2);
	lua_toclose(L, -1);
	return body;
}

/* One more than asked for tells that there is more. */
static int add_decoded(void *arg, struct ph_str piece)
{
	struct body *body = arg;
	ph_buf_add_str(&body->bytes, ph_str_slice(piece, 0, body->max + 1 - body->bytes.len));
	return body->bytes.len > body->max;
}

static void add_text(struct body *body)
{
	if (body->is_html)
		html_feed(&body->html, ph_buf_str(&body->piece), &body->bytes);
	else
		ph_buf_add_str(&body->bytes, ph_buf_str(&body->piece));
	body->piece.len = 0;
}

static int add_encoded(void *arg, struct ph_str piece)
{
	struct body *body = arg;
	text_feed(body->text, piece, &body->piece);
	add_text(body);
	return body->bytes.len > body->max;
}

/* Cut where a character begins. */
static int push_body(lua_State *L, struct body *body, bool is_text, int result)
{
	struct ph_str bytes = ph_buf_str(&body->bytes);
	bool is_cut = bytes.len > body->max;
	if (is_cut) {
		bytes.len = body->max;
		while (is_text && bytes.len > 0 && ((unsigned char)bytes.data[bytes.len] & 0xC0) == 0x80)
			bytes.len--;
	}
	if (result < 0)
		return luaL_error(L, "the message cannot be read (%s)", ph_code_name(result));
	ph_lua_push_str(L, bytes);
	lua_pushboolean(L, is_cut);
	return 2;
}

static const struct part_object *readable_part(lua_State *L)
{
	const struct part_object *item = ph_lua_object(L, 1, &part_type);
	if (!item->message->source)
		luaL_error(L, "the text of this message is not at hand");
	ph_lua_check_parking(L);
	return item;
}

static int decoded_method(lua_State *L)
{
	const struct part_object *item = readable_part(L);
	struct body *body = body_on_stack(L);
	const struct ph_mime_sink sink = { add_decoded, body };
	const struct ph_mime_binary binary = { ph_mime_body_offset(item->part), item->part->body_size,
		item->part->encoding };
	int result = binary_write(&binary, item->message->source, 0, UINT64_MAX, &sink);
	ph_lua_waited(L);
	return push_body(L, body, false, result);
}

static int text_method(lua_State *L)
{
	const struct part_object *item = readable_part(L);
	struct body *body = body_on_stack(L);
	const struct ph_mime_sink sink = { add_encoded, body };
	body->text = text_new(item->part);
	body->is_html = ph_mime_is(item->part, "text", "html");
	int result = source_copy(
		item->message->source, ph_mime_body_offset(item->part), item->part->body_size, &sink);
	if (result == 0 && body->bytes.len <= body->max) {
		text_finish(body->text, &body->piece);
		add_text(body);
		html_finish(&body->html, &body->bytes);
	}
	ph_lua_waited(L);
	return push_body(L, body, true, result);
}

static const struct ph_object_method methods[] = {
	{ "text", text_method, "text([max]) -> string, boolean",
		"its text in UTF-8, of HTML what it says; at most `max` bytes (a million), and whether there "
		"is more. May wait." },
	{ "decoded", decoded_method, "decoded([max]) -> string, boolean",
		"its bytes without transfer encoding; at most `max` (a million), and whether there are more. "
		"May wait." },
	{ 0 },
};

const struct ph_object_type part_type = {
	.name = "part",
	.help = "a part of a message that holds no others, or a message in it; a field it does not have is "
		"nil",
	.fields = fields,
	.methods = methods,
};
