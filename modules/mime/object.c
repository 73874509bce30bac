/* What policies see of a message: the object `message` in Lua. */
#include "object.h"

#include <posthorn/lua.h>

#include "edit.h"
#include "header.h"
#include "list_field.h"
#include "object_bytes.h"
#include "object_edit.h"
#include "object_part.h"
#include "source.h"

enum { LIST_URLS_MAX = 100 };

static const struct ph_mime_message *message_of(void *object)
{
	return ((const struct ph_mime_object *)object)->message;
}

static void give_text(struct ph_str text, struct ph_value *value_r)
{
	if (text.len > 0)
		*value_r = PH_VALUE_STR(text);
}

static void get_size(void *object, struct ph_value *value_r)
{
	*value_r = PH_VALUE_INT(message_of(object)->size);
}

static void get_subject(void *object, struct ph_value *value_r)
{
	give_text(message_of(object)->subject, value_r);
}

static void get_from(void *object, struct ph_value *value_r)
{
	give_text(message_of(object)->from, value_r);
}

static void get_to(void *object, struct ph_value *value_r)
{
	give_text(message_of(object)->to, value_r);
}

static void get_message_id(void *object, struct ph_value *value_r)
{
	give_text(message_of(object)->message_id, value_r);
}

static void get_date(void *object, struct ph_value *value_r)
{
	if (message_of(object)->date.known)
		*value_r = PH_VALUE_INT(message_of(object)->date.time);
}

static void get_preview(void *object, struct ph_value *value_r)
{
	give_text(message_of(object)->preview, value_r);
}

static const struct ph_object_field fields[] = {
	{ "size", PH_INTEGER, get_size, "length in bytes" },
	{ "subject", PH_STRING, get_subject, "the Subject field, decoded" },
	{ "from", PH_STRING, get_from, "the From field, decoded" },
	{ "to", PH_STRING, get_to, "the To field, decoded" },
	{ "message_id", PH_STRING, get_message_id, "the Message-ID, with its angle brackets" },
	{ "date", PH_INTEGER, get_date, "the Date field in seconds since 1970" },
	{ "preview", PH_STRING, get_preview, "the first words of its text" },
	{ 0 },
};

static const struct ph_mime_object *message_argument(lua_State *L)
{
	return ph_lua_object(L, 1, &message_type);
}

/* The pool is given to Lua first, so that an error in between frees it too. */
static int free_pool(lua_State *L)
{
	ph_pool_free(lua_touserdata(L, 1));
	return 0;
}

static struct ph_pool *pool_on_stack(lua_State *L)
{
	struct ph_pool **pool = lua_newuserdatauv(L, sizeof *pool, 0);
	*pool = NULL;
	if (luaL_newmetatable(L, "posthorn.mime.pool")) {
		lua_pushcfunction(L, free_pool);
		lua_setfield(L, -2, "__gc");
		lua_pushcfunction(L, free_pool);
		lua_setfield(L, -2, "__close");
	}
	lua_setmetatable(L, -2);
	*pool = ph_pool_new(0);
	lua_toclose(L, -1);
	return *pool;
}

static bool find(lua_State *L, struct ph_mime_field *field_r)
{
	const struct ph_mime_object *object = message_argument(L);
	struct ph_str name = ph_lua_check_str(L, 2);
	size_t cursor = 0;
	while (edit_next_field(object, &cursor, field_r))
		if (ph_str_case_eq(field_r->name, name))
			return true;
	return false;
}

static int header_method(lua_State *L)
{
	struct ph_mime_field field;
	if (!find(L, &field))
		return 0;
	ph_lua_push_str(L, header_decode(field.value, pool_on_stack(L)));
	return 1;
}

static int raw_header_method(lua_State *L)
{
	struct ph_mime_field field;
	if (!find(L, &field))
		return 0;
	ph_lua_push_str(L, field.value);
	return 1;
}

static int headers_method(lua_State *L)
{
	const struct ph_mime_object *object = message_argument(L);
	struct ph_mime_field field;
	size_t cursor = 0;
	struct ph_pool *pool = pool_on_stack(L);
	lua_Integer count = 0;
	lua_newtable(L);
	while (edit_next_field(object, &cursor, &field)) {
		lua_createtable(L, 0, 2);
		ph_lua_push_str(L, field.name);
		lua_setfield(L, -2, "name");
		ph_lua_push_str(L, header_decode(field.value, pool));
		lua_setfield(L, -2, "value");
		lua_rawseti(L, -2, ++count);
		ph_pool_clear(pool);
	}
	return 1;
}

static int raw_headers_method(lua_State *L)
{
	const struct ph_mime_object *object = message_argument(L);
	struct ph_mime_field field;
	size_t cursor = 0;
	lua_Integer count = 0;
	lua_newtable(L);
	while (edit_next_field(object, &cursor, &field)) {
		ph_lua_push_str(L, field.raw);
		lua_rawseti(L, -2, ++count);
	}
	return 1;
}

static int add_bytes(void *arg, struct ph_str piece)
{
	return object_bytes_add(arg, piece);
}

static int raw_body_method(lua_State *L)
{
	const struct ph_mime_object *object = message_argument(L);
	if (!object->source || !object->message->root)
		return luaL_error(L, "the body of this message is not at hand");
	ph_lua_check_parking(L);
	const struct ph_mime_part *root = object->message->root;
	lua_Integer skipped = luaL_optinteger(L, 3, 0);
	luaL_argcheck(L, skipped >= 0, 3, "out of range");
	uint64_t from = (uint64_t)skipped < root->body_size ? (uint64_t)skipped : root->body_size;
	struct object_bytes *bytes = object_bytes_new(L, 2, root->body_size - from);
	const struct ph_mime_sink sink = { add_bytes, bytes };
	int result =
		source_copy(object->source, ph_mime_body_offset(root) + from, root->body_size - from, &sink);
	ph_lua_waited(L);
	return object_bytes_push(L, bytes, false, result);
}

static int list_id_method(lua_State *L)
{
	struct ph_mime_field field;
	lua_settop(L, 1);
	lua_pushliteral(L, "List-Id");
	if (!find(L, &field))
		return 0;
	struct ph_str id = list_id(field.value, pool_on_stack(L));
	if (id.len == 0)
		return 0;
	ph_lua_push_str(L, id);
	return 1;
}

static int list_urls_method(lua_State *L)
{
	struct ph_mime_field field;
	const struct ph_str *urls;
	bool found = find(L, &field);
	size_t count = found ? list_urls(field.value, LIST_URLS_MAX, pool_on_stack(L), &urls) : 0;
	lua_createtable(L, (int)count, 0);
	for (size_t i = 0; i < count; i++) {
		ph_lua_push_str(L, urls[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

static const struct ph_object_method methods[] = {
	{ "header", header_method, "header(name) -> string or nil",
		"the first such field, decoded to UTF-8" },
	{ "raw_header", raw_header_method, "raw_header(name) -> string or nil",
		"the first such field as it stands" },
	{ "headers", headers_method, "headers() -> list of { name, value }",
		"all fields in their order, decoded" },
	{ "raw_headers", raw_headers_method, "raw_headers() -> list of string",
		"all fields in their order as they stand, each with its name, folds and line end: for "
		"signatures" },
	{ "raw_body", raw_body_method, "raw_body([max [, offset]]) -> string, boolean",
		"the bytes behind the header's blank line as they came, without the first `offset`; at most "
		"`max` (a million), and whether there are more. May wait." },
	{ "list_id", list_id_method, "list_id() -> string or nil",
		"what List-Id identifies a mailing list by, without brackets; compare it in lower case" },
	{ "list_urls", list_urls_method, "list_urls(name) -> list of string",
		"the URLs of a field like List-Unsubscribe or List-Post, those the list prefers first" },
	{ "parts", parts_method, "parts() -> list of part",
		"its parts that hold no others, in their order, as they came" },
	{ "add_header", add_header_method, "add_header(name, value)",
		"adds a field at the end of the header; the value is UTF-8, and encoded and folded as "
		"needed" },
	{ "insert_header", insert_header_method, "insert_header(position, name, value)",
		"adds a field before the one at this position; 1 is the top" },
	{ "change_header", change_header_method, "change_header(name, value [, n]) -> boolean",
		"gives the nth field of that name (the first) another value; false when there is none" },
	{ "remove_header", remove_header_method, "remove_header(name [, n]) -> boolean",
		"removes all fields of that name, or the nth; false when there is none" },
	{ "add_part", add_part_method, "add_part { type, body, filename, disposition }",
		"adds a part behind all others; texts are UTF-8, the type is text/plain if none is given" },
	{ "replace_part", replace_part_method, "replace_part(part, { type, body, filename, disposition })",
		"puts a new part in the place of one; of a message in the message only as a whole. May "
		"wait." },
	{ 0 },
};

const struct ph_object_type message_type = {
	.name = "message",
	.help = "a mail message; a field it does not have is nil",
	.fields = fields,
	.methods = methods,
};
