/* The parts of a message as policies see them. The list is made when it is first asked for, bodies are read
 * when they are, and no more of them than was asked for. */
#include "object_part.h"

#include <stdio.h>

#include "binary.h"
#include "html.h"
#include "object.h"
#include "object_bytes.h"
#include "source.h"
#include "text.h"

enum { TEXT_GROWTH = 4 }; /* as text becomes UTF-8, at most */

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

static const struct part_object *readable_part(lua_State *L)
{
	const struct part_object *item = ph_lua_object(L, 1, &part_type);
	if (!item->message->source)
		luaL_error(L, "the text of this message is not at hand");
	ph_lua_check_parking(L);
	return item;
}

static int add_decoded(void *arg, struct ph_str piece)
{
	return object_bytes_add(arg, piece);
}

static int decoded_method(lua_State *L)
{
	const struct part_object *item = readable_part(L);
	struct object_bytes *bytes = object_bytes_new(L, 2, item->part->body_size);
	const struct ph_mime_sink sink = { add_decoded, bytes };
	const struct ph_mime_binary binary = { ph_mime_body_offset(item->part), item->part->body_size,
		item->part->encoding };
	int result = binary_write(&binary, item->message->source, 0, UINT64_MAX, &sink);
	ph_lua_waited(L);
	return object_bytes_push(L, bytes, false, result);
}

/* What a text is read with; freed by Lua, whatever happens. */
struct reader {
	struct object_bytes *bytes;
	struct ph_mime_text *text;
	struct ph_buf utf8;     /* of the piece that is read */
	struct ph_buf readable; /* of that, what HTML says */
	struct html html;
	bool is_html;
};

static int free_reader(lua_State *L)
{
	struct reader *reader = lua_touserdata(L, 1);
	ph_buf_free(&reader->utf8);
	ph_buf_free(&reader->readable);
	text_free(&reader->text);
	return 0;
}

static struct reader *reader_on_stack(lua_State *L, const struct ph_mime_part *part)
{
	struct object_bytes *bytes = object_bytes_new(L, 2, part->body_size * TEXT_GROWTH);
	struct reader *reader = lua_newuserdatauv(L, sizeof *reader, 0);
	*reader = (struct reader){ .bytes = bytes, .is_html = ph_mime_is(part, "text", "html") };
	ph_buf_init(&reader->utf8, SIZE_MAX);
	ph_buf_init(&reader->readable, SIZE_MAX);
	if (luaL_newmetatable(L, "posthorn.mime.reader")) {
		lua_pushcfunction(L, free_reader);
		lua_setfield(L, -2, "__gc");
		lua_pushcfunction(L, free_reader);
		lua_setfield(L, -2, "__close");
	}
	lua_setmetatable(L, -2);
	lua_toclose(L, -1);
	reader->text = text_new(part);
	return reader;
}

static int add_readable(struct reader *reader)
{
	struct ph_buf *text = &reader->utf8;
	if (reader->is_html) {
		text = &reader->readable;
		html_feed(&reader->html, ph_buf_str(&reader->utf8), text);
	}
	int enough = object_bytes_add(reader->bytes, ph_buf_str(text));
	ph_buf_reset(&reader->utf8);
	ph_buf_reset(&reader->readable);
	return enough;
}

static int add_encoded(void *arg, struct ph_str piece)
{
	struct reader *reader = arg;
	text_feed(reader->text, piece, &reader->utf8);
	return add_readable(reader);
}

static void finish_text(struct reader *reader)
{
	text_finish(reader->text, &reader->utf8);
	add_readable(reader);
	html_finish(&reader->html, &reader->readable);
	object_bytes_add(reader->bytes, ph_buf_str(&reader->readable));
}

static int text_method(lua_State *L)
{
	const struct part_object *item = readable_part(L);
	struct reader *reader = reader_on_stack(L, item->part);
	const struct ph_mime_sink sink = { add_encoded, reader };
	int result = source_copy(
		item->message->source, ph_mime_body_offset(item->part), item->part->body_size, &sink);
	if (result == 0)
		finish_text(reader);
	ph_lua_waited(L);
	return object_bytes_push(L, reader->bytes, true, result);
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
